"""Import an access log: each line one event, however often and from wherever the import is run again."""

import contextlib
from collections.abc import Callable, Iterable

import msgspec

from veloflux.context import Context
from veloflux.errors import Unavailable
from veloflux.events import UsageImported
from veloflux.metering import access_log
from veloflux.metering.access_log import Bad
from veloflux.metering.model import Event
from veloflux.metering.program import EVENTS_MAX
from veloflux.metering.record import record
from veloflux.transaction import Transaction

BAD_SHOWN = 100


class Report(msgspec.Struct, kw_only=True):
    """`bytes` is the sum of the sizes in the lines that count; `bad_lines` has the first hundred of the bad ones."""

    read: int = 0
    recorded: int = 0
    duplicates: int = 0
    bad: int = 0
    bytes: int = 0
    bad_lines: list[Bad] = msgspec.field(default_factory=list)


async def import_log(
    ctx: Context, lines: Iterable[bytes], progress: Callable[[Report], None] = lambda _report: None
) -> Report:
    """Record the requests of a log in Combined Log Format as usage of the context's tenant, and say so in its trail.

    A line that was imported in the last 35 days is recognised. `progress` is told after each batch.

    :raises Unavailable: Redis is away; what was recorded until then is recognised the next time.
    """
    report, complete = Report(), False
    try:
        for batch in _batches(access_log.read(lines), report):
            await _record(ctx, batch, report)
            progress(report)
        complete = True
    finally:
        with contextlib.suppress(*(() if complete else (Unavailable,))):
            await _note(ctx, report, complete)
    return report


Batch = list[tuple[int, Event]]


def _batches(parsed: Iterable[Event | Bad], report: Report) -> Iterable[Batch]:
    batch: Batch = []
    for line, one in enumerate(parsed, 1):
        report.read = line
        if isinstance(one, Bad):
            _note_bad(report, one)
        else:
            batch.append((line, one))
        if len(batch) == EVENTS_MAX:
            yield batch
            batch = []
    if batch:
        yield batch


async def _record(ctx: Context, batch: Batch, report: Report) -> None:
    result = await record(ctx.parts, ctx.tenant, [event for _, event in batch], backfill=True, actor=ctx.actor.id)
    refused = {rejection.index: rejection for rejection in result.rejected}
    for index, (line, event) in enumerate(batch):
        if index in refused:
            _note_bad(report, Bad(line, refused[index].reason))
        else:
            report.bytes += event.data["bytes"]
    report.recorded += result.accepted
    report.duplicates += result.duplicates


def _note_bad(report: Report, bad: Bad) -> None:
    report.bad += 1
    if len(report.bad_lines) < BAD_SHOWN:
        report.bad_lines.append(bad)


async def _note(ctx: Context, report: Report, complete: bool) -> None:
    figures = {name: getattr(report, name) for name in ("read", "recorded", "duplicates", "bad", "bytes")}
    tx = Transaction(ctx, ctx.tenant)
    tx.event(UsageImported(**figures, complete=complete))
    await tx.commit()
