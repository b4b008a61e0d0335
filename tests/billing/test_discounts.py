"""Coupons: what they count on, how they stack, how they are spread, how long they last."""

from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.composing import AMOUNTS, amount_off, charges, coupon_lists, line_lists, percent_off, tried
from veloflux.billing.arithmetic.discounts import COUNTED_ON, Redemption, after, discounted, redeem, spread
from veloflux.billing.arithmetic.lines import Kind, Line, net
from veloflux.errors import PriceMissing
from veloflux.plans.prices import Coupon


def fixed(*amounts: int) -> list[Line]:
    return [Line("fixed", "Pro", amount) for amount in amounts]


@pytest.mark.parametrize(
    ("lines", "coupons", "expected"),
    [
        pytest.param([], [percent_off("10")], [], id="no line, no discount"),
        pytest.param(fixed(2999), [percent_off("10")], [300], id="10 % of 29.99 = 2.999, half up"),
        pytest.param(fixed(2995), [percent_off("10")], [300], id="10 % of 29.95 = 2.995: a half goes up"),
        pytest.param(fixed(2994), [percent_off("10")], [299], id="10 % of 29.94 = 2.994"),
        pytest.param(fixed(100), [percent_off("33.333333")], [33], id="six places of a percentage"),
        pytest.param(fixed(2999, 1), [percent_off("100")], [2999, 1], id="100 % leaves nothing"),
        pytest.param(fixed(2999), [percent_off("0")], [0], id="0 % takes nothing"),
        # 5, 10, 15 % of 100.00, one after another (Zuora, "Stacked discounts", not stacked): 5.00, 9.50, 12.825
        pytest.param(
            fixed(10000),
            [percent_off("5"), percent_off("10"), percent_off("15")],
            [500 + 950 + 1283],
            id="three of 100.00",
        ),
        # Flexprice, "Billing calculation order": two of 10 % are 19 %, not 20 %
        pytest.param(fixed(10000), [percent_off("10"), percent_off("10")], [1900], id="two of 10 % are 19 %"),
        pytest.param(
            fixed(10000), [amount_off("20"), percent_off("10")], [3000], id="percentages first: 10.00 + 20.00"
        ),
        pytest.param(fixed(10000), [percent_off("10"), amount_off("20")], [3000], id="whichever was attached first"),
        pytest.param(fixed(1000), [amount_off("20")], [1000], id="an amount never takes more than there is"),
        pytest.param(fixed(1000), [amount_off("6"), amount_off("6")], [1000], id="nor do two"),
        pytest.param(
            fixed(500, 500, 500), [amount_off("1")], [34, 33, 33], id="1.00 over three: the first has the cent"
        ),
        pytest.param(fixed(100, 200, 700), [amount_off("1")], [10, 20, 70], id="in proportion"),
        # 0.05 over 1.00, 2.00, 4.00: shares of 0.714, 1.428 and 2.857 cents; 0, 1, 2, and the two largest rests go up
        pytest.param(fixed(100, 200, 400), [amount_off("0.05")], [1, 1, 3], id="the largest rests go up"),
        # 10 % of 0.05 + 0.05 + 0.05 = 0.015: 0.02 in all, of which no line is due a cent by itself
        pytest.param(fixed(5, 5, 5), [percent_off("10")], [1, 1, 0], id="a percentage is rounded once, on the sum"),
        pytest.param(fixed(0, 2999), [amount_off("5")], [0, 500], id="a line of nothing takes no part"),
        # usage of 150.00, 50.00 beyond its maximum: 10 % of the 100.00 that it comes to
        pytest.param(
            [Line("usage", "Requests", 15000), Line("maximum", "Requests", -5000)],
            [percent_off("10")],
            [1500, -500],
            id="of what a maximum leaves",
        ),
        pytest.param(
            [Line("fixed", "Pro", 10000), Line("credit", "Free", -3000)],
            [percent_off("50")],
            [5000, 0],
            id="not of a credit",
        ),
        pytest.param([Line("credit", "Pro", -3000)], [amount_off("5")], [0], id="nothing of a credit alone"),
        pytest.param(
            [Line("usage", "Late", 1000), Line("maximum", "Late", -1500), Line("item", "Training", 9900)],
            [percent_off("10"), amount_off("5")],
            [0, 0, 0],
            id="nothing of less than nothing",
        ),
        # what was discounted before it was prorated: 227.59 less 10 % is on the line, no coupon takes it again
        pytest.param(
            [Line("debit", "Pro", 22759, discount=2276)], [percent_off("10")], [2276], id="a debit keeps its own"
        ),
        pytest.param(
            [Line("fixed", "Pro", 1000, discount=200)],
            [percent_off("10")],
            [280],
            id="of what an earlier discount left",
        ),
        pytest.param(
            [Line("fixed", "Pro", 1000, plan="pro"), Line("fixed", "Old", 1000, plan="old")],
            [percent_off("10", "pro", "team")],
            [100, 0],
            id="of the lines of its plans",
        ),
        pytest.param(
            [Line("fixed", "Pro", 1000, plan="pro"), Line("add_on", "Support", 500)],
            [percent_off("10", "pro")],
            [100, 0],
            id="an add-on is of no plan",
        ),
        pytest.param(
            [Line("fixed", "Pro", 1000, plan="pro"), Line("add_on", "Support", 500)],
            [amount_off("30", "pro"), percent_off("10")],
            [1000, 50],
            id="an amount for one plan ends at its lines",
        ),
    ],
)
def test_a_coupon_takes(lines: Sequence[Line], coupons: Sequence[Coupon], expected: Sequence[int]) -> None:
    found, taken = discounted(lines, coupons, "USD")
    assert [line.discount for line in found] == expected
    assert sum(taken.values()) == sum(expected) - sum(line.discount for line in lines)
    assert [(line.kind, line.amount) for line in found] == [(line.kind, line.amount) for line in lines]


@pytest.mark.parametrize("kind", ["fixed", "usage", "flat", "package", "percent", "fee", "minimum", "add_on"])
def test_a_coupon_counts_on_charges_usage_and_add_ons(kind: Kind) -> None:
    [line] = discounted([Line(kind, "x", 1000)], [percent_off("10")], "USD")[0]
    assert line.discount == 100


@pytest.mark.parametrize("kind", sorted(set(get_args(Kind)) - COUNTED_ON))
def test_a_coupon_does_not_count_on_what_was_agreed_or_discounted_before(kind: Kind) -> None:
    assert discounted([Line(kind, "x", 1000)], [percent_off("10")], "USD") == ((Line(kind, "x", 1000),), {})


def test_each_coupon_says_what_it_took() -> None:
    coupons = [
        amount_off("5", coupon="five"),
        percent_off("10", coupon="ten"),
        percent_off("50", "none", coupon="half"),
    ]
    assert discounted(fixed(2999), coupons, "USD")[1] == {"ten": 300, "five": 500}


def test_an_amount_is_of_the_currency_of_the_invoice() -> None:
    coupon = Coupon(id="five", name="Five", amounts={"USD": "5", "JPY": "700"})
    assert discounted(fixed(2999), [coupon], "JPY")[1] == {"five": 700}
    with pytest.raises(PriceMissing, match="five has no amount in BRL"):
        discounted(fixed(2999), [coupon], "BRL")


@pytest.mark.parametrize(
    ("coupon", "lives"),
    [
        (percent_off("10"), [1]),
        (Coupon(id="c", name="C", percent="10", duration="periods", periods=3), [3, 2, 1]),
        (Coupon(id="c", name="C", percent="10", duration="forever"), [None] * 5),
    ],
    ids=["once: the next invoice", "three periods: three invoices", "forever: all of them"],
)
def test_a_coupon_lasts(coupon: Coupon, lives: list[int | None]) -> None:
    redemption: Redemption | None = redeem(coupon)
    found: list[int | None] = []
    while redemption and len(found) < 5:
        found.append(redemption.left)
        redemption = after(redemption, discounted(fixed(2999), [coupon], "USD")[1])
    assert found == lives


def test_an_invoice_from_which_nothing_was_taken_does_not_use_a_coupon_up() -> None:
    coupon = percent_off("10")
    nothing = discounted([Line("item", "Training", 9900)], [coupon], "USD")[1]
    assert after(redeem(coupon), nothing) == redeem(coupon)


@given(lines=line_lists, coupons=coupon_lists)
@tried
def test_no_discount_exceeds_its_line(lines: list[Line], coupons: list[Coupon]) -> None:
    found, taken = discounted(lines, coupons, "USD")
    assert all(0 <= line.discount <= max(line.amount, 0) for line in found)
    assert sum(line.discount for line in found) == sum(taken.values())
    assert net(found) >= sum(line.amount for line in lines if line.amount < 0)


@given(lines=line_lists, coupons=coupon_lists, data=st.data())
@tried
def test_the_order_of_the_lines_is_irrelevant(lines: list[Line], coupons: list[Coupon], data: st.DataObject) -> None:
    found, taken = discounted(lines, coupons, "USD")
    again, taken_again = discounted(data.draw(st.permutations(lines)), coupons, "USD")
    assert (sorted(again), taken_again) == (sorted(found), taken)


@given(lines=st.lists(charges, max_size=8), amount=st.integers(0, 10**7))
@tried
def test_one_amount_takes_all_of_itself_or_all_there_is(lines: list[Line], amount: int) -> None:
    there = sum(line.amount for line in lines if line.kind in COUNTED_ON)
    _, taken = discounted(lines, [amount_off(f"{amount // 100}.{amount % 100:02}")], "USD")
    assert sum(taken.values()) == min(amount, there)


@given(over=st.lists(AMOUNTS, min_size=1, max_size=9), data=st.data())
@tried
def test_what_is_spread_is_within_one_of_its_proportion(over: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(over)))
    parts = spread(total, over)
    assert sum(parts) == total
    assert all(
        abs(part * sum(over) - total * amount) < max(sum(over), 1) for part, amount in zip(parts, over, strict=True)
    )
