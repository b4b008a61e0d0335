"""What a tenant sees of its invoices, who has a link, and the e-mails."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from io import BytesIO

import msgspec
import pytest
from pypdf import PdfReader

from tests.billing.billed import billed, invoiced, recorded
from tests.customers import customer
from tests.worker.working import nothing_due, until, working
from veloflux import notifications, tenants
from veloflux.billing import advance, store
from veloflux.billing.invoices import link as invoice_link
from veloflux.billing.invoices import reading as invoices
from veloflux.billing.invoices.mail import resend_invoice
from veloflux.context import Context
from veloflux.db import commit, keys
from veloflux.errors import Conflict, MoveImpossible, NotFound
from veloflux.kit import ids
from veloflux.kit.clock import DAY_MS
from veloflux.tenants.clock import set_clock
from veloflux.worker import TABLES

ACME = {"legal_name": "Açaí Ltda.", "billing_email": "contas@acai.example", "city": "Recife", "country": "BR"}
SELLER = {"seller_name": "Serviços & Cia.", "public_url": "https://billing.example"}


@pytest.fixture
def selling(one_ctx: Context) -> Context:
    """An installation that says who sells."""
    settings = msgspec.structs.replace(one_ctx.settings, **SELLER)
    return msgspec.structs.replace(one_ctx, parts=msgspec.structs.replace(one_ctx.parts, settings=settings))


async def worked(ctx: Context) -> list[notifications.OutboxMessage]:
    """What is in the outbox once workers have done all that is due."""
    async with working(ctx.parts, TABLES):
        await until(lambda: nothing_due(ctx))
    return list((await notifications.list_messages(ctx)).items)


async def put(ctx: Context, invoice: str, **fields: str) -> None:
    """Write fields of an invoice, as what this slice does not do yet will."""
    change = commit.Commit(ctx.tenant)
    change.put(keys.invoice(ctx.tenant, invoice), fields)
    await commit.run(ctx.db, change)


async def test_an_invoice_is_shown_with_its_buyer_and_what_is_due(selling: Context) -> None:
    acme = await recorded(await customer(selling), **ACME)
    invoice = await invoiced(acme)
    shown = await invoices.read_invoice(acme, invoice.id)
    assert (shown.number, shown.status, shown.due) == ("INV-000001", "open", 14_900)
    assert (shown.buyer.name, shown.buyer.city) == ("Açaí Ltda.", "Recife")
    assert invoice.buyer
    assert invoice.buyer not in msgspec.json.encode(shown).decode()
    assert shown.totals
    assert (shown.lines[0].amount, shown.totals.total) == (14_900, 14_900)
    document = await invoices.render_invoice(acme, invoice.id)
    assert document.seller[1].name == "Serviços & Cia."
    assert document.buyer[1].lines == ("Recife", "Brasil", "contas@acai.example")


async def test_lists_are_paged_newest_first(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    for days in (0, 2):
        await billed(acme.at(acme.now() + days * DAY_MS))
    first = await invoices.list_invoices(acme, limit=3)
    second = await invoices.list_invoices(acme, first.next or "", 3)
    found = [*first.items, *second.items]
    assert {one.number for one in found} == {f"INV-00000{number}" for number in (1, 2, 3, 4)}
    assert [one.created_at - acme.now() for one in found] == [2 * DAY_MS, 2 * DAY_MS, 0, 0]
    assert second.next is None
    notes = (await invoices.list_credit_notes(acme)).items
    assert [one.number for one in notes] == ["CN-000002", "CN-000001"]


async def test_another_tenant_sees_neither_invoices_nor_credit_notes(one_ctx: Context) -> None:
    acme, globex = await customer(one_ctx), await customer(one_ctx, "Globex")
    invoice, note = await billed(acme)
    assert (await invoices.read_credit_note(acme, note.id)).number == "CN-000001"
    assert (await invoices.render_credit_note(acme, note.id)).number == "CN-000001"
    for ask, id_ in (
        (invoices.read_invoice, invoice.id),
        (invoices.render_invoice, invoice.id),
        (resend_invoice, invoice.id),
        (invoices.read_credit_note, note.id),
        (invoices.render_credit_note, note.id),
    ):
        with pytest.raises(NotFound):
            await ask(globex, id_)
    assert (await invoices.list_invoices(globex)).items == []
    assert (await invoices.list_credit_notes(globex)).items == []


async def test_what_has_no_number_has_no_text_no_page_and_no_mail(one_ctx: Context) -> None:
    acme = await recorded(await customer(one_ctx), **ACME)
    invoice = await invoiced(acme)
    token = invoice_link.token_of(acme.parts.secrets, acme.tenant, invoice.id)
    for status in ("draft", "awaiting_number"):
        await put(acme, invoice.id, status=status, number="")
        with pytest.raises(Conflict):
            await invoices.render_invoice(acme, invoice.id)
        with pytest.raises(NotFound):
            await invoices.open_link(one_ctx, token)
        with pytest.raises(MoveImpossible):
            await resend_invoice(acme, invoice.id)
        assert (await invoices.read_invoice(acme, invoice.id)).page == ""


async def test_a_link_opens_its_invoice_to_whoever_has_it_until_the_tenant_is_deleted(selling: Context) -> None:
    acme = await customer(selling)
    invoice = await invoiced(acme)
    page = (await invoices.read_invoice(acme, invoice.id)).page
    assert page.startswith("https://billing.example/invoices/")
    token = page.rpartition("/")[2]
    assert await invoices.open_link(selling, token) == await invoices.render_invoice(acme, invoice.id)
    await acme.db.call("HSET", keys.tenant(acme.tenant), "status", "deleted")
    with pytest.raises(NotFound):
        await invoices.open_link(selling, token)


async def test_a_token_of_another_tenant_invoice_secret_or_form_opens_nothing(one_ctx: Context) -> None:
    acme, globex = await customer(one_ctx), await customer(one_ctx, "Globex")
    ours, theirs = await invoiced(acme), await invoiced(globex)
    secrets = one_ctx.parts.secrets
    token = invoice_link.token_of(secrets, acme.tenant, ours.id)
    tenant, invoice, mac = token.split(".")
    assert await invoices.open_link(one_ctx, token)
    wrong = [
        f"{ids.bare(globex.tenant)}.{invoice}.{mac}",
        f"{tenant}.{ids.bare(theirs.id)}.{mac}",
        f"{tenant}.{invoice}.{'0' * 40}",
        f"{tenant}.{invoice}.{mac[:-1]}",
        f"{tenant}.{invoice}.{mac.upper()}",
        f"{token}\n",
        f" {token}",
        "",
        "..",
        f"{tenant}.{invoice}.{mac}.{mac}",
        invoice_link.token_of(secrets, acme.tenant, theirs.id),
        invoice_link.token_of(secrets, globex.tenant, ours.id),
        invoice_link.token_of(secrets, f"ten_{'0' * 26}", f"inv_{'0' * 26}"),
    ]
    told = set()
    for each in wrong:
        with pytest.raises(NotFound) as refused:
            await invoices.open_link(one_ctx, each)
        told.add(str(refused.value))
    assert len(told) == 1


async def test_after_the_erasure_of_its_buyer_an_invoice_names_nobody(one_ctx: Context) -> None:
    acme = await recorded(await customer(one_ctx), **ACME)
    invoice = await invoiced(acme)
    await acme.db.call("DEL", keys.data_key(acme.tenant, acme.tenant))
    assert (await invoices.read_invoice(acme, invoice.id)).buyer.name == ""
    assert (await invoices.render_invoice(acme, invoice.id)).buyer[1].name == ""


async def test_a_final_invoice_is_mailed_once_with_its_link_and_its_pdf(selling: Context) -> None:
    acme = await recorded(await customer(selling), **ACME)
    invoice = await invoiced(acme)
    [message] = await worked(acme)
    shown = await invoices.read_invoice(acme, invoice.id)
    assert message.to == "contas@acai.example"
    assert message.subject == "Fatura INV-000001 de Serviços & Cia."
    assert shown.page in message.text
    assert "R$\xa0149,00" in message.text
    path = notifications.OutboxFolder.of(acme.settings).path(message.id)
    whole = message_from_bytes(path.read_bytes(), EmailMessage, policy=SMTPUTF8)
    [attached] = whole.iter_attachments()
    assert (attached.get_content_type(), attached.get_filename()) == ("application/pdf", "INV-000001.pdf")
    assert "INV-000001" in PdfReader(BytesIO(attached.get_content())).pages[0].extract_text()


async def test_an_invoice_is_sent_again_to_the_billing_email_of_now(selling: Context) -> None:
    acme = await recorded(await customer(selling), **ACME)
    invoice = await invoiced(acme)
    await worked(acme)
    acme = await recorded(acme, billing_email="novo@acai.example")
    sending = await resend_invoice(acme, invoice.id)
    assert (sending.sent, sending.to) == (True, "novo@acai.example")
    assert sorted(one.to for one in await worked(acme)) == ["contas@acai.example", "novo@acai.example"]


async def test_without_a_billing_email_nothing_is_sent_and_that_is_said(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    invoice = await invoiced(acme)
    before = await acme.db.call("XLEN", keys.events(acme.tenant))
    sending = await resend_invoice(acme, invoice.id)
    assert (sending.sent, sending.to) == (False, "")
    assert await acme.db.call("XLEN", keys.events(acme.tenant)) == before
    assert await worked(acme) == []


async def test_an_invoice_that_became_void_before_its_mail_was_written_is_not_sent(one_ctx: Context) -> None:
    acme = await recorded(await customer(one_ctx), **ACME)
    invoice = await invoiced(acme)
    await put(acme, invoice.id, status="void")
    assert await worked(acme) == []
    with pytest.raises(MoveImpossible):
        await resend_invoice(acme, invoice.id)


async def test_of_the_operators_numbers_an_invoice_is_mailed_once_it_has_its_own(one_ctx: Context) -> None:
    settings = msgspec.structs.replace(one_ctx.settings, invoice_numbers="operator")
    ctx = msgspec.structs.replace(one_ctx, parts=msgspec.structs.replace(one_ctx.parts, settings=settings))
    acme = await recorded(await customer(ctx), **ACME)
    invoice, note = await billed(acme)
    await advance(acme)
    assert [one.subject for one in await worked(acme)] == [f"Fatura {invoice.number or 'INV-000001'} de VeloFlux"]
    assert (await store.invoice(acme, invoice.id)).number == "INV-000001"
    assert (await store.credit_note(acme, note.id)).number


async def test_an_invoice_that_asks_for_nothing_is_not_mailed(one_ctx: Context) -> None:
    acme = await recorded(await customer(one_ctx), **ACME)
    await billed(acme)  # gave the wallet as much as the next invoice is
    await worked(acme)
    acme = acme.within(tenants.scope_of(await set_clock(acme, "stopped", acme.now() + DAY_MS)), acme.permissions)
    second = await invoiced(acme)
    assert (second.status, second.credit) == ("paid", 14_900)
    assert [one.subject for one in await worked(acme)] == ["Fatura INV-000001 de VeloFlux"]
