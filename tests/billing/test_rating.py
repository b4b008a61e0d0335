"""What usage costs, by every model: cases worked by hand or printed by others, and what holds for all."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veloflux.billing.arithmetic.rating import Rated, rate, rounded
from veloflux.errors import PriceMissing
from veloflux.plans.prices import Tier, UsageCharge, UsagePrice

FEBRUARY = 29 * 86_400


def tiers(*rows: tuple[str | None, str] | tuple[str | None, str, str]) -> tuple[Tier, ...]:
    return tuple(Tier(up_to=row[0], unit=row[1], flat=row[2] if len(row) > 2 else "0") for row in rows)


def charge(model: str = "per_unit", currency: str = "USD", **terms: object) -> UsageCharge:
    """A charge in one currency; what a price has goes there, all else to the charge."""
    price = {name: terms.pop(name) for name in UsagePrice.__struct_fields__ if name in terms}
    return UsageCharge(meter="used", model=model, prices={currency: UsagePrice(**price)}, **terms)  # type: ignore[arg-type]


def cents(
    of: UsageCharge, quantity: str | Decimal, fees: int = 0, share: tuple[int, int] = (1, 1), places: int = 0
) -> int:
    [currency] = of.prices
    lines = rate(of, currency, Decimal(quantity), Decimal(fees), share=share, places=places)
    return sum(rounded(line, currency) for line in lines)


class Case(NamedTuple):
    name: str
    charge: UsageCharge
    expected: dict[str, int]
    """Cents by quantity."""


FONTS = tiers(("5", "7"), ("10", "6.50"), (None, "6"))
WITH_FLATS = tiers(("5", "5", "10"), ("10", "4", "20"), (None, "3", "30"))
CALLS = tiers(("100", "1"), ("200", "0.50"), (None, "0.10"))
LAGO_VOLUME = tiers(
    ("10000", "0.0010", "10"), ("50000", "0.0008", "10"), ("100000", "0.0006", "10"), (None, "0.0004", "10")
)
FINE = tiers(("0.5", "1"), ("1.25", "2"), (None, "4"))
FREE_TIER = tiers(("1000", "0"), (None, "0.002"))

CASES = [
    Case(
        "per unit: a price below the cent is rounded in the line, half up",
        charge(unit="0.0025"),
        {"0": 0, "1": 0, "2": 1, "3": 1, "1000000": 250_000},
    ),
    Case(
        "per unit: twelve places",
        charge(unit="0.000000000001"),
        {"1000000000000": 100, "4999999999": 0, "5000000000": 1},
    ),
    Case(
        "per unit: included, then overage",
        charge(unit="0.10", included="200"),
        {"199": 0, "200": 0, "201": 10, "250": 500},
    ),
    Case(
        "per unit: a part of a unit, and of what is included", charge(unit="3", included="1.5"), {"1.5": 0, "2.25": 225}
    ),
    Case("per unit: a sum corrected below zero is no credit", charge(unit="5"), {"-3": 0}),
    Case("per unit: a currency without decimals", charge(currency="JPY", unit="0.5"), {"1": 1, "2": 1, "3": 2}),
    Case("per unit: a currency with three decimals", charge(currency="KWD", unit="0.0005"), {"1": 1, "3": 2}),
    Case(
        "graduated: Stripe, tiered pricing, 7 for 1-5, 6.50 for 6-10, 6 beyond",
        charge("graduated", tiers=FONTS),
        {"1": 700, "5": 3_500, "6": 4_150, "20": 12_750, "25": 15_750},
    ),
    Case(
        "graduated: Lago, 1 for the first 100, 0.50 for the next, 0.10 for more",
        charge("graduated", tiers=CALLS),
        {"100": 10_000, "101": 10_050, "200": 15_000, "201": 15_010, "1000": 23_000},
    ),
    Case(
        "graduated: Autumn, 15,000 requests over 1,000 and 10,000",
        charge("graduated", tiers=tiers(("1000", "0.01"), ("10000", "0.008"), (None, "0.005"))),
        {"15000": 10_700},
    ),
    Case(
        "graduated: Zuplo, 15,000 units over 1,000 and 10,000",
        charge("graduated", tiers=tiers(("1000", "0.10"), ("10000", "0.05"), (None, "0.01"))),
        {"15000": 60_000},
    ),
    Case(
        "graduated: a flat fee for each tier that is reached, and none when nothing is used",
        charge("graduated", tiers=WITH_FLATS),
        {"0": 0, "-2": 0, "1": 1_500, "5": 3_500, "6": 5_900, "10": 7_500, "11": 10_800},
    ),
    Case(
        "graduated: the first tier's flat when nothing is used, if the charge says so",
        charge("graduated", tiers=WITH_FLATS, bill_first_tier_when_unused=True),
        {"0": 1_000, "-2": 1_000, "1": 1_500, "6": 5_900},
    ),
    Case(
        "graduated: boundaries between whole units",
        charge("graduated", tiers=FINE),
        {"0.5": 50, "0.75": 100, "1.25": 200, "2": 500},
    ),
    Case(
        "graduated: tiers begin after what is included",
        charge("graduated", tiers=CALLS, included="50"),
        {"50": 0, "150": 10_000, "151": 10_050},
    ),
    Case("graduated: a free tier", charge("graduated", tiers=FREE_TIER), {"1000": 0, "1500": 100}),
    Case(
        "graduated: each tier is a line, rounded by itself",
        charge("graduated", tiers=tiers(("1", "0.005"), (None, "0.005"))),
        {"1": 1, "2": 2, "3": 2},
    ),
    Case(
        "volume: Stripe, tiered pricing, 7 for 1-5, 6.50 for 6-10, 6 beyond",
        charge("volume", tiers=FONTS),
        {"1": 700, "5": 3_500, "6": 3_900, "20": 12_000, "25": 15_000},
    ),
    Case(
        "volume: Lago, 65,000 calls",
        charge("volume", tiers=LAGO_VOLUME),
        {"65000": 4_900, "100000": 7_000, "100001": 5_000},
    ),
    Case(
        "volume: Zuplo, 15,000 units",
        charge("volume", tiers=tiers(("1000", "0.10"), ("10000", "0.05"), (None, "0.01"))),
        {"15000": 15_000},
    ),
    Case(
        "volume: the flat of one tier, and none when nothing is used",
        charge("volume", tiers=WITH_FLATS),
        {"0": 0, "5": 3_500, "6": 4_400, "10": 6_000, "11": 6_300},
    ),
    Case(
        "volume: the first tier's flat when nothing is used, if the charge says so",
        charge("volume", tiers=WITH_FLATS, bill_first_tier_when_unused=True),
        {"0": 1_000, "6": 4_400},
    ),
    Case(
        "volume: boundaries between whole units",
        charge("volume", tiers=FINE),
        {"0.5": 50, "0.51": 102, "1.25": 250, "1.26": 504},
    ),
    Case(
        "volume: the tier of what is beyond the included",
        charge("volume", tiers=FONTS, included="10"),
        {"10": 0, "15": 3_500, "16": 3_900},
    ),
    Case(
        "package: Lago, 5 for 100 units, the first 100 free",
        charge("package", unit="5", package="100", included="100"),
        {"100": 0, "101": 500, "200": 500, "201": 1_000},
    ),
    Case(
        "package: begun is bought",
        charge("package", unit="15", package="1000"),
        {"0": 0, "0.001": 1_500, "1000": 1_500, "1000.001": 3_000},
    ),
    Case("package: smaller than a unit", charge("package", unit="0.01", package="0.3"), {"0.3": 1, "0.9": 3, "1": 4}),
    Case(
        "percentage: Stripe's 2.9 % of the amount",
        charge("percentage", percent="2.9"),
        {"100": 290, "10.17": 29, "0.17": 0},
    ),
    Case(
        "percentage: beyond what is included",
        charge("percentage", percent="1.2", included="500"),
        {"500": 0, "1500": 1_200},
    ),
    Case(
        "minimum: Lago, 0.010 a tracked user, 100 at least",
        charge(unit="0.010", minimum="100"),
        {"0": 10_000, "5000": 10_000, "10000": 10_000, "10001": 10_001},
    ),
    Case("minimum: a sum corrected below zero costs it too", charge(unit="1", minimum="2"), {"-9": 200}),
    Case(
        "maximum: never more, to the cent",
        charge(unit="0.10", maximum="5"),
        {"49": 490, "50": 500, "51": 500, "9999": 500},
    ),
    Case(
        "minimum and maximum: exact over lines that are rounded by themselves",
        charge("graduated", tiers=tiers(("1", "0.005"), (None, "0.005")), minimum="0.02", maximum="0.03"),
        {"0": 2, "1": 2, "2": 2, "5": 3, "6": 3, "99": 3},
    ),
    Case(
        "minimum equal to maximum: a fixed price",
        charge(unit="1", minimum="5", maximum="5"),
        {"0": 500, "5": 500, "9": 500},
    ),
]


@pytest.mark.parametrize(
    ("charge", "quantity", "expected"),
    [
        pytest.param(case.charge, quantity, expected, id=f"{case.name}; {quantity}")
        for case in CASES
        for quantity, expected in case.expected.items()
    ],
)
def test_the_amount_of(charge: UsageCharge, quantity: str, expected: int) -> None:
    assert cents(charge, quantity) == expected


PAYMENTS = charge("percentage", percent="2.9", fee="0.30")
FREE_FEES = charge("percentage", percent="1.2", fee="0.10", included="500", free_fees=3)


@pytest.mark.parametrize(
    ("charge", "amount", "fees", "expected"),
    [
        pytest.param(
            PAYMENTS, "100", 1, 320, id="Lago's template of Stripe, online cards: 2.9 % and 0.30, one payment"
        ),
        pytest.param(PAYMENTS, "1000", 10, 3_200, id="the same, ten payments"),
        pytest.param(PAYMENTS, "0", 2, 60, id="fees of payments that sum to nothing"),
        pytest.param(FREE_FEES, "500", 3, 0, id="all within what is free"),
        pytest.param(FREE_FEES, "600", 5, 140, id="100 beyond the included, 2 fees beyond the free"),
        pytest.param(FREE_FEES, "100", 4, 10, id="only a fee beyond"),
        pytest.param(FREE_FEES, "-100", -4, 0, id="both corrected below zero"),
    ],
)
def test_percentage_and_fees(charge: UsageCharge, amount: str, fees: int, expected: int) -> None:
    assert cents(charge, amount, fees) == expected


HALF = (1, 2)
DAYS_10_OF_29 = (10 * 86_400, FEBRUARY)


@pytest.mark.parametrize(
    ("charge", "quantity", "share", "places", "expected"),
    [
        pytest.param(charge(unit="1", included="100"), "60", HALF, 0, 1_000, id="half of what is included"),
        pytest.param(
            charge(unit="1", included="101"), "51", HALF, 0, 0, id="50.5 included is 51 of a meter without places"
        ),
        pytest.param(charge(unit="1", included="101"), "51", HALF, 1, 50, id="and 50.5 of one with one place"),
        pytest.param(charge(unit="1", included="100"), "35", DAYS_10_OF_29, 0, 100, id="100 * 10/29 = 34.48, so 34"),
        pytest.param(charge(unit="1", included="100"), "35", DAYS_10_OF_29, 2, 52, id="34.48 with two places"),
        pytest.param(charge(unit="1", minimum="100"), "1", DAYS_10_OF_29, 0, 3_448, id="a minimum of 34.48"),
        pytest.param(charge(unit="1", maximum="100"), "99", DAYS_10_OF_29, 0, 3_448, id="a maximum of 34.48"),
        pytest.param(charge(unit="1", minimum="0.01"), "0", HALF, 0, 1, id="a minimum of half a cent is a cent"),
        pytest.param(charge("graduated", tiers=WITH_FLATS), "6", HALF, 0, 5_900, id="tiers and flats as they are"),
        pytest.param(charge("volume", tiers=FONTS), "6", HALF, 0, 3_900, id="the tier that all of it falls into"),
        pytest.param(
            charge("package", unit="5", package="100", included="100"), "201", HALF, 0, 1_000, id="packages are whole"
        ),
        pytest.param(charge(unit="1", included="100"), "1", (0, 1), 0, 100, id="no time at all: nothing is included"),
    ],
)
def test_a_partial_period(
    charge: UsageCharge, quantity: str, share: tuple[int, int], places: int, expected: int
) -> None:
    assert cents(charge, quantity, share=share, places=places) == expected


def test_free_fees_of_a_partial_period_are_whole() -> None:
    assert cents(charge("percentage", fee="0.10", free_fees=3), "0", fees=5, share=HALF) == 30


def test_the_worked_example_comes_to_45_74() -> None:
    usage = {
        "30000": charge(unit="0.001", included="25000"),
        "250": charge(unit="0.10", included="200"),
        "2800": charge(unit="0.015", included="2500"),
        "8000": charge(unit="0.008", included="10000"),
        "30": charge(unit="0.25", included="25"),
    }
    amounts = [cents(of, quantity) for quantity, of in usage.items()]
    assert amounts == [500, 500, 450, 0, 125]
    assert 2_999 + sum(amounts) == 4_574


def test_the_lines_of_a_charge_say_what_they_are() -> None:
    bounded = charge("graduated", tiers=WITH_FLATS, maximum="50")
    assert rate(bounded, "USD", Decimal(6)) == [
        Rated(kind="units", quantity=Decimal(5), unit=Decimal(5), amount=Decimal(25), tier=1),
        Rated(kind="flat", unit=Decimal(10), amount=Decimal(10), tier=1),
        Rated(kind="units", quantity=Decimal(1), unit=Decimal(4), amount=Decimal(4), tier=2),
        Rated(kind="flat", unit=Decimal(20), amount=Decimal(20), tier=2),
        Rated(kind="maximum", amount=Decimal(-9)),
    ]
    assert [line.kind for line in rate(PAYMENTS, "USD", Decimal(1), Decimal(1))] == ["percent", "fee"]
    [packages] = rate(charge("package", unit="5", package="100"), "USD", Decimal(101))
    assert (packages.kind, packages.quantity) == ("package", 2)


def test_what_costs_nothing_has_no_line() -> None:
    assert rate(charge(unit="1", included="5"), "USD", Decimal(5)) == []
    assert [line.tier for line in rate(charge("graduated", tiers=FREE_TIER), "USD", Decimal(1_001))] == [2]
    at_its_bounds = charge(unit="1", minimum="5", maximum="5")
    assert [line.kind for line in rate(at_its_bounds, "USD", Decimal(5))] == ["units"]


def test_a_charge_without_a_price_in_the_currency_is_an_error() -> None:
    with pytest.raises(PriceMissing, match="used has no price in BRL"):
        rate(charge(unit="1"), "BRL", Decimal(1))


prices = st.decimals("0", "999", places=12).map(lambda price: format(price, "f"))
quantities = st.decimals("0", "100000", places=3)


@st.composite
def schedules(draw: st.DrawFn, *, flats: bool = False) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(st.decimals("0.001", "90000", places=3), max_size=5)))
    flat = prices if flats else st.just("0")
    return tuple(Tier(up_to=end, unit=draw(prices), flat=draw(flat)) for end in [*map(str, ends), None])


def exact(lines: Sequence[Rated]) -> Fraction:
    return sum((Fraction(line.amount) for line in lines), Fraction())


def rated(model: str, schedule: tuple[Tier, ...], quantity: Decimal) -> Sequence[Rated]:
    return rate(charge(model, tiers=schedule), "USD", quantity)


@given(schedules(flats=True), quantities, quantities)
def test_a_graduated_amount_never_falls_as_the_quantity_grows(
    schedule: tuple[Tier, ...], one: Decimal, other: Decimal
) -> None:
    less, more = sorted([one, other])
    assert exact(rated("graduated", schedule, less)) <= exact(rated("graduated", schedule, more))


@given(schedules(), quantities, quantities)
def test_a_graduated_amount_without_flats_has_no_jumps(
    schedule: tuple[Tier, ...], one: Decimal, other: Decimal
) -> None:
    less, more = sorted([one, other])
    growth = exact(rated("graduated", schedule, more)) - exact(rated("graduated", schedule, less))
    units = [Fraction(tier.unit) for tier in schedule]
    assert min(units) * Fraction(more - less) <= growth <= max(units) * Fraction(more - less)


@given(schedules(flats=True), st.integers(0, 200))
def test_a_graduated_amount_is_the_sum_of_its_units_and_of_the_flats_reached(
    schedule: tuple[Tier, ...], quantity: int
) -> None:
    """Counted unit by unit of a thousandth, of which `quantity` are used."""
    expected, begun = Fraction(), set()
    for number in range(1, quantity + 1):
        at = Fraction(number, 1_000)
        tier = next(one for one in schedule if one.up_to is None or at <= Fraction(one.up_to))
        expected += Fraction(tier.unit) / 1_000 + (Fraction(tier.flat) if tier not in begun else 0)
        begun.add(tier)
    assert exact(rated("graduated", schedule, Decimal(quantity).scaleb(-3))) == expected


@given(schedules(flats=True), quantities)
def test_volume_prices_the_whole_quantity_by_one_tier(schedule: tuple[Tier, ...], quantity: Decimal) -> None:
    tier = next(one for one in schedule if one.up_to is None or quantity <= Decimal(one.up_to))
    lines = rated("volume", schedule, quantity)
    assert {line.tier for line in lines} <= {schedule.index(tier) + 1}
    flat = Fraction(tier.flat) if quantity else 0
    assert exact(lines) == Fraction(tier.unit) * Fraction(quantity) + flat


@given(st.sampled_from(["graduated", "volume"]), prices, quantities)
def test_one_open_tier_is_a_price_per_unit(model: str, unit: str, quantity: Decimal) -> None:
    tiered = rated(model, (Tier(unit=unit),), quantity)
    assert exact(tiered) == exact(rate(charge(unit=unit), "USD", quantity)) == Fraction(unit) * Fraction(quantity)


@given(st.sampled_from(["graduated", "volume"]), schedules(flats=True), quantities, quantities)
def test_what_is_included_comes_off_before_any_tier(
    model: str, schedule: tuple[Tier, ...], used: Decimal, included: Decimal
) -> None:
    whole = rate(charge(model, tiers=schedule, included=format(included, "f")), "USD", used)
    assert whole == rated(model, schedule, max(used - included, Decimal(0)))


@given(quantities, st.decimals("0.001", "500", places=3))
def test_packages_are_as_few_as_hold_the_quantity(quantity: Decimal, size: Decimal) -> None:
    lines = rate(charge("package", unit="1", package=format(size, "f")), "USD", quantity)
    bought = sum((line.quantity for line in lines), Decimal(0))
    assert (bought - 1) * size < quantity <= bought * size


@given(schedules(flats=True), quantities, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, FEBRUARY))
def test_a_charge_lies_between_its_minimum_and_its_maximum(
    schedule: tuple[Tier, ...], quantity: Decimal, one: int, other: int, part: int
) -> None:
    least, most = sorted([one, other])
    bounded = charge("graduated", tiers=schedule, minimum=str(least), maximum=str(most))
    share = Fraction(part, FEBRUARY) * 100
    cost = cents(bounded, quantity, share=(part, FEBRUARY))
    assert least * share - Fraction(1, 2) < cost <= most * share + Fraction(1, 2)
