"""Credit notes: each line once, taxes in proportion, and over everything the invoice to the cent."""

import msgspec
import pytest
from hypothesis import assume, given
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
from veloflux.billing.arithmetic.creditable import Credited, credit, creditable
from veloflux.billing.arithmetic.lines import Line, net
from veloflux.billing.arithmetic.totals import Document, Totals, add_up, compose
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.errors import AlreadyDone, InputInvalid
from veloflux.plans.prices import Coupon, Tax

ISS = Withholding(name="ISS", percent="5")


def invoiced(*amounts: int, taxes: tuple[Tax, ...] = (), coupons: tuple[Coupon, ...] = ()) -> Document:
    return compose([Line("fixed", "Pro", one) for one in amounts], "USD", taxes=taxes, coupons=coupons)[0]


def noted(invoice: Document, wishes: list[dict[int, int] | None]) -> list[Credited]:
    """A credit note for each wish, one after another."""
    notes: list[Credited] = []
    for wanted in wishes:
        notes.append(credit(invoice, notes, wanted))
    return notes


@pytest.mark.parametrize(
    ("invoice", "wishes", "totals", "left"),
    [
        pytest.param(invoiced(2999), [None], [2999], [0], id="all at once"),
        pytest.param(invoiced(2999), [{0: 1000}, {0: 1000}, None], [1000, 1000, 999], [0], id="in three parts"),
        pytest.param(invoiced(2000, 999), [{1: 999}], [999], [2000, 0], id="one line of two"),
        pytest.param(invoiced(2999, coupons=(percent_off("10"),)), [None], [2699], [0], id="what the coupon left"),
        pytest.param(
            invoiced(1000, 1000, 1000, coupons=(amount_off("1"),)),
            [{0: 966}, None],
            [966, 1934],
            [0, 0, 0],
            id="line by line",
        ),
        pytest.param(invoiced(1999, taxes=(on_top("20"),)), [None], [2399], [0], id="19.99 and a tax of 3.998"),
        # of 4.00 of tax: 1000/1999 is 2.001, the other 1.999
        pytest.param(
            invoiced(1999, taxes=(on_top("20"),)), [{0: 1000}, None], [1200, 1199], [0], id="its tax in halves"
        ),
        # a tax of 0.02 on four lines of 0.05: 0.005 each; after each note 0.01, 0.01, 0.02, 0.02
        pytest.param(
            invoiced(5, 5, 5, 5, taxes=(on_top("10"),)),
            [{0: 5}, {1: 5}, {2: 5}, {3: 5}],
            [6, 5, 6, 5],
            [0, 0, 0, 0],
            id="two cents of tax on four notes",
        ),
        pytest.param(invoiced(12000, taxes=(within("20"),)), [{0: 4000}, None], [4000, 8000], [0], id="a tax within"),
        pytest.param(
            compose([Line("credit", "Pro", -7586), Line("debit", "Team", 22759)], "USD", taxes=[on_top("20")])[0],
            [None],
            [18208],
            [0, 0],
            id="an upgrade: its credit too",
        ),
        pytest.param(
            compose([Line("credit", "Pro", -7586), Line("debit", "Team", 22759)], "USD")[0],
            [{1: 10000}, {0: -7586, 1: 12759}],
            [10000, 5173],
            [0, 0],
            id="an upgrade, in two parts",
        ),
    ],
)
def test_credit_notes_come_to(
    invoice: Document, wishes: list[dict[int, int] | None], totals: list[int], left: list[int]
) -> None:
    notes = noted(invoice, wishes)
    assert ([note.totals.total for note in notes], creditable(invoice, notes)) == (totals, left)


@pytest.mark.parametrize(
    ("invoice", "wanted", "why"),
    [
        pytest.param(invoiced(2999), {0: 3000}, "Of line 0 only 2999", id="more than the line"),
        pytest.param(
            invoiced(2999, coupons=(percent_off("10"),)), {0: 2999}, "only 2699", id="more than the coupon left"
        ),
        pytest.param(invoiced(2999), {0: 0}, "Of line 0 only 2999", id="nothing of a line"),
        pytest.param(invoiced(2999), {0: -1}, "Of line 0 only 2999", id="less than nothing"),
        pytest.param(invoiced(2999), {1: 1}, "no line 1", id="a line that is not there"),
        pytest.param(invoiced(2999), {-1: 1}, "no line -1", id="a line counted from the end"),
        pytest.param(invoiced(2999), {}, "only 2999", id="no line"),
        pytest.param(
            compose([Line("credit", "Pro", -7586), Line("debit", "Team", 22759)], "USD")[0],
            {1: 22759},
            "Of this invoice only 15173",
            id="more than the invoice came to",
        ),
        pytest.param(
            compose([Line("credit", "Pro", -7586), Line("debit", "Team", 22759)], "USD")[0],
            {0: -7586},
            "Of this invoice only 15173",
            id="a credit of the invoice alone",
        ),
    ],
)
def test_what_is_not_left_cannot_be_credited(invoice: Document, wanted: dict[int, int], why: str) -> None:
    with pytest.raises(InputInvalid, match=why) as refusal:
        credit(invoice, [], wanted)
    assert refusal.value.extra["field"] == "lines"


def test_a_line_is_credited_once() -> None:
    invoice = invoiced(2000, 999)
    with pytest.raises(InputInvalid, match="Of line 1 only 0"):
        credit(invoice, noted(invoice, [{1: 999}]), {1: 1})


@pytest.mark.parametrize(
    "invoice",
    [invoiced(0), compose([Line("credit", "Pro", -1000)], "USD")[0], invoiced(100, coupons=(percent_off("100"),))],
    ids=["came to nothing", "went to a credit note already", "was free"],
)
def test_of_nothing_nothing_can_be_credited(invoice: Document) -> None:
    with pytest.raises(AlreadyDone):
        credit(invoice, [])


def test_what_is_credited_cannot_be_credited_again() -> None:
    invoice = invoiced(2999)
    with pytest.raises(AlreadyDone):
        credit(invoice, noted(invoice, [None]))


def test_a_line_of_a_credit_note_says_what_was_billed_and_which_line_it_credits() -> None:
    lines = [Line("fixed", "Pro", 1000), Line("usage", "Requests", 500, meter="requests", quantity="5000", price="0.1")]
    note = credit(compose(lines, "USD", coupons=[percent_off("10")])[0], [], {1: 400})
    assert (note.of, note.lines) == ((1,), (msgspec.structs.replace(lines[1], amount=400),))


def test_what_was_withheld_is_credited_in_proportion() -> None:
    invoice = compose([Line("fixed", "Pro", 999)], "BRL", withholdings=[ISS])[0]
    notes = noted(invoice, [{0: 333}, {0: 333}, None])
    assert [(note.totals.withheld[0].amount, note.totals.net) for note in notes] == [(17, 316), (16, 317), (17, 316)]


@given(lines=line_lists, coupons=coupon_lists, taxes=tax_lists, withholdings=withholding_lists, data=st.data())
@tried
def test_credit_notes_over_everything_are_the_invoice(
    lines: list[Line], coupons: list[Coupon], taxes: list[Tax], withholdings: list[Withholding], data: st.DataObject
) -> None:
    invoice, _ = compose(lines, "USD", coupons=coupons, taxes=taxes, withholdings=withholdings, services=SERVICES)
    assume(net(invoice.lines) > 0)
    notes: list[Credited] = []
    for _ in range(data.draw(st.integers(0, 4))):
        if wanted := _wish(invoice, notes, data):
            notes.append(credit(invoice, notes, wanted))
    if sum(creditable(invoice, notes)):
        notes.append(credit(invoice, notes))
    assert _together([note.totals for note in notes]) == _together([invoice.totals])
    assert all(note.totals.total >= 0 for note in notes)


def _wish(invoice: Document, notes: list[Credited], data: st.DataObject) -> dict[int, int]:
    """Some of what is left of some lines, if it is no more than is left of all."""
    left = creditable(invoice, notes)
    parts = {at: data.draw(st.integers(min(amount, 0), max(amount, 0))) for at, amount in enumerate(left)}
    wanted = {at: amount for at, amount in parts.items() if amount}
    return wanted if 0 < sum(wanted.values()) <= sum(left) else {}


def _together(totals: list[Totals]) -> list[list[int]]:
    """The sums of what was billed, of each tax with its base, of what was withheld, and of all."""
    return [
        [
            sum(one.subtotal - one.discount for one in totals),
            sum(one.total for one in totals),
            sum(one.net for one in totals),
        ],
        *[[sum(pair) for pair in zip(*taxes, strict=True)] for taxes in zip(*map(_taxes, totals), strict=True)],
    ]


def _taxes(totals: Totals) -> list[tuple[int, int]]:
    return [(one.base, one.amount) for one in (*totals.taxes, *totals.withheld)]


def test_the_proportion_of_an_invoice_without_taxes_is_its_lines() -> None:
    lines = (Line("fixed", "Pro", 1000), Line("item", "Training", 500))
    note = credit(Document(lines, add_up(lines, ())), [], {1: 250})
    assert (note.totals.subtotal, note.totals.total, note.totals.taxes) == (250, 250, ())
