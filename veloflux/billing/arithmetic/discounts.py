"""What coupons take off the lines of an invoice.

**What they count on**: fixed charges, usage in all its kinds, and add-ons. Not set-up fees and one-off items, which are
agreed apart; not credits and debits, whose prices were discounted before they were prorated; not adjustments.

**How they stack**: first the percentages, each of what the former ones left, then the amounts, each in the order in
which they were attached. A coupon is computed on the sum of the lines that it counts on, rounded once, half up, and
spread over them by largest remainder. It takes no more than is left there; what it does not need is lost.

A coupon with `plans` counts on the lines whose `plan` is one of them: not on add-ons, which belong to no plan.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.percent import WHOLE, parts
from veloflux.errors import PriceMissing
from veloflux.kit.money import parse, share
from veloflux.plans.prices import Coupon

COUNTED_ON = frozenset({"fixed", "usage", "flat", "package", "percent", "fee", "minimum", "maximum", "add_on"})


class Redemption(msgspec.Struct, frozen=True, array_like=True):
    """A coupon that is attached, for so many invoices more; None: for all."""

    coupon: str
    left: int | None


def redeem(coupon: Coupon) -> Redemption:
    """What a coupon is when it is attached.

    >>> redeem(Coupon(id="spring", name="Spring", percent="10", duration="periods", periods=3))
    Redemption(coupon='spring', left=3)
    """
    return Redemption(coupon.id, {"once": 1, "periods": coupon.periods, "forever": None}[coupon.duration])


def after(redemption: Redemption, taken: Mapping[str, int]) -> Redemption | None:
    """What a redemption is after an invoice, of which `discounted` said what was taken; None: it is used up.

    An invoice from which a coupon took nothing does not use it up.

    >>> after(Redemption("spring", 3), {"spring": 500}), after(Redemption("spring", 1), {"spring": 500})
    (Redemption(coupon='spring', left=2), None)
    >>> after(Redemption("spring", 1), {}), after(Redemption("always", None), {"always": 500})
    (Redemption(coupon='spring', left=1), Redemption(coupon='always', left=None))
    """
    if redemption.left is None or redemption.coupon not in taken:
        return redemption
    return Redemption(redemption.coupon, redemption.left - 1) if redemption.left > 1 else None


def discounted(
    lines: Sequence[Line], coupons: Iterable[Coupon], currency: str
) -> tuple[tuple[Line, ...], dict[str, int]]:
    """The lines with their discounts, in their order, and what each coupon took that took anything, in minor units.

    `coupons` stand in the order in which they were attached. A discount that a line has already stays.

    >>> ten, five = Coupon(id="ten", name="10 %", percent="10"), Coupon(id="five", name="5", amounts={"USD": "5"})
    >>> lines, taken = discounted([Line("fixed", "Pro", 2999), Line("item", "Training", 9900)], [five, ten], "USD")
    >>> [line.discount for line in lines], taken
    ([800, 0], {'ten': 300, 'five': 500})

    :raises PriceMissing: a coupon takes an amount, and has none in this currency.
    """
    attached = sorted(coupons, key=lambda coupon: coupon.percent is None)
    if not attached:
        return tuple(lines), {}
    left = {at: lines[at].net for at in sorted(range(len(lines)), key=lambda at: lines[at])}
    taken: dict[str, int] = {}
    for coupon in attached:
        touched = [at for at in left if _counts_on(coupon, lines[at])]
        off = amount_off(coupon, sum(left[at] for at in touched), currency)
        for at, piece in zip(touched, spread(off, [left[at] for at in touched]), strict=True):
            left[at] -= piece
        if off:
            taken[coupon.id] = taken.get(coupon.id, 0) + off
    return tuple(msgspec.structs.replace(line, discount=line.amount - left[at]) for at, line in enumerate(lines)), taken


def _counts_on(coupon: Coupon, line: Line) -> bool:
    return line.kind in COUNTED_ON and (not coupon.plans or line.plan in coupon.plans)


def amount_off(coupon: Coupon, amount: int, currency: str) -> int:
    """What a coupon takes off an amount, in minor units: at most all of it, of a negative one nothing.

    >>> amount_off(Coupon(id="five", name="Five off", amounts={"USD": "5"}), 2999, "USD")
    500

    :raises PriceMissing: it takes an amount, and has none in this currency.
    """
    if coupon.percent is not None:
        return share(max(amount, 0), parts(coupon.percent), WHOLE)
    if currency not in coupon.amounts:
        raise PriceMissing(f"The coupon {coupon.id} has no amount in {currency}; give it one", field="coupon")
    return max(min(parse(coupon.amounts[currency], currency), amount), 0)


def spread(total: int, over: Sequence[int]) -> list[int]:
    """A total in whole parts proportional to amounts, whose sum it does not exceed: the largest remainders round up.

    Of equal remainders the first does. A negative amount among positive ones gets a negative part.

    >>> spread(100, [500, 500, 500]), spread(10, [150, -50])
    ([34, 33, 33], [15, -5])
    """
    whole = sum(over) or 1
    spreads = [total * amount // whole for amount in over]
    by_remainder = sorted(range(len(over)), key=lambda at: -(total * over[at] % whole))
    for at in by_remainder[: total - sum(spreads)]:
        spreads[at] += 1
    return spreads
