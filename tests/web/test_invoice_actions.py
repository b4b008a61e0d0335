"""What operators do with an invoice on its page of the console."""

import re

import httpx2
import pytest

from tests.web.test_billing_pages import HOME, acme, begin, olivia
from tests.web.test_pages import field
from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.documents_say import documents_say
from veloflux.billing.model import Invoice
from veloflux.billing.subscriptions.change import ChangeSubscription, change
from veloflux.context import Context
from veloflux.kit.money import shown
from veloflux.ledger.check import check_ledger
from veloflux.tenants.record import RecordChange

__all__ = ["acme", "olivia"]


@pytest.fixture
async def bill(olivia: httpx2.AsyncClient, acme: Context) -> str:
    """The path of the page of an invoice over 29.00."""
    await begin(olivia)
    return f"{HOME}/invoices/{(await only(acme)).id}"


async def only(ctx: Context) -> Invoice:
    [found] = [one async for one in store.every_invoice(ctx.db, ctx.tenant)]
    return found


async def in_order(ctx: Context) -> None:
    """The ledger says what the documents say."""
    assert (await check_ledger(ctx.db, ctx.tenant, await documents_say(ctx.db, ctx.tenant))).wrong == ()


def actions(page: str) -> set[str]:
    return set(re.findall(r'data-action="(invoices\.\w+)"', page))


async def test_a_payment_is_noted_once_however_often_the_form_is_sent(
    olivia: httpx2.AsyncClient, acme: Context, bill: str
) -> None:
    page = (await olivia.get(bill)).text
    once = re.search(r'name="id" value="([^"]+)"', page)
    assert once
    assert 'value="29.00"' in field(page, "amount")
    sent = {"amount": "10,50", "provider": "pix", "reference": "E2E 1", "id": once[1]}
    for _ in range(2):
        answer = await olivia.post(f"{bill}/payments", data=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, bill)
    assert ((await only(acme)).paid, (await only(acme)).status) == (1050, "open")
    page = (await olivia.get(bill)).text
    assert "The payment was noted." in page
    assert "$18.50 to be paid" in page
    assert actions(page) == {"invoices.pay", "invoices.credit", "invoices.write_off"}
    await olivia.post(f"{bill}/payments", data={"amount": "18.50", "provider": "bank"})
    assert (await only(acme)).status == "paid"
    assert actions((await olivia.get(bill)).text) == {"invoices.credit"}
    await in_order(acme)


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ({"amount": "much", "provider": "bank"}, "amount"),
        ({"amount": "-1", "provider": "bank"}, "amount"),
        ({"amount": "0", "provider": "bank"}, "amount"),
        ({"amount": "1.234", "provider": "bank"}, "amount"),
        ({"amount": "1", "provider": "My Bank"}, "provider"),
        ({"amount": "1", "provider": "bank", "reference": "x" * 201}, "reference"),
    ],
)
async def test_what_is_wrong_with_a_payment_stands_at_its_field(
    olivia: httpx2.AsyncClient, acme: Context, bill: str, sent: dict[str, str], at: str
) -> None:
    answer = await olivia.post(f"{bill}/payments", data=sent)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in field(answer.text, at)
    assert (await only(acme)).paid == 0


async def test_an_invoice_is_credited_whole_with_what_was_paid_back(
    olivia: httpx2.AsyncClient, acme: Context, bill: str
) -> None:
    assert "What was paid" not in (await olivia.get(bill)).text
    await olivia.post(f"{bill}/payments", data={"amount": "9", "provider": "bank"})
    assert "What was paid" in (await olivia.get(bill)).text
    answer = await olivia.post(f"{bill}/credit-notes", data={"reason": "Twice", "refunded_by": "bank"})
    assert answer.status_code == 303
    [note] = (await store.credit_notes(acme.db, acme.tenant, "", 10)).items
    assert (note.reason, note.settles, note.to_wallet) == ("Twice", 2000, 900)
    [back] = [one async for one in store.every_payment(acme.db, acme.tenant) if one.kind == "refund"]
    assert (back.amount, back.provider, back.credit_note) == (900, "bank", note.id)
    again = await olivia.post(f"{bill}/credit-notes", data={"reason": ""})
    assert again.status_code == 409
    await in_order(acme)


async def test_something_of_a_line_is_credited_and_then_all_that_is_left_of_it(
    olivia: httpx2.AsyncClient, acme: Context, bill: str
) -> None:
    sent = {"credited_line": "0", "credited_amount": "9,50", "reason": "A bad week"}
    assert (await olivia.post(f"{bill}/credit-notes", data=sent)).status_code == 303
    page = (await olivia.get(bill)).text
    assert "CN-000001 (PDF)" in page
    assert "A bad week" in page
    assert "$19.50</option>" in page
    assert (await olivia.post(f"{bill}/credit-notes", data={"credited_line": "0"})).status_code == 303
    notes = (await store.credit_notes(acme.db, acme.tenant, "", 10)).items
    assert sorted(note.settles for note in notes) == [950, 1950]
    assert "invoices.credit" not in actions((await olivia.get(bill)).text)
    await in_order(acme)


async def test_a_form_that_is_sent_twice_credits_once(olivia: httpx2.AsyncClient, acme: Context, bill: str) -> None:
    once = re.search(r'name="id" value="([^"]+)"', (await olivia.get(bill)).text)
    assert once
    sent = {"credited_line": "0", "credited_amount": "5", "id": once[1]}
    for _ in range(2):
        assert (await olivia.post(f"{bill}/credit-notes", data=sent)).status_code == 303
    assert (await olivia.post(f"{bill}/credit-notes", data=sent | {"credited_amount": "6"})).status_code == 409
    [note] = (await store.credit_notes(acme.db, acme.tenant, "", 10)).items
    assert note.settles == 500
    await in_order(acme)


@pytest.mark.parametrize("amount", ["", "20", "29"])
async def test_a_form_that_is_sent_twice_is_taken_twice_whatever_it_left(
    olivia: httpx2.AsyncClient, acme: Context, bill: str, amount: str
) -> None:
    sent = {"credited_line": "0", "credited_amount": amount, "id": "crn_form"}
    answers = [await olivia.post(f"{bill}/credit-notes", data=sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len((await store.credit_notes(acme.db, acme.tenant, "", 10)).items) == 1
    await in_order(acme)


async def test_beside_a_credit_no_more_is_offered_than_both_come_to(
    olivia: httpx2.AsyncClient, acme: Context, bill: str
) -> None:
    [sub] = await store.subscriptions(acme.db, acme.tenant)
    await change(acme, sub.id, ChangeSubscription(plan="enterprise", when="now"))
    [upgrade] = [one async for one in store.every_invoice(acme.db, acme.tenant) if one.reason == "change"]
    assert upgrade.totals
    assert min(line.amount for line in upgrade.lines) < 0
    page, whole = f"{HOME}/invoices/{upgrade.id}", shown(upgrade.totals.total, "USD", "en")
    places = re.findall(r'<option value="(\d+)">[^<]+ · ([^<]+)</option>', (await olivia.get(page)).text)
    assert [amount for _, amount in places] == [whole]
    assert (await olivia.post(f"{page}/credit-notes", data={"credited_line": places[0][0]})).status_code == 303
    assert "invoices.credit" not in actions((await olivia.get(page)).text)
    await in_order(acme)


async def test_the_pdf_of_a_credit_note_is_one_click_away(olivia: httpx2.AsyncClient, bill: str) -> None:
    await olivia.post(f"{bill}/credit-notes", data={})
    [link] = re.findall(r'href="([^"]+/credit-notes/[^"]+/pdf)"', (await olivia.get(bill)).text)
    answer = await olivia.get(link)
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ({"credited_line": "7"}, "credited_line"),
        ({"credited_line": "x"}, "credited_line"),
        ({"credited_amount": "1"}, "credited_line"),
        ({"credited_line": "0", "credited_amount": "29.01"}, "credited_amount"),
        ({"credited_line": "0", "credited_amount": "0"}, "credited_amount"),
        ({"credited_line": "0", "credited_amount": "much"}, "credited_amount"),
    ],
)
async def test_what_is_wrong_with_a_credit_stands_at_its_field(
    olivia: httpx2.AsyncClient, acme: Context, bill: str, sent: dict[str, str], at: str
) -> None:
    answer = await olivia.post(f"{bill}/credit-notes", data=sent)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in field(answer.text, at)
    assert (await store.credit_notes(acme.db, acme.tenant, "", 10)).items == []


@pytest.mark.parametrize(("what", "status"), [("void", "void"), ("write-off", "uncollectible")])
async def test_an_invoice_is_taken_back_or_given_up(
    olivia: httpx2.AsyncClient, acme: Context, bill: str, what: str, status: str
) -> None:
    assert {"invoices.void", "invoices.write_off"} <= actions((await olivia.get(bill)).text)
    assert (await olivia.post(f"{bill}/{what}")).status_code == 303
    assert (await only(acme)).status == status
    left = {"invoices.void", "invoices.credit", "invoices.pay"} if what == "write-off" else set()
    assert actions((await olivia.get(bill)).text) == left
    assert (await olivia.post(f"{bill}/write-off")).status_code == 409
    await in_order(acme)


async def test_an_invoice_is_sent_again_where_there_is_a_billing_email(
    olivia: httpx2.AsyncClient, acme: Context, bill: str
) -> None:
    assert "invoices.send" not in actions((await olivia.get(bill)).text)
    await tenants.change_record(acme, RecordChange(billing_email="pay@acme.example"))
    page = (await olivia.get(bill)).text
    assert "pay@acme.example" in page
    assert "invoices.send" in actions(page)
    assert (await olivia.post(f"{bill}/send")).status_code == 303


async def test_its_page_and_its_pdf_open_without_signing_in(web: str, olivia: httpx2.AsyncClient, bill: str) -> None:
    links = re.findall(r'href="[^"]*(/invoices/[^"/]+(?:/pdf)?)"', (await olivia.get(bill)).text)
    hosted = [link for link in links if not link.startswith(HOME) and "inv_" not in link]
    async with httpx2.AsyncClient(base_url=web) as anybody:
        answers = [await anybody.get(link) for link in hosted]
    assert [answer.headers["content-type"].partition(";")[0] for answer in answers] == ["text/html", "application/pdf"]
