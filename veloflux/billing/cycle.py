"""A subscription from period to period: what opens, changes and ends one, and the lines that each brings. Pure.

Fixed charges are paid in advance, or `in_arrears`; usage is priced when its period is over, by phases with the same
selection. A share of a period is counted in seconds or in days of the tenant's zone (`Units`), of the whole period that a
partial one belongs to.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from veloflux.billing.discounts import amount_off
from veloflux.billing.lines import Line, text
from veloflux.billing.model import Charged, Phase, Subscription, Selection
from veloflux.billing.periods import Anchor, Period, boundary, whole
from veloflux.errors import InputInvalid, PriceMissing
from veloflux.kit import money
from veloflux.plans.catalogue import Plan
from veloflux.plans.prices import AddOn, Coupon, FixedCharge

Units = Callable[[int, int], int]
"""Seconds or days between two times in epoch ms."""


class Offer(NamedTuple):
    """A version of a plan, and what a subscription may have beside it."""

    plan: Plan
    add_ons: Mapping[str, AddOn]
    coupons: Mapping[str, Coupon]
    currency: str


class Span(NamedTuple):
    """The running period of a subscription, and the whole one that a price is for: the same, but where a calendar makes
    the first one shorter."""

    number: int
    start: int
    end: int
    whole: Period


class Share(NamedTuple):
    """`part` of `whole` units of time."""

    part: int
    whole: int

    def of(self, amount: int) -> int:
        """An amount for this part of the time, rounded half up."""
        return money.share(amount, self.part, self.whole)


class Opened(NamedTuple):
    """A subscription after a step, and the lines that the step brings."""

    subscription: Subscription
    lines: tuple[Line, ...]


class _Fixed(NamedTuple):
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


def first_span(sub: Subscription, offer: Offer, zone: str, at: int) -> Span:
    """The first period, from a moment on."""
    return _span(sub, anchor_of(sub, offer, zone), 0, at)


def next_span(sub: Subscription, offer: Offer, zone: str) -> Span:
    """The period that follows the running one, where that ends."""
    return _span(sub, anchor_of(sub, offer, zone), sub.period + 1, sub.period_end)


def span_of(sub: Subscription, offer: Offer, zone: str) -> Span:
    """The running period."""
    period = Period(sub.period_start, sub.period_end)
    cut = sub.ends_at == sub.period_end
    return Span(sub.period, *period, whole(anchor_of(sub, offer, zone), sub.period, period, cut))


def anchor_of(sub: Subscription, offer: Offer, zone: str) -> Anchor:
    """What the periods of a subscription are counted from, in the tenant's present zone."""
    at, plan = datetime.fromisoformat(sub.anchor), offer.plan
    return Anchor(at, zone, plan.interval, plan.interval_count, sub.billing_day, sub.calendar)


def _span(sub: Subscription, anchor: Anchor, number: int, start: int) -> Span:
    while (end := boundary(anchor, number + 1)) <= start:  # another zone can make a boundary pass
        number += 1
    cut = sub.ends_at is not None and sub.ends_at < end
    period = Period(start, sub.ends_at if cut and sub.ends_at else end)
    return Span(number, *period, whole(anchor, number, period, cut))


def start_period(sub: Subscription, offer: Offer, span: Span, units: Units) -> Opened:
    """Begin a period with what the subscription has selected, paying what is paid in advance."""
    share = _share(span.start, span.end, span, units)
    charges = [one for one in _charges(offer, sub) if not one.in_arrears]
    lines = [_line(one, share.of(one.full), span.start, span.end) for one in charges]
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
        charged=tuple(_charged(one, share.of(one.net), span.start) for one in charges),
        set_up=True,
    )
    return Opened(opened, tuple(line for line in lines if line.amount))


def switch(sub: Subscription, offer: Offer, selection: Selection, at: int, span: Span, units: Units) -> Opened:
    """Another selection from a moment within the period on: what is left of the old price is credited, and what is left of
    the period is paid at the new one. What costs the same as before brings no lines."""
    left = _share(at, span.end, span, units)
    phases = (*_ended(sub.phases, at, span, units), Phase(start=at, selection=selection))
    changed = replace(sub, selection=selection, phases=phases)
    wanted = {one.name: one for one in _charges(offer, changed) if not one.in_arrears}
    kept = [one for one in sub.charged if one.name in wanted and wanted[one.name].full == one.full]
    lines = [_credit(one, left, at, span.end) for one in sub.charged if one not in kept]
    charged = list(kept)
    for one in wanted.values():
        if all(one.name != other.name for other in kept):
            charged.append(_charged(one, left.of(one.net), at))
            lines.append(_debit(one, left.of(one.net), at, span.end))
    return Opened(replace(changed, charged=tuple(charged)), tuple(line for line in lines if line.amount))


def end_period(
    sub: Subscription,
    at: int,
    span: Span,
    units: Units,
    offer_of: Callable[[Selection], Offer],
    *,
    credit_unused: bool = True,
) -> Opened:
    """End the running period: at its end, or before it, when what was paid for the rest may be credited."""
    phases = _ended(sub.phases, at, span, units)
    lines = [line for phase in phases for line in _arrears(sub, phase, offer_of)]
    if at < span.end and credit_unused:
        left = _share(at, span.end, span, units)
        lines += [_credit(one, left, at, span.end) for one in sub.charged]
    ended = replace(sub, phases=phases, charged=(), period_end=at)
    return Opened(ended, tuple(line for line in lines if line.amount))


def worth(offer: Offer, selection: Selection) -> Decimal:
    """What a selection costs a year, whatever is used: by this a change is an upgrade or a downgrade. In minor units."""
    probe = _probe(selection, offer.currency)
    periods = {"week": Decimal("52.1775"), "month": Decimal(12), "quarter": Decimal(4), "year": Decimal(1)}
    whole = sum(one.full for one in _charges(offer, probe))
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
    if not offer.plan.fixed and not offer.plan.usage:
        raise PriceMissing(f"The plan {offer.plan.id} has no prices; it cannot be subscribed to", field="plan")
    list(_charges(offer, _probe(selection, offer.currency)))
    for charge in offer.plan.usage:
        _price(charge.prices, offer.currency, f"The usage of {charge.meter}")


def _charges(offer: Offer, sub: Subscription) -> Iterator[_Fixed]:
    for charge in offer.plan.fixed:
        yield _of_plan(offer, sub, charge)
    for id_, quantity in sorted(sub.selection.add_ons.items()):
        yield _of_add_on(offer, sub, offer.add_ons[id_], quantity)


def _of_plan(offer: Offer, sub: Subscription, charge: FixedCharge) -> _Fixed:
    label = charge.display_name or f"{offer.plan.name}: {charge.name}"
    quantity = sub.selection.quantities.get(charge.name, charge.quantity)
    price = _price(charge.prices, offer.currency, label)
    full = money.minor(Decimal(price) * quantity, offer.currency)
    net = _after_percents(full, offer, sub, offer.plan.id)
    return _Fixed("fixed", charge.name, label, offer.plan.id, quantity, price, full, net, charge.in_arrears)


def _of_add_on(offer: Offer, sub: Subscription, add_on: AddOn, quantity: int) -> _Fixed:
    price = _price(add_on.prices, offer.currency, add_on.name)
    full = money.minor(Decimal(price) * quantity, offer.currency)
    net = _after_percents(full, offer, sub, "")
    return _Fixed("add_on", f"add_on.{add_on.id}", add_on.name, "", quantity, price, full, net)


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
    for one in _charges(offer_of(phase.selection), replace(sub, selection=phase.selection)):
        if one.in_arrears:
            yield _line(one, Share(*phase.share).of(one.full), phase.start, phase.end)


def _ended(phases: tuple[Phase, ...], at: int, span: Span, units: Units) -> tuple[Phase, ...]:
    last = phases[-1]
    share = (1, 1) if (last.start, at) == span.whole else tuple(_share(last.start, at, span, units))
    return (*phases[:-1], replace(last, end=at, share=share))


def _share(start: int, end: int, span: Span, units: Units) -> Share:
    return Share(units(start, end), max(units(*span.whole), 1))


def _line(one: _Fixed, amount: int, start: int, end: int) -> Line:
    return Line(one.kind, one.label, amount, 0, start, end, one.plan, "", text(Decimal(one.quantity)), one.price)


def _debit(one: _Fixed, amount: int, start: int, end: int) -> Line:
    return Line("debit", one.label, amount, 0, start, end, one.plan, "", text(Decimal(one.quantity)), one.price)


def _charged(one: _Fixed, amount: int, start: int) -> Charged:
    return Charged(
        name=one.name, label=one.label, plan=one.plan, full=one.full, net=one.net, amount=amount, start=start
    )


def _credit(one: Charged, left: Share, start: int, end: int) -> Line:
    """The unused part of what was charged; never more than was, less what was credited before."""
    unused = min(left.of(one.net), one.amount - one.credited)
    return Line("credit", one.label, -max(unused, 0), 0, start, end, one.plan)


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
