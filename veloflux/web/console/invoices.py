"""A tenant's invoices, and its ledger."""

from litestar import get
from msgspec.structs import replace

from veloflux.billing import read_invoice, read_invoices
from veloflux.billing.invoices.buyer import opened
from veloflux.billing.printing.parties import Heading, buyer_of
from veloflux.billing.printing.rendered import Sides, rendered_invoice, rendered_lines, writing_of
from veloflux.kit.page import LIMIT
from veloflux.ledger.check import check_ledger
from veloflux.ledger.trial_balance import list_postings, read_trial_balances
from veloflux.web.console.page import Html, Page


@get("/console/t/{tenant:str}/invoices", operation_id="console.invoices", permission="billing:read")
async def list_(page: Page, cursor: str = "") -> Html:
    found = await read_invoices(page.ctx.db, page.ctx.tenant, cursor, LIMIT)
    return page.show("invoices.html", invoices=found.items, next=found.next, cursor=cursor)


@get("/console/t/{tenant:str}/invoices/{invoice:str}", operation_id="console.invoice", permission="billing:read")
async def show(page: Page, invoice: str) -> Html:
    """In the reader's language, whatever that of the document is."""
    found = await read_invoice(page.ctx, invoice)
    told = replace(found, language=page.language)
    sides = Sides(Heading(""), buyer_of(await opened(page.ctx, found), page.language))
    return page.show(
        "invoice.html",
        invoice=found,
        buyer=sides.buyer,
        rows=rendered_lines(writing_of(told), found.lines),
        sums=rendered_invoice(told, sides).sums if found.totals else (),
    )


@get("/console/t/{tenant:str}/ledger", operation_id="console.ledger", permission="billing:read")
async def ledger(page: Page, through: str = "", cursor: str = "") -> Html:
    balances, postings, checked = [], None, None
    with page.keeping_form():
        postings = await list_postings(page.ctx, cursor)
        balances = await read_trial_balances(page.ctx, through)
        checked = await check_ledger(page.ctx.db, page.ctx.tenant)
    return page.show(
        "ledger.html", balances=balances, postings=postings, checked=checked, through=through, cursor=cursor
    )


ROUTES = (list_, show, ledger)
