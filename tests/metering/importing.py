"""A process that imports a log and prints a line after each batch: `python -m tests.metering.importing <url> <tenant>
<file>`. Its secret is that of the tests, so that it recognises what they recorded."""

import asyncio
import sys
from pathlib import Path

from tests.conftest import parts_on
from veloflux.context import Actor, Context, Scope
from veloflux.db import client
from veloflux.metering import Report, access_log, import_log


def tell(report: Report) -> None:
    print(report.recorded, flush=True)


async def main(url: str, tenant: str, path: str) -> None:
    db = await client.connect(url)
    scope = Scope(id=tenant, slug="", zone="America/Sao_Paulo")
    ctx = Context(parts=parts_on(db, Path("unused")), actor=Actor(id="cli:test"), scope=scope)
    with Path(path).open("rb") as file:  # noqa: ASYNC230  a process of its own
        await import_log(ctx, access_log.lines(file), tell)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
