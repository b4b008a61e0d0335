"""The usage that an invoice asks for: of its own phases, and what came late for earlier ones of its subscription."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from veloflux import metering
from veloflux.billing import store
from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.usage_lines import Priced, late_lines, usage_lines
from veloflux.billing.basis import Basis
from veloflux.billing.model import Invoice, Phase, Subscription
from veloflux.context import Context
from veloflux.kit.clock import DAY_MS
from veloflux.metering import Segments
from veloflux.plans import Meter

REMEMBERED_MS = 400 * DAY_MS
"""So long after a phase is over late usage of it is billed."""


class Usage(NamedTuple):
    """Lines, and how much late usage of each segment is billed with them."""

    lines: tuple[Line, ...]
    late_billed: dict[str, int]


class _Read(NamedTuple):
    """Segments of meters by their names, and how much of their late usage was billed before."""

    segments: Mapping[str, Segments]
    billed: Mapping[str, int]

    def within(self, phase: Phase) -> Iterator[tuple[str, int, Decimal, Decimal]]:
        """Meter, segment, what earlier invoices know of it, what they do not, of those in a phase."""
        assert phase.end is not None
        for meter, segments in self.segments.items():
            for start, found in segments.items():
                if phase.start <= start < phase.end:
                    known = found.amount + self.billed.get(_mark(meter, start), 0)
                    new = found.late - self.billed.get(_mark(meter, start), 0)
                    yield meter, start, Decimal(known).scaleb(-found.places), Decimal(new).scaleb(-found.places)

    def late_since(self, since: int, until: int) -> Iterator[int]:
        """The starts of segments between two times with late usage that is not billed."""
        for meter, segments in self.segments.items():
            for start, found in segments.items():
                if since <= start < until and found.late != self.billed.get(_mark(meter, start), 0):
                    yield start


async def usage_of(ctx: Context, basis: Basis, sub: Subscription, invoice: Invoice) -> Usage:
    """What is closed by now; reading it again says the same, but for what comes late."""
    names = basis.schedule.meters
    versions = [meter for meter in (*basis.catalogue.former, *basis.catalogue.meters) if meter.name in names]
    read = _Read(await metering.read_billed(ctx.db, ctx.tenant, versions), sub.late_billed)
    meters = {meter.name: meter for meter in versions}
    lines = [line for phase in invoice.phases for line in _own(basis, sub, phase, read, meters)]
    until = invoice.period_start if invoice.phases else invoice.period_end
    if late := sorted(set(read.late_since(sub.created_at, until))):
        earlier = still_open([phase async for phase in _earlier_phases(ctx, sub, invoice, late)], ctx.now())
        lines += [line for phase in earlier for line in _late(basis, sub, phase, read, meters)]
    return Usage(tuple(lines), _remembered(sub, read, invoice.period_end))


def meters_of(basis: Basis, sub: Subscription, phases: Iterable[Phase]) -> list[Meter]:
    """All versions of the meters that phases are charged for, the present one last."""
    names = {meter for phase in phases for meter in basis.offer(phase.selection, sub.currency).plan.meters}
    return [meter for meter in (*basis.catalogue.former, *basis.catalogue.meters) if meter.name in names]


def used_in(phase: Phase, segments: Mapping[str, Segments]) -> dict[str, Decimal]:
    """All that was used of each meter in a phase, also what came late."""
    used: dict[str, Decimal] = {}
    for meter, _, known, new in _Read(segments, {}).within(phase):
        used[meter] = used.get(meter, Decimal(0)) + known + new
    return used


def _own(basis: Basis, sub: Subscription, phase: Phase, read: _Read, meters: Mapping[str, Meter]) -> list[Line]:
    used = used_in(phase, read.segments)
    return usage_lines(Priced(basis.offer(phase.selection, sub.currency), phase, meters), used)


def _late(basis: Basis, sub: Subscription, phase: Phase, read: _Read, meters: Mapping[str, Meter]) -> list[Line]:
    billed: dict[str, Decimal] = {}
    late: dict[str, Decimal] = {}
    for meter, _, known, new in read.within(phase):
        billed[meter] = billed.get(meter, Decimal(0)) + known
        late[meter] = late.get(meter, Decimal(0)) + new
    return late_lines(Priced(basis.offer(phase.selection, sub.currency), phase, meters), billed, late)


async def _earlier_phases(ctx: Context, sub: Subscription, invoice: Invoice, late: list[int]) -> AsyncIterator[Phase]:
    """The phases of former invoices, and of periods that had none, that segments with late usage lie in."""
    for phase in _holding(sub.idle, late):
        yield phase
    async for former in store.every_invoice(ctx.db, ctx.tenant):
        if former.subscription != sub.id or former.id == invoice.id or former.status == "draft":
            continue
        for phase in _holding(former.phases, late):
            yield phase
        if former.phases and former.period_start <= late[0]:
            return


def still_open(phases: Iterable[Phase], now: int) -> tuple[Phase, ...]:
    """The phases for which late usage may come yet."""
    return tuple(phase for phase in phases if phase.end is not None and phase.end > now - REMEMBERED_MS)


def _holding(phases: Iterable[Phase], starts: list[int]) -> Iterator[Phase]:
    for phase in phases:
        if phase.end is not None and any(phase.start <= start < phase.end for start in starts):
            yield phase


def _remembered(sub: Subscription, read: _Read, until: int) -> dict[str, int]:
    """What of late usage from before a time is done with: it is billed now, or of a time for which the subscription
    charges nothing. It is known for as long as metering knows the segment."""
    kept = [
        (start, _mark(meter, start), found.late)
        for meter, segments in read.segments.items()
        for start, found in segments.items()
    ]
    done = {mark: late for start, mark, late in kept if start < until and late}
    return {mark: sub.late_billed[mark] for _, mark, _ in kept if mark in sub.late_billed} | done


def _mark(meter: str, start: int) -> str:
    return f"{meter} {start}"
