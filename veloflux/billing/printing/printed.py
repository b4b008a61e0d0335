"""Invoices and credit notes as PDF files, drawn beside the event loop."""

import asyncio
import functools
from typing import NamedTuple

from veloflux.billing.printing.rendered import Rendered


class Printed(NamedTuple):
    """A PDF, and what its file is called."""

    name: str
    content: bytes


async def printed(document: Rendered) -> Printed:
    """The PDF of a document; the same bytes whenever it is asked for."""
    return Printed(f"{document.number}.pdf", await asyncio.to_thread(_drawn, document))


@functools.lru_cache(maxsize=64)
def _drawn(document: Rendered) -> bytes:
    from veloflux.billing.printing.sheet import pdf

    return pdf(document)
