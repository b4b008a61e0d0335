"""A spend cap becomes a quantity: what costs no more, while one unit more would."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.billing.spending import charge, meter, plan
from veloflux.billing.arithmetic.cycle import Offer
from veloflux.billing.arithmetic.usage_lines import Priced
from veloflux.billing.model import Phase, Selection
from veloflux.billing.spend.cap import MOST, quantity_within
from veloflux.plans.prices import UsageCharge

GRADUATED = {"tiers": [{"up_to": "100", "unit": "0.50"}, {"up_to": "200", "unit": "0.10", "flat": "3"}, {"unit": "1"}]}
VOLUME = {"tiers": [{"up_to": "100", "unit": "0.50"}, {"unit": "0.10"}]}


def priced(charge_: UsageCharge, places: int = 0, share: tuple[int, int] = (1, 1)) -> Priced:
    offer = Offer(plan(charge_), {}, {}, "USD")
    phase = Phase(start=0, end=1, selection=Selection(plan="hybrid", plan_version=1), share=share)
    return Priced(offer, phase, {charge_.meter: meter(charge_.meter, places)})


@pytest.mark.parametrize(
    ("model", "price", "more", "cap", "expected"),
    [
        ("per_unit", {"unit": "0.10"}, {"included": "200"}, 500, 250),
        ("per_unit", {"unit": "0.001"}, {}, 0, 4),  # 0.4 cents are none, 0.5 are one
        ("per_unit", {"unit": "0"}, {}, 0, None),
        ("per_unit", {"unit": "0.10", "maximum": "5"}, {}, 500, None),
        ("per_unit", {"unit": "0.10", "maximum": "5"}, {}, 499, 49),
        ("per_unit", {"unit": "0.10", "minimum": "5"}, {}, 499, -1),
        ("graduated", GRADUATED, {}, 5_000, 100),  # the next unit brings the flat fee
        ("graduated", GRADUATED, {}, 5_309, 100),
        ("graduated", GRADUATED, {}, 5_310, 101),
        ("graduated", GRADUATED, {"included": "10"}, 6_300, 210),
        ("graduated", GRADUATED, {}, 6_500, 202),
        ("volume", VOLUME, {}, 4_999, 99),  # 101 units would cost less again
        ("volume", VOLUME, {}, 5_000, 500),
        ("package", {"unit": "2"}, {"package": "100"}, 500, 200),
        ("percentage", {"percent": "2.5"}, {"included": "100"}, 250, 200),
    ],
)
def test_the_largest_quantity_within_a_cap(
    model: str, price: dict[str, Any], more: dict[str, Any], cap: int, expected: int | None
) -> None:
    row = charge("calls", model, price, **more)
    assert quantity_within(priced(row), row, cap, {}) == expected


def test_a_part_of_a_period_has_its_part_of_what_is_included() -> None:
    row = charge("calls", "per_unit", {"unit": "0.10"}, included="201")
    assert quantity_within(priced(row, share=(1, 2)), row, 100, {}) == 111


def test_fees_of_another_meter_take_their_part() -> None:
    row = charge("sold", "percentage", {"percent": "10", "fee": "0.30"}, fees_meter="sales")
    assert quantity_within(priced(row, places=2), row, 500, {"sales": Decimal(10)}) == 20_04  # 200.4 cents are 200


prices = st.decimals("0", "5", places=4).map(str)
quantities = st.integers(1, 10**6).map(lambda tenths: str(Decimal(tenths) / 10))
tiers = st.builds(
    lambda ends, units, flats: [
        {"unit": unit, "flat": flat} | ({"up_to": str(end)} if end is not None else {})
        for end, unit, flat in zip([*ends, None], units, flats, strict=False)
    ],
    st.lists(st.integers(1, 10**6), unique=True, min_size=1, max_size=4).map(sorted),
    st.lists(prices, min_size=5, max_size=5),
    st.lists(prices, min_size=5, max_size=5),
)
bounds = st.fixed_dictionaries(
    {}, optional={"minimum": st.sampled_from(["0", "1.50"]), "maximum": st.sampled_from(["40", "2000.01"])}
)
rows = st.one_of(
    st.tuples(st.just("per_unit"), st.fixed_dictionaries({"unit": prices}), st.just({})),
    st.tuples(st.sampled_from(["graduated", "volume"]), st.fixed_dictionaries({"tiers": tiers}), st.just({})),
    st.tuples(
        st.just("package"), st.fixed_dictionaries({"unit": prices}), st.fixed_dictionaries({"package": quantities})
    ),
    st.tuples(
        st.just("percentage"), st.fixed_dictionaries({"percent": st.sampled_from(["0.01", "2.9", "100"])}), st.just({})
    ),
)


@given(rows, bounds, quantities | st.just("0"), st.integers(0, 10**6), st.data())
def test_it_is_the_inverse_of_rating(
    row: tuple[str, dict[str, Any], dict[str, Any]],
    bound: dict[str, str],
    included: str,
    cap: int,
    data: st.DataObject,
) -> None:
    places, days = data.draw(st.integers(0, 3)), data.draw(st.integers(1, 31))
    model, price, more = row
    charge_ = charge("calls", model, price | bound, included=included, **more)
    of = priced(charge_, places, (days, 31))

    def cost(quantity: int) -> int:
        return of.total(charge_, {"calls": Decimal(quantity).scaleb(-places)})

    found = quantity_within(of, charge_, cap, {})
    last = MOST if found is None else found
    if last >= 0:
        assert cost(last) <= cap
        assert cost(data.draw(st.integers(0, last))) <= cap
    if found is not None:
        assert cost(found + 1) > cap


@given(rows, st.integers(0, 10**5), st.integers(0, 10**5))
def test_a_larger_cap_allows_no_less(row: tuple[str, dict[str, Any], dict[str, Any]], one: int, other: int) -> None:
    model, price, more = row
    assume(one != other)
    charge_ = charge("calls", model, price, **more)
    low, high = (quantity_within(priced(charge_), charge_, cap, {}) for cap in sorted((one, other)))
    assert high is None or (low is not None and low <= high)
