"""Taxes: which hold for whom, and what they come to."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given

from tests.billing.composing import line_lists, on_top, tax_lists, tried, within
from veloflux.billing.arithmetic.lines import Line, net
from veloflux.billing.arithmetic.taxes import holding, tax_totals
from veloflux.errors import InputInvalid
from veloflux.plans.prices import Tax

CATALOGUE = (
    Tax(id="everywhere", name="Levy", percent="1"),
    Tax(id="gst", name="GST", percent="5", countries=("CA",)),
    Tax(id="qst", name="QST", percent="9.975", countries=("CA",), states=("QC",)),
    Tax(id="vat", name="VAT", percent="20", countries=("GB", "FR"), inclusive=True),
    Tax(id="local", name="Local", percent="2", states=("SP", "NY")),
)


@pytest.mark.parametrize(
    ("country", "state", "listed", "expected"),
    [
        pytest.param("DE", "", None, ["everywhere"], id="no place of its own: of all"),
        pytest.param("", "", None, ["everywhere"], id="an unknown place"),
        pytest.param("CA", "", None, ["everywhere", "gst"], id="by country"),
        pytest.param("CA", "QC", None, ["everywhere", "gst", "qst"], id="by country and state"),
        pytest.param("CA", "ON", None, ["everywhere", "gst"], id="another state"),
        pytest.param("BR", "QC", None, ["everywhere"], id="a state of another country"),
        pytest.param("FR", "", None, ["everywhere", "vat"], id="one of two countries"),
        pytest.param("US", "NY", None, ["everywhere", "local"], id="by state alone"),
        pytest.param("CA", "QC", [], [], id="exempt"),
        pytest.param("DE", "", ["qst", "vat"], ["qst", "vat"], id="a list wins over no place"),
        pytest.param("CA", "QC", ["gst"], ["gst"], id="a list wins over a place"),
    ],
)
def test_taxes_hold_for(country: str, state: str, listed: Sequence[str] | None, expected: list[str]) -> None:
    assert [tax.id for tax in holding(CATALOGUE, country, state, listed)] == expected


def test_a_list_with_an_unknown_tax_is_refused() -> None:
    with pytest.raises(InputInvalid, match="no tax 'gone'") as refusal:
        holding(CATALOGUE, "CA", listed=["gst", "gone"])
    assert refusal.value.extra["field"] == "taxes"


@pytest.mark.parametrize(
    ("amounts", "taxes", "base", "expected"),
    [
        pytest.param([10000], [on_top("20")], 10000, [2000], id="VAT of 20 % on top"),
        pytest.param([12000], [within("20")], 10000, [2000], id="VAT of 20 % within: a sixth (HMRC's VAT fraction)"),
        pytest.param([11900], [within("19")], 10000, [1900], id="German VAT within 119.00"),
        pytest.param([10000], [within("19")], 8403, [1597], id="German VAT within 100.00: 15.966"),
        # Eenvoudig Factureren, "Rounding difference VAT incl/excl": 82.64 and 17.36 of 100.00; 17.35 on top of 82.64
        pytest.param([10000], [within("21")], 8264, [1736], id="Belgian VAT within 100.00"),
        pytest.param([8264], [on_top("21")], 8264, [1735], id="Belgian VAT on 82.64"),
        # Zuora, "Rounding rule for inclusive tax mode", rounding the tax: 2.99 * 0.04 / 1.04 = 0.115
        pytest.param([299], [within("4")], 287, [12], id="4 % within 2.99: exactly half a cent goes up"),
        # Flexprice, "Billing calculation order": 8.25 % of 70.00 = 5.775
        pytest.param([7000], [on_top("8.25")], 7000, [578], id="8.25 % of 70.00: half a cent goes up"),
        # Revenu Québec: since 2013 the QST is computed on the price without the GST
        pytest.param([10000], [on_top("5"), on_top("9.975")], 10000, [500, 998], id="GST and QST, side by side"),
        pytest.param([11800], [within("9"), within("9")], 10000, [900, 900], id="two within: CGST and SGST of 9 %"),
        # within 100.00 at 10 and 5 %: 10 / 1.15 = 8.6957, 5 / 1.15 = 4.3478; the base is what remains
        pytest.param([10000], [within("10"), within("5")], 8695, [870, 435], id="two within 100.00"),
        # 110.00 holds 10.00, the exclusive 5 % is of the 100.00 that remain
        pytest.param([11000], [within("10"), on_top("5")], 10000, [1000, 500], id="on top of what is within"),
        pytest.param([11000], [on_top("5"), within("10")], 10000, [500, 1000], id="in any order"),
        pytest.param(
            [100, 100, 100], [on_top("0.5")], 300, [2], id="0.5 % of three times 1.00: 1.5 cents, not three of 1"
        ),
        pytest.param([-10000], [on_top("20")], -10000, [-2000], id="a credit bears a negative tax"),
        pytest.param([-299], [within("4")], -287, [-12], id="rounded as its debit was"),
        pytest.param([22759, -7586], [on_top("20")], 15173, [3035], id="an upgrade: 20 % of the difference, 30.346"),
        pytest.param([100, -100], [on_top("20"), within("7")], 0, [0, 0], id="nothing on nothing"),
        pytest.param([], [on_top("20")], 0, [0], id="no lines"),
        pytest.param([10000], [], None, [], id="no taxes"),
        pytest.param([10000], [within("100")], 5000, [5000], id="100 % within is half"),
        pytest.param([10**14], [on_top("0.000001")], 10**14, [10**6], id="six places of a percentage"),
    ],
)
def test_taxes_come_to(amounts: list[int], taxes: list[Tax], base: int | None, expected: list[int]) -> None:
    found = tax_totals([Line("fixed", "Pro", amount) for amount in amounts], taxes)
    assert [tax.amount for tax in found] == expected
    assert {tax.base for tax in found} == ({base} - {None})


def test_rounding_each_line_would_tax_otherwise() -> None:
    """Five lines of 0.13 with 20 %: 2.6 cents each, 3 if rounded: 0.15 in all; the sum of the precise ones is 0.13."""
    lines = [Line("usage", "Requests", 13)] * 5
    [tax] = tax_totals(lines, [on_top("20")])
    assert tax.amount == 13
    assert sum(tax_totals([line], [on_top("20")])[0].amount for line in lines) == 15


def test_taxes_are_of_what_a_discount_leaves() -> None:
    [tax] = tax_totals([Line("fixed", "Pro", 2999, discount=999)], [on_top("20")])
    assert (tax.base, tax.amount) == (2000, 400)


@given(lines=line_lists, taxes=tax_lists)
@tried
def test_a_tax_is_the_rounded_sum_of_the_precise_taxes_of_the_lines(lines: list[Line], taxes: list[Tax]) -> None:
    rates = [Fraction(tax.percent) / 100 for tax in taxes]
    inclusive = sum(rate for rate, tax in zip(rates, taxes, strict=True) if tax.inclusive)
    for tax, rate in zip(tax_totals(lines, taxes), rates, strict=True):
        precise = sum((line.amount * rate / (1 + inclusive) for line in lines), Fraction(0))
        magnitude = (abs(precise) + Fraction(1, 2)).__floor__()
        assert tax.amount == (magnitude if precise >= 0 else -magnitude)
        assert tax.base + sum(one.amount for one in tax_totals(lines, taxes) if one.inclusive) == net(lines)
