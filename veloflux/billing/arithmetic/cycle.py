"""A subscription from period to period: what opens, changes and ends one, and the lines that each brings. Pure.

Fixed charges are paid in advance, or `in_arrears`; usage is priced when its period is over, by phases with the same
selection. A share of a period is counted in seconds or in days of the tenant's zone, of the whole period that a
partial one belongs to.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from veloflux.billing.arithmetic.discounts import amount_off
from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.periods import Anchor, Period, boundary, whole
from veloflux.billing.arithmetic.phases import ended, of_usage
from veloflux.billing.arithmetic.proration import Charge, Prorated, credit_lines, debit_lines, portion
from veloflux.billing.model import Charged, Phase, Selection, Subscription
from veloflux.errors import InputInvalid, PriceMissing
from veloflux.kit import money
from veloflux.kit.money import share
from veloflux.plans.catalogue import Plan
from veloflux.plans.prices import AddOn, Coupon, FixedCharge


class Offer(NamedTuple):
    """A version of a plan, and what a subscription may have beside it."""

    plan: Plan
    add_ons: Mapping[str, AddOn]
    coupons: Mapping[str, Coupon]
    currency: str


class Span(NamedTuple):
    """The running period of a subscription, and the whole one that a price is for: the same, but where a calendar makes
    the first one shorter, or an agreed end the last. Shares of it are counted in the days of `days_in`, a zone, or in
    seconds."""

    number: int
    start: int
    end: int
    whole: Period
    days_in: str

    def rest(self, at: int) -> Period:
        """What is left of it at a time."""
        return Period(at, self.end)

    def portion(self, amount: int, part: Period) -> int:
        """What of the price of a whole period falls to a part of it."""
        return portion(amount, part, self.whole, self.days_in)


class Calendar(NamedTuple):
    """A tenant's zone, and whether shares of a period are counted in its days."""

    zone: str
    by_day: bool = False


class Step(NamedTuple):
    """A subscription after something happened to it, the lines that this brings, and the phases that it ended, whose
    usage is still to be priced."""

    subscription: Subscription
    lines: tuple[Line, ...]
    phases: tuple[Phase, ...] = ()

    def alone(self) -> "Step":
        """The same without what waits for another invoice."""
        return self._replace(subscription=replace(self.subscription, waiting=()))


class Fixed(NamedTuple):
    """A fixed charge or add-on, for a whole period: `full`, and `net` of it after percentages off."""

    kind: Literal["fixed", "add_on"]
    name: str
    label: str
    plan: str
    quantity: int
    price: str
    full: int
    net: int
    in_arrears: bool = False


def first_span(sub: Subscription, offer: Offer, calendar: Calendar, at: int) -> Span:
    """The first period, from a moment on."""
    return _span(sub, anchor_of(sub, offer, calendar.zone), calendar, (0, at))


def next_span(sub: Subscription, offer: Offer, calendar: Calendar) -> Span:
    """The period that follows the running one, where that ends."""
    return _span(sub, anchor_of(sub, offer, calendar.zone), calendar, (sub.period + 1, sub.period_end))


def span_of(sub: Subscription, offer: Offer, calendar: Calendar) -> Span:
    """The running period."""
    period, anchor = Period(sub.period_start, sub.period_end), anchor_of(sub, offer, calendar.zone)
    full = whole(anchor, sub.period, period, cut=sub.ends_at == sub.period_end)
    return Span(sub.period, *period, full, _days_in(calendar))


def anchor_of(sub: Subscription, offer: Offer, zone: str) -> Anchor:
    """What the periods of a subscription are counted from, in the tenant's present zone."""
    at, plan = datetime.fromisoformat(sub.anchor), offer.plan
    return Anchor(at, zone, plan.interval, plan.interval_count, sub.billing_day, sub.calendar)


def start_period(sub: Subscription, offer: Offer, span: Span) -> Step:
    """Begin a period with what the subscription has selected, paying what is paid in advance."""
    period = Period(span.start, span.end)
    paid = [one for one in charges(offer, sub) if not one.in_arrears]
    lines = [_line(one, span.portion(one.full, period), *period) for one in paid]
    fee = offer.plan.setup_fee.get(offer.currency)
    if fee and not sub.set_up:
        lines.insert(
            0, Line("setup", offer.plan.name, money.parse(fee, offer.currency), plan=offer.plan.id, start=span.start)
        )
    opened = replace(
        sub,
        period=span.number,
        period_start=span.start,
        period_end=span.end,
        phases=(Phase(start=span.start, selection=sub.selection),),
        charged=tuple(_charged(one, span.portion(one.net, period), span.start) for one in paid),
        set_up=True,
    )
    return Step(opened, tuple(line for line in lines if line.amount))


def switch(sub: Subscription, offer: Offer, selection: Selection, at: int, span: Span) -> Step:
    """Another selection from a moment within the period on: what is left of the old price is credited, and what is left
    of the period is paid at the new one. What costs the same as before brings no lines."""
    rest, phases = span.rest(at), ended(sub.phases, at, span.whole, span.days_in)
    changed = replace(sub, selection=selection, phases=(*phases, Phase(start=at, selection=selection)))
    wanted = {one.name: one for one in charges(offer, changed) if not one.in_arrears}
    kept = {one.name: one for one in sub.charged if one.name in wanted and wanted[one.name].full == one.full}
    new = [one for one in wanted.values() if one.name not in kept]
    asked = debit_lines([Charge(one.name, one.net) for one in new], rest, span.whole, span.days_in)
    lines = [
        *_credits([one for one in sub.charged if one.name not in kept], rest, span),
        *(_debit(wanted[one.name], one) for one in asked),
    ]
    amounts = {one.name: one.amount for one in asked}
    charged = (*kept.values(), *(_charged(one, amounts.get(one.name, 0), at) for one in new))
    return Step(replace(changed, charged=charged), tuple(lines))


def end_period(
    sub: Subscription,
    at: int,
    span: Span,
    offer_of: Callable[[Selection], Offer],
    *,
    credit_unused: bool = True,
) -> Step:
    """End the running period: at its end, or before it, when what was paid for the rest may be credited."""
    phases = ended(sub.phases, at, span.whole, span.days_in)
    lines = [line for phase in phases for line in _arrears(sub, phase, offer_of) if line.amount]
    if at < span.end and credit_unused:
        lines += _credits(sub.charged, span.rest(at), span)
    metered = sub.metered or any(offer_of(phase.selection).plan.usage for phase in phases if not phase.free)
    over = replace(sub, phases=phases, charged=(), period_end=at, metered=metered)
    return Step(over, tuple(lines), of_usage(phases))


def worth(offer: Offer, selection: Selection) -> Decimal:
    """What a selection costs a year, in minor units, whatever is used: it tells upgrades from downgrades."""
    probe = _probe(selection, offer.currency)
    periods = {"week": Decimal("52.1775"), "month": Decimal(12), "quarter": Decimal(4), "year": Decimal(1)}
    whole = sum(one.full for one in charges(offer, probe))
    return whole * periods[offer.plan.interval] / offer.plan.interval_count


def check_selection(offer: Offer, selection: Selection) -> None:
    """:raises PriceMissing: something has no price in the currency. :raises InputInvalid: there is no such charge or
    add-on, or the add-on is charged once."""
    known = {charge.name for charge in offer.plan.fixed}
    for name in selection.quantities:
        if name not in known:
            raise InputInvalid(f"The plan {offer.plan.id} has no charge {name[:60]!r}", field="quantities")
    for name in selection.add_ons:
        if name not in offer.add_ons or not offer.add_ons[name].recurring:
            raise InputInvalid(f"There is no recurring add-on {name[:60]!r}", field="add_ons")
        _price(offer.add_ons[name].prices, offer.currency, f"The add-on {name}")
    if not offer.plan.fixed and not offer.plan.usage:
        raise PriceMissing(f"The plan {offer.plan.id} has no prices; it cannot be subscribed to", field="plan")
    list(charges(offer, _probe(selection, offer.currency)))
    for charge in offer.plan.usage:
        _price(charge.prices, offer.currency, f"The usage of {charge.meter}")


def charges(offer: Offer, sub: Subscription) -> Iterator[Fixed]:
    """All fixed charges and add-ons of a subscription, in advance and in arrears; an add-on that is not sold any more,
    in this currency, is charged no more."""
    for charge in offer.plan.fixed:
        yield _of_plan(offer, sub, charge)
    for id_, quantity in sorted(sub.selection.add_ons.items()):
        add_on = offer.add_ons.get(id_)
        if add_on and offer.currency in add_on.prices:
            yield _of_add_on(offer, sub, add_on, quantity)


def _of_plan(offer: Offer, sub: Subscription, charge: FixedCharge) -> Fixed:
    label = charge.display_name or f"{offer.plan.name}: {charge.name}"
    quantity = sub.selection.quantities.get(charge.name, charge.quantity)
    price = _price(charge.prices, offer.currency, label)
    full = money.times(price, quantity, offer.currency)
    net = _after_percents(full, offer, sub, offer.plan.id)
    return Fixed("fixed", charge.name, label, offer.plan.id, quantity, price, full, net, charge.in_arrears)


def _of_add_on(offer: Offer, sub: Subscription, add_on: AddOn, quantity: int) -> Fixed:
    price = add_on.prices[offer.currency]
    full = money.times(price, quantity, offer.currency)
    net = _after_percents(full, offer, sub, "")
    return Fixed("add_on", f"add_on.{add_on.id}", add_on.name, "", quantity, price, full, net)


def _span(sub: Subscription, anchor: Anchor, calendar: Calendar, begins: tuple[int, int]) -> Span:
    number, start = begins
    while (end := boundary(anchor, number + 1)) <= start:  # another zone can make a boundary pass
        number += 1
    cut = sub.ends_at is not None and sub.ends_at < end
    period = Period(start, sub.ends_at if cut and sub.ends_at else end)
    return Span(number, *period, whole(anchor, number, period, cut), _days_in(calendar))


def _days_in(calendar: Calendar) -> str:
    return calendar.zone if calendar.by_day else ""


def _after_percents(full: int, offer: Offer, sub: Subscription, plan: str) -> int:
    """What is left of a price after the percentages of the subscription's coupons: prices are discounted, then
    prorated. Amounts off are of an invoice, not of a price."""
    for redemption in sub.coupons:
        coupon = offer.coupons.get(redemption.coupon)
        if coupon and coupon.percent is not None and (not coupon.plans or plan in coupon.plans):
            full -= amount_off(coupon, full, offer.currency)
    return full


def _arrears(sub: Subscription, phase: Phase, offer_of: Callable[[Selection], Offer]) -> Iterator[Line]:
    assert phase.end is not None
    if phase.free:
        return
    for one in charges(offer_of(phase.selection), replace(sub, selection=phase.selection)):
        if one.in_arrears:
            yield _line(one, share(one.full, *phase.share), phase.start, phase.end)


def _line(one: Fixed, amount: int, start: int, end: int) -> Line:
    return Line(one.kind, one.label, amount, 0, start, end, one.plan, "", str(one.quantity), one.price)


def _debit(one: Fixed, asked: Prorated) -> Line:
    return replace(_line(one, asked.amount, asked.start, asked.end), kind="debit")


def _charged(one: Fixed, amount: int, start: int) -> Charged:
    return Charged(
        name=one.name, label=one.label, plan=one.plan, full=one.full, net=one.net, amount=amount, start=start
    )


def _credits(charged: Iterable[Charged], rest: Period, span: Span) -> Iterator[Line]:
    """The unused part of what was charged; never more than was, less what was credited before."""
    known = {one.name: one for one in charged}
    old = [Charge(one.name, one.net, one.amount - one.credited) for one in known.values()]
    for found in credit_lines(old, rest, span.whole, span.days_in):
        one = known[found.name]
        yield Line("credit", one.label, found.amount, 0, found.start, found.end, one.plan)


def _probe(selection: Selection, currency: str) -> Subscription:
    """Selection that nobody has subscribed to yet, to ask what they cost."""
    return Subscription(
        id="",
        status="active",
        currency=currency,
        selection=selection,
        anchor="",
        period_start=0,
        period_end=0,
        created_at=0,
    )


def _price(prices: Mapping[str, Any], currency: str, what: str) -> Any:
    if currency not in prices:
        raise PriceMissing(
            f"{what} has no price in {currency}; choose one of {', '.join(sorted(prices))}", field="currency"
        )
    return prices[currency]
