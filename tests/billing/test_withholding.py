"""What a tenant withholds: by service, half up, unless a law dispenses it."""

from collections.abc import Sequence

import msgspec
import pytest

from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.withholding import Withheld, Withholding, withhold

IRRF = Withholding(name="IRRF", percent="1.5", dispensed="10")
PIS = Withholding(name="PIS", percent="0.65")
COFINS = Withholding(name="COFINS", percent="3")
CSLL = Withholding(name="CSLL", percent="1")
ISS = Withholding(name="ISS", percent="5")
CSRF = Withholding(name="CSRF", percent="4.65", dispensed="10")
"""PIS, COFINS and CSLL together, as one collection document pays them."""


@pytest.mark.parametrize(
    ("amounts", "withholdings", "expected", "net"),
    [
        # a service of R$ 10,000.00, by the rates of Lei 10.833/2003, art. 31, and RIR/2018, art. 714
        pytest.param(
            [1_000_000], [IRRF, PIS, COFINS, CSLL, ISS], [15000, 6500, 30000, 10000, 50000], 888_500, id="all five"
        ),
        pytest.param([1_000_000], [IRRF, CSRF], [15000, 46500], 938_500, id="the three as one of 4.65 %"),
        pytest.param([1_000_000], [], [], 1_000_000, id="who withholds nothing"),
        # Lei 13.137/2015: of R$ 215.05 on, 4.65 % are R$ 9.9998; R$ 10.00 are dispensed
        pytest.param([21505], [CSRF], [], 21505, id="R$ 215.05: R$ 10.00 is dispensed"),
        pytest.param([21516], [CSRF], [], 21516, id="R$ 215.16: 10.00494, still R$ 10.00"),
        pytest.param([21517], [CSRF], [1001], 20516, id="R$ 215.17: 10.005405 is more"),
        # Lei 9.430/1996, art. 67: 1.5 % of R$ 666.66 are R$ 9.9999
        pytest.param([66666], [IRRF], [], 66666, id="R$ 666.66: IRRF of R$ 10.00 is dispensed"),
        pytest.param([66700], [IRRF], [1001], 65699, id="R$ 667.00: IRRF of 10.005 goes up"),
        pytest.param([1234567], [PIS], [8025], 1226542, id="0.65 % of R$ 12,345.67 = 80.2469"),
        pytest.param([50, 50], [ISS], [5], 95, id="of the sum of the lines"),
        pytest.param([10, 10], [ISS], [1], 19, id="which is rounded once: two of 0.5"),
        pytest.param([100000, -40000], [ISS], [3000], 57000, id="a credit counts against it"),
        pytest.param([-100000], [ISS], [], -100000, id="nothing of less than nothing"),
        pytest.param([3], [msgspec.structs.replace(ISS, percent="50")] * 3, [2, 1], 0, id="never more than there is"),
    ],
)
def test_a_tenant_withholds(
    amounts: list[int], withholdings: Sequence[Withholding], expected: list[int], net: int
) -> None:
    found = withhold([Line("fixed", "Pro", one) for one in amounts], withholdings, {}, sum(amounts), "BRL")
    assert [one.amount for one in found] == expected
    assert sum(amounts) - sum(expected) == net


def test_a_withholding_is_of_the_lines_of_its_services() -> None:
    lines = [
        Line("fixed", "Pro", 100_000, plan="pro"),
        Line("fixed", "Data", 50_000, plan="data"),
        Line("item", "Visit", 900),
    ]
    iss = Withholding(name="ISS", percent="2", services=("1.05", "17.01"))
    found = withhold(lines, [iss, CSLL], {"pro": "1.05", "data": "1.03", "": "17.01"}, 150_900, "BRL")
    assert found == (Withheld("ISS", "2", 100_900, 2018), Withheld("CSLL", "1", 150_900, 1509))


def test_a_line_whose_service_nobody_knows_is_of_none() -> None:
    iss = Withholding(name="ISS", percent="2", services=("1.05", "pro"))
    assert withhold([Line("fixed", "Pro", 100_000, plan="pro")], [iss], {}, 100_000, "BRL") == ()


def test_the_base_is_what_a_discount_leaves() -> None:
    [found] = withhold([Line("fixed", "Pro", 100_000, discount=10_000)], [ISS], {}, 90_000, "BRL")
    assert (found.base, found.amount) == (90_000, 4500)


@pytest.mark.parametrize(("amount", "withheld"), [(20, 0), (40, 2)])
def test_what_is_dispensed_may_have_more_places_than_the_currency(amount: int, withheld: int) -> None:
    one = Withholding(name="W", percent="5", dispensed="1.5")
    found = withhold([Line("fixed", "Pro", amount)], [one], {}, amount, "JPY")
    assert sum(one.amount for one in found) == withheld
