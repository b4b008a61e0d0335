"""What a subscription's running period costs so far, and what it will have cost at its end. Reading counts nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from veloflux import metering
from veloflux.billing import store
from veloflux.billing.arithmetic.lines import Kind, Line, net, text
from veloflux.billing.arithmetic.taxes import tax_totals
from veloflux.billing.arithmetic.usage_lines import Used
from veloflux.billing.basis import Basis, read_basis
from veloflux.billing.invoices.issue import taxes_of
from veloflux.billing.invoices.usage import meters_of, used_in
from veloflux.billing.model import Phase, Subscription
from veloflux.billing.spend.forecast import Method, linear, method_at
from veloflux.billing.spend.period_cost import period_lines, phases_of
from veloflux.billing.states import RUNNING
from veloflux.context import Context
from veloflux.errors import Conflict
from veloflux.metering import Segments
from veloflux.plans import Meter
from veloflux.plans.prices import UsageCharge


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """Minor units, after discounts: `before_tax` + `tax` = `after_tax`."""

    before_tax: int
    tax: int
    after_tax: int


class CostRow(msgspec.Struct, frozen=True, kw_only=True):
    """A meter, or a fixed charge, add-on or item: `amount` so far in minor units, after discounts, before exclusive
    taxes. `quantity` is in units of the `meter`. `forecast` and `forecast_quantity`: at the period's end, None when it
    is too early to say."""

    kind: Kind
    name: str
    meter: str = ""
    unit: str = ""
    quantity: str = ""
    amount: int
    forecast_quantity: str | None = None
    forecast: int | None = None


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Of the period from `period_start` to `period_end`, at `at` (epoch ms of the tenant's clock).

    `method` says how `forecast` was made: `linear`, usage goes on as it was since the plan last changed, its price is
    that of the quantity (tiers and all); `too_early`, less than a hundredth of that time is over, and `forecast` is
    None.
    """

    subscription: str
    plan: str
    currency: str
    period_start: int
    period_end: int
    at: int
    rows: tuple[CostRow, ...]
    so_far: Amounts
    method: Method
    forecast: Amounts | None


class Reading(NamedTuple):
    """A running period: what it is made on, its phases to its end, and what was used in them."""

    basis: Basis
    sub: Subscription
    at: int
    meters: Mapping[str, Meter]
    phases: Sequence[Phase]
    used: Sequence[Used]

    @property
    def lines(self) -> tuple[Line, ...]:
        """What it costs so far."""
        return period_lines(self.basis, self.sub, self.meters, self.used)


async def read_cost(ctx: Context, id_: str) -> Cost:
    """The cost of a subscription's running period.

    :raises NotFound: the tenant has no such subscription. :raises Conflict: no period of it runs.
    """
    sub, basis = await asyncio.gather(store.subscription(ctx, id_), read_basis(ctx))
    if sub.status not in RUNNING:
        raise Conflict(f"This subscription is {sub.status}: no period of it runs")
    return cost_of(await read(ctx, basis, sub))


async def read_costs(ctx: Context) -> list[Cost]:
    """Of all the tenant's subscriptions that have a running period, the oldest first."""
    subs = [one for one in await store.subscriptions(ctx.db, ctx.tenant) if one.status in RUNNING]
    if not subs:
        return []
    basis = await read_basis(ctx)
    return [cost_of(one) for one in await asyncio.gather(*(read(ctx, basis, sub) for sub in subs))]


async def read(ctx: Context, basis: Basis, sub: Subscription) -> Reading:
    """What was used in the running period until now."""
    phases = phases_of(basis, sub)
    versions = meters_of(basis, sub, phases)
    return reading(basis, sub, ctx.now(), versions, await metering.read_billed(ctx.db, ctx.tenant, versions))


def reading(
    basis: Basis, sub: Subscription, now: int, versions: Sequence[Meter], segments: Mapping[str, Segments]
) -> Reading:
    """The running period at a time, by the segments of its meters. Pure."""
    phases = phases_of(basis, sub)
    meters = {meter.name: meter for meter in versions}
    at = min(max(now, sub.period_start), sub.period_end)
    return Reading(basis, sub, at, meters, phases, [used_in(phase, segments) for phase in phases])


def cost_of(read: Reading) -> Cost:
    """So far, and to the end. Pure."""
    method, lines = method_of(read), read.lines
    later = forecast_of(read) if method == "linear" else None
    return Cost(
        subscription=read.sub.id,
        plan=read.sub.selection.plan,
        currency=read.sub.currency,
        period_start=read.sub.period_start,
        period_end=read.sub.period_end,
        at=read.at,
        rows=tuple(_rows(read, lines, later)),
        so_far=amounts(read.basis, lines),
        method=method,
        forecast=later and amounts(read.basis, later.lines),
    )


def method_of(read: Reading) -> Method:
    """Whether there can be a forecast."""
    last = read.phases[-1]
    assert last.end is not None
    return method_at(read.at - last.start, last.end - last.start)


def forecast_of(read: Reading) -> Reading:
    """The same at the period's end: what is used in the phase that runs goes on as it was."""
    last = read.phases[-1]
    assert last.end is not None
    elapsed, whole = read.at - last.start, last.end - last.start
    used = {name: linear(of, elapsed, whole, read.meters[name].places) for name, of in read.used[-1].items()}
    return read._replace(at=last.end, used=[*read.used[:-1], used])


def amounts(basis: Basis, lines: Sequence[Line]) -> Amounts:
    """What lines come to, by the taxes that hold for the tenant; these are rounded once, as in an invoice."""
    taxes = tax_totals(lines, taxes_of(basis))
    within = sum(one.amount for one in taxes if one.inclusive)
    tax = sum(one.amount for one in taxes)
    before = net(lines) - within
    return Amounts(before_tax=before, tax=tax, after_tax=before + tax)


def _rows(read: Reading, lines: Sequence[Line], later: Reading | None) -> list[CostRow]:
    """A row for each meter that is priced, and for each fixed charge, in the order of the invoice."""
    now, then = _by_row(lines), _by_row(later.lines) if later else {}
    kinds = {_row_of(line): line for line in (*lines, *(later.lines if later else ()))}
    priced = {charge.meter: None for phase in read.phases for charge in _charges(read, phase)}
    fixed = [
        CostRow(kind=line.kind, name=row[1], amount=now.get(row, 0), forecast=then.get(row, 0) if later else None)
        for row, line in kinds.items()
        if not line.meter
    ]
    usage = [
        CostRow(
            kind="usage",
            name=read.meters[meter].display_name or meter,
            meter=meter,
            unit=read.meters[meter].unit,
            quantity=_quantity(read, meter),
            amount=now.get((meter, ""), 0),
            forecast_quantity=_quantity(later, meter) if later else None,
            forecast=then.get((meter, ""), 0) if later else None,
        )
        for meter in priced
        if meter in read.meters
    ]
    return [*fixed, *usage]


def _charges(read: Reading, phase: Phase) -> Sequence[UsageCharge]:
    return () if phase.free else read.basis.offer(phase.selection, read.sub.currency).plan.usage


def _row_of(line: Line) -> tuple[str, str]:
    """Lines of a meter are one row, others one for each name."""
    return (line.meter, "") if line.meter else ("", line.name)


def _by_row(lines: Sequence[Line]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for line in lines:
        sums[_row_of(line)] = sums.get(_row_of(line), 0) + line.net
    return sums


def _quantity(read: Reading, meter: str) -> str:
    return text(sum((of.get(meter, Decimal(0)) for of in read.used), Decimal(0)))
