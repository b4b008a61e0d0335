"""One invoice: what it says, how far it is settled, and what may become of it."""

from collections.abc import Awaitable
from typing import Any

from litestar import get, post
from msgspec.structs import replace

from veloflux import tenants
from veloflux.billing import read_invoice
from veloflux.billing.invoices.buyer import opened
from veloflux.billing.invoices.credit_note import CreditWanted, credit_invoice, left_to_credit
from veloflux.billing.invoices.link import link_of
from veloflux.billing.invoices.mail import resend_invoice
from veloflux.billing.invoices.reading import credit_notes_of
from veloflux.billing.invoices.void import void
from veloflux.billing.invoices.write_off import write_off
from veloflux.billing.model import Invoice
from veloflux.billing.payments.pay import Pay, pay
from veloflux.billing.printing.parties import Heading, buyer_of
from veloflux.billing.printing.rendered import Sides, rendered_invoice, rendered_lines, writing_of
from veloflux.billing.printing.writing import Writing
from veloflux.billing.states import INVOICE, possible
from veloflux.context import Context
from veloflux.errors import InputInvalid
from veloflux.kit import ids, money
from veloflux.web.console.amounts import amount_of
from veloflux.web.console.form import converted
from veloflux.web.console.page import Html, Page

ONE = "/console/t/{tenant:str}/invoices/{invoice:str}"
FIELDS = ("amount", "provider", "reference", "credited_line", "credited_amount", "reason", "refunded_by")


@get(ONE, operation_id="console.invoice", permission="billing:read")
async def show(page: Page, invoice: str) -> Html:
    return await _show(page, invoice)


@post(f"{ONE}/payments", operation_id="console.invoices.pay", permission="billing:write")
async def pay_(page: Page, invoice: str) -> Html:
    return await _do(page, invoice, "pay", _pay(page, invoice))


@post(f"{ONE}/credit-notes", operation_id="console.invoices.credit", permission="billing:write")
async def credit(page: Page, invoice: str) -> Html:
    """All that is left of it, or something of one line."""
    return await _do(page, invoice, "credit", _credit(page, invoice))


@post(f"{ONE}/void", operation_id="console.invoices.void", permission="billing:write")
async def void_(page: Page, invoice: str) -> Html:
    return await _do(page, invoice, "void", void(page.ctx, invoice))


@post(f"{ONE}/write-off", operation_id="console.invoices.write_off", permission="billing:write")
async def write_off_(page: Page, invoice: str) -> Html:
    return await _do(page, invoice, "write_off", write_off(page.ctx, invoice))


@post(f"{ONE}/send", operation_id="console.invoices.send", permission="billing:write")
async def send(page: Page, invoice: str) -> Html:
    return await _do(page, invoice, "send", resend_invoice(page.ctx, invoice))


async def _pay(page: Page, invoice: str) -> None:
    """:raises InputInvalid: the form says no amount, or no provider as they are called. Else as `pay`."""
    found = await read_invoice(page.ctx, invoice)
    amount = amount_of(page.form["amount"], found.currency, "amount")
    said = {name: page.form[name] for name in ("provider", "reference", "id") if page.form[name]}
    await pay(page.ctx, invoice, converted(said | {"amount": amount}, Pay))


async def _credit(page: Page, invoice: str) -> None:
    """:raises InputInvalid: the form says no line, amount or provider as it should. Else as `credit_invoice`."""
    said: dict[str, Any] = {name: page.form[name] for name in ("reason", "refunded_by", "id") if page.form[name]}
    if page.form["credited_line"] or page.form["credited_amount"]:
        said["lines"] = [await _credited_line(page, await read_invoice(page.ctx, invoice))]
    await credit_invoice(page.ctx, invoice, converted(said, CreditWanted))


async def _credited_line(page: Page, invoice: Invoice) -> dict[str, int]:
    """The line that the form names, and what of it: without a word all that is left of the line."""
    left, text = await _left(page.ctx, invoice, page.form["id"]), page.form["credited_amount"].strip()
    place = next((one for one in left if str(one) == page.form["credited_line"]), None)
    if place is None:
        raise InputInvalid("Choose the line that is credited", field="credited_line")
    amount = amount_of(text, invoice.currency, "credited_amount") if text else left[place]
    if not 0 < amount <= left[place]:
        raise InputInvalid("This is nothing, or more than is left of the line", field="credited_amount")
    return {"line": place, "amount": amount}


async def _left(ctx: Context, invoice: Invoice, once: str = "") -> dict[int, int]:
    """What of each line can be credited, by its place: where another line is a credit, not more than both come to."""
    left = await left_to_credit(ctx, invoice, once)
    return {place: min(amount, sum(left)) for place, amount in enumerate(left) if min(amount, sum(left)) > 0}


async def _do(page: Page, invoice: str, what: str, doing: Awaitable[object]) -> Html:
    with page.keeping_form():
        await doing
        return page.go(f"{page.home}/invoices/{invoice}", done=f"invoices.{what}")
    return await _show(page, invoice)


async def _show(page: Page, invoice: str) -> Html:
    """In the reader's language, whatever that of the document is."""
    found, record = await read_invoice(page.ctx, invoice), await tenants.read_record(page.ctx)
    page.blame(*FIELDS)
    told = replace(found, language=page.language)
    writing = writing_of(told)
    sides = Sides(Heading(""), buyer_of(await opened(page.ctx, found), page.language))
    return page.show(
        "invoice.html",
        at=f"{page.home}/invoices/{invoice}" if page.problem else "",
        invoice=found,
        possible=possible(INVOICE, found.status),
        buyer=sides.buyer,
        rows=rendered_lines(writing, found.lines),
        sums=rendered_invoice(told, sides).sums if found.totals else (),
        hosted=link_of(page.ctx, found),
        mailed_to=record.billing_email,
        credit_notes=await credit_notes_of(page.ctx, found),
        creditable=await _creditable(page.ctx, found, writing),
        left=str(money.major(found.left, found.currency)) if found.left else "",
        once=ids.new("pay"),
    )


async def _creditable(ctx: Context, invoice: Invoice, writing: Writing) -> list[tuple[str, str]]:
    """The lines of which something can be credited: their places, and what people know them by."""
    rows = rendered_lines(writing, invoice.lines)
    return [
        (str(place), " · ".join(part for part in (rows[place].name, rows[place].about, writing.money(amount)) if part))
        for place, amount in (await _left(ctx, invoice)).items()
    ]


ROUTES = (show, pay_, credit, void_, write_off_, send)
