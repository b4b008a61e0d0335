"""A tenant's invoices, and its ledger."""

from litestar import get

from veloflux.billing import read_invoices
from veloflux.kit.page import LIMIT
from veloflux.ledger.check import check_ledger
from veloflux.ledger.trial_balance import list_postings, read_trial_balances
from veloflux.web.console.page import Html, Page


@get("/console/t/{tenant:str}/invoices", operation_id="console.invoices", permission="billing:read")
async def list_(page: Page, cursor: str = "") -> Html:
    found = await read_invoices(page.ctx.db, page.ctx.tenant, cursor, LIMIT)
    return page.show("invoices.html", invoices=found.items, next=found.next, cursor=cursor)


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


ROUTES = (list_, ledger)
