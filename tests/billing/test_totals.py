"""An invoice: its lines with coupons, taxes and withholdings, and the credit note of what it lacks to zero."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.composing import (
    SERVICES,
    amount_off,
    coupon_lists,
    line_lists,
    on_top,
    percent_off,
    tax_lists,
    tried,
    withholding_lists,
    within,
)
from veloflux.billing.arithmetic.lines import Line, net
from veloflux.billing.arithmetic.totals import Document, Totals, compose
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.plans.prices import Coupon, Tax

CSRF = Withholding(name="CSRF", percent="4.65", dispensed="10")
ISS = Withholding(name="ISS", percent="5", services=("1.05",))
PRO = Line("fixed", "Pro", 10000, plan="pro")


@pytest.mark.parametrize(
    ("lines", "how", "expected"),
    [
        pytest.param([], {}, (0, 0, 0, 0), id="nothing"),
        # the worked example: 29.99 and 5.00 + 5.00 + 4.50 + 1.25 of overage
        pytest.param(
            [Line("fixed", "Base", 2999)] + [Line("usage", "x", amount) for amount in (500, 500, 450, 125)],
            {},
            (4574, 0, 4574, 4574),
            id="a base and four overages: 45.74",
        ),
        # Flexprice, "Billing calculation order": 100.00 less 30.00, 8.25 % on 70.00; their wallet pays, ours too, later
        pytest.param(
            [Line("usage", "API calls", 8000), Line("fixed", "Monthly", 2000)],
            {"coupons": [amount_off("30")], "taxes": [on_top("8.25")]},
            (10000, 3000, 7578, 7578),
            id="the tax is of what the coupon leaves",
        ),
        pytest.param([PRO], {"taxes": [within("20")]}, (10000, 0, 10000, 10000), id="a tax within adds nothing"),
        pytest.param([PRO], {"taxes": [within("10"), on_top("5")]}, (10000, 0, 10455, 10455), id="within and on top"),
        # 5 % of 100.00 on top, 5 % withheld of the 100.00 before it
        pytest.param(
            [PRO],
            {"taxes": [on_top("5")], "withholdings": [ISS], "services": {"pro": "1.05"}},
            (10000, 0, 10500, 10000),
            id="withheld of the amount before exclusive taxes",
        ),
        # what is within counts: 5 % of 110.00
        pytest.param(
            [Line("fixed", "Pro", 11000, plan="pro")],
            {"taxes": [within("10")], "withholdings": [ISS], "services": {"pro": "1.05"}},
            (11000, 0, 11000, 10450),
            id="withheld of the amount with inclusive taxes",
        ),
        pytest.param(
            [Line("fixed", "Pro", 1_000_000, plan="pro")],
            {"withholdings": [CSRF, ISS], "services": {"pro": "1.05"}},
            (1_000_000, 0, 1_000_000, 903_500),
            id="R$ 10,000.00 less 465.00 and 500.00",
        ),
        pytest.param(
            [Line("credit", "Pro", -7586), Line("debit", "Team", 22759)],
            {"taxes": [on_top("20")]},
            (15173, 0, 18208, 18208),
            id="an upgrade: 227.59 less 75.86",
        ),
        # twice 60.00 of 100.00, before a tax of 50.00 on top: together more than the base, less than the total
        pytest.param(
            [PRO],
            {"taxes": [on_top("50")], "withholdings": [Withholding(name="W", percent="60")] * 2},
            (10000, 0, 15000, 3000),
            id="withheld up to the total",
        ),
        pytest.param(
            [PRO], {"coupons": [percent_off("100")], "taxes": [on_top("20")]}, (10000, 10000, 0, 0), id="free"
        ),
    ],
)
def test_an_invoice_comes_to(lines: list[Line], how: dict[str, list[Coupon]], expected: tuple[int, ...]) -> None:
    invoice, credit_note = compose(lines, "USD", **how)  # type: ignore[arg-type]
    totals = invoice.totals
    assert ((totals.subtotal, totals.discount, totals.total, totals.net), credit_note) == (expected, None)


@pytest.mark.parametrize(
    ("lines", "taxes", "credited"),
    [
        pytest.param([Line("credit", "Pro", -7586)], [], 7586, id="a credit alone"),
        pytest.param([Line("credit", "Team", -22759), Line("debit", "Pro", 7586)], [], 15173, id="a downgrade at once"),
        pytest.param(
            [Line("credit", "Pro", -1000), Line("debit", "Basic", 400)], [on_top("20")], 720, id="with its tax"
        ),
        pytest.param([Line("credit", "Pro", -1000)], [within("21")], 1000, id="its tax is within"),
        # 10.00 at 50 % off are 5.00, which the credit of 8.00 exceeds by 3.00
        pytest.param(
            [Line("fixed", "Pro", 1000, discount=500), Line("credit", "Pro", -800)], [], 300, id="after discounts"
        ),
        pytest.param([Line("credit", "Pro", -1)], [on_top("20")], 1, id="the smallest"),
    ],
)
def test_a_negative_sum_becomes_a_credit_note_and_the_invoice_nothing(
    lines: list[Line], taxes: list[Tax], credited: int
) -> None:
    invoice, credit_note = compose(lines, "USD", taxes=taxes, withholdings=[CSRF])
    assert (invoice.totals.total, invoice.totals.net, [tax.amount for tax in invoice.totals.taxes]) == (
        0,
        0,
        [0] * len(taxes),
    )
    assert invoice.lines == (*lines, Line("balance", "", -net(lines)))
    assert credit_note is not None
    assert (credit_note.totals.total, credit_note.totals.net) == (credited, credited)
    assert credit_note.lines == (Line("balance", "", -net(lines)),)


def test_totals_come_back_from_their_array() -> None:
    invoice, _ = compose(
        [PRO], "BRL", coupons=[percent_off("10")], taxes=[on_top("5")], withholdings=[ISS], services={"pro": "1.05"}
    )
    stored = msgspec.json.encode(invoice.totals)
    assert stored == (
        b'[10000,1000,[["percent","Off",1000]],[["vat","VAT","5",false,9000,450]],9450,[["ISS","5",9000,450]],9000]'
    )
    assert msgspec.json.decode(stored, type=Totals) == invoice.totals


documents = {"lines": line_lists, "coupons": coupon_lists, "taxes": tax_lists, "withholdings": withholding_lists}


@given(**documents)
@tried
def test_lines_sum_to_totals(
    lines: list[Line], coupons: list[Coupon], taxes: list[Tax], withholdings: list[Withholding]
) -> None:
    made = compose(lines, "USD", coupons=coupons, taxes=taxes, withholdings=withholdings, services=SERVICES)
    for document in filter(None, made):
        totals = document.totals
        assert totals.subtotal - totals.discount == net(document.lines)
        for_all = sum(tax.amount for tax in totals.taxes)
        assert all(tax.base + for_all == totals.total for tax in totals.taxes)
        assert totals.total == net(document.lines) + sum(tax.amount for tax in totals.taxes if not tax.inclusive)
        assert totals.net == totals.total - sum(one.amount for one in totals.withheld)
        assert 0 <= totals.net <= totals.total
    invoice, credit_note = made
    assert credit_note is None or (invoice.totals.total == 0 < credit_note.totals.subtotal)


@given(**documents, data=st.data())
@tried
def test_the_order_of_the_lines_is_irrelevant_to_the_totals(
    lines: list[Line], coupons: list[Coupon], taxes: list[Tax], withholdings: list[Withholding], data: st.DataObject
) -> None:
    def totals(in_order: list[Line]) -> list[Totals]:
        made = compose(in_order, "USD", coupons=coupons, taxes=taxes, withholdings=withholdings, services=SERVICES)
        return [document.totals for document in made if document]

    assert totals(data.draw(st.permutations(lines))) == totals(lines)


@given(lines=line_lists, taxes=tax_lists)
@tried
def test_a_credit_note_and_its_invoice_are_what_the_lines_came_to(lines: list[Line], taxes: list[Tax]) -> None:
    """The same lines with every amount negated make what was invoiced the credit note, to the cent."""
    mirrored = [msgspec.structs.replace(line, amount=-line.amount) for line in lines]
    assert _sum(compose(lines, "USD", taxes=taxes)) == -_sum(compose(mirrored, "USD", taxes=taxes))


def _sum(made: tuple[Document, Document | None]) -> int:
    return made[0].totals.total - (made[1].totals.total if made[1] else 0)
