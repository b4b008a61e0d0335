"""The files of a fiscal document: its XML is kept, its PDF is fetched from the provider whenever somebody wants it.

The XML is what the city signed and what must be shown for years: some kilobytes, compressed to about a third, sealed
with the tenant's key as the buyer on the invoice is. A PDF is drawn from it, is fifty times as large, and would soon be
most of what Redis holds.
"""

import base64
import zlib

from veloflux.billing import store
from veloflux.billing.fiscal.model import FiscalDocument
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import FiscalProviderAway, NotFound
from veloflux.kit import crypto
from veloflux.kit.fiscal import FiscalProvider
from veloflux.transaction import Transaction


def provider_of(ctx: Context) -> FiscalProvider:
    """:raises FiscalProviderAway: none is set."""
    if ctx.parts.fiscal is None:
        raise FiscalProviderAway("No provider of fiscal documents is set: see VELOFLUX_FISCAL_PROVIDER")
    return ctx.parts.fiscal


async def keep_xml(ctx: Context, tx: Transaction, invoice: str, xml: bytes) -> None:
    """Part of the commit by which a document is issued; nothing, once the tenant's key is destroyed."""
    key = await ctx.parts.data_keys.get(ctx.tenant, ctx.tenant)
    if key:
        text = base64.b64encode(zlib.compress(xml, 9)).decode()
        tx.set(keys.fiscal_xml(ctx.tenant, invoice), crypto.seal(key, text))


async def read_xml(ctx: Context, invoice: str) -> bytes:
    """The XML of an invoice's fiscal document: the kept one, or else the provider's.

    :raises NotFound: it is not issued. :raises FiscalProviderAway: none is kept, and the provider does not answer.
    """
    document = await _issued(ctx, invoice)
    kept = await store.find_fiscal_xml(ctx.db, ctx.tenant, invoice)
    key = await ctx.parts.data_keys.current(ctx.tenant, ctx.tenant) if kept else None
    text = crypto.unseal(key, kept) if key and kept else None
    return zlib.decompress(base64.b64decode(text)) if text else await provider_of(ctx).xml(document.id)


async def read_pdf(ctx: Context, invoice: str) -> bytes:
    """The PDF of an invoice's fiscal document, from the provider.

    :raises NotFound: it is not issued. :raises FiscalProviderAway: the provider does not answer.
    """
    document = await _issued(ctx, invoice)
    return await provider_of(ctx).pdf(document.id)


async def _issued(ctx: Context, invoice: str) -> FiscalDocument:
    document = await store.find_fiscal(ctx.db, ctx.tenant, invoice)
    if document is None or not document.number:
        raise NotFound(f"The invoice {invoice[:60]!r} has no fiscal document that is issued")
    return document
