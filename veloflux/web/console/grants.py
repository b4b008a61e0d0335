"""Credits, on the page of a tenant's plan: operators give and void them."""

from typing import Any

from litestar import post

from veloflux.errors import InputInvalid
from veloflux.limits.credits import grant_credit, void_grant
from veloflux.limits.grant import Terms
from veloflux.web.console.form import converted
from veloflux.web.console.page import Html, Page
from veloflux.web.console.plan import midnight, show

NUMBERS = ("amount", "priority", "rolls_over")


@post("/console/t/{tenant:str}/credits", operation_id="console.credits.grant", permission="credits:write")
async def grant(page: Page) -> Html:
    with page.keeping_form():
        await grant_credit(page.ctx, _terms(page))
        return page.go(f"{page.home}/plan", done="credits.grant")
    return await show(page)


@post(
    "/console/t/{tenant:str}/credits/{grant:str}/void", operation_id="console.credits.void", permission="credits:write"
)
async def void(page: Page, grant: str) -> Html:
    with page.keeping_form():
        await void_grant(page.ctx, grant)
        return page.go(f"{page.home}/plan", done="credits.void")
    return await show(page)


def _terms(page: Page) -> Terms:
    form = page.form
    values: dict[str, Any] = {"meter": form["meter"], "recurrence": form["recurrence"] or "none", "note": form["note"]}
    values |= {name: _number(form[name], name) for name in NUMBERS if form[name]}
    if form["starts_at"]:
        values["starts_at"] = midnight(page, "starts_at")
    if form["expires_at"]:
        values["expires_at"] = midnight(page, "expires_at", days_later=1)
    return converted(values, Terms, "amount")


def _number(text: str, field: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputInvalid("Write a whole number", field=field) from None


ROUTES = (grant, void)
