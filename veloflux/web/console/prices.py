"""What is charged: the operators' pages of a plan's prices and of add-ons, coupons and taxes, with what would change
before it does."""

from typing import Any

from litestar import get

from veloflux import tenants
from veloflux.plans import Catalogue, Plan, pick_plan, read_catalogue
from veloflux.tenants.apply_catalogue import Applied, put_offers
from veloflux.web.console.catalogue_text import line_changes, offers_text, read_offers, read_terms, terms_text
from veloflux.web.console.page import Html, Page

PLAN, OFFERS = "/console/plans/{plan:str}", "/console/offers"


@get(PLAN, operation_id="console.plan_prices", platform="plans:read")
async def plan_prices(page: Page, plan: str) -> Html:
    return await _show_terms(page, plan)


@get(OFFERS, operation_id="console.offers", platform="plans:read")
async def offers(page: Page) -> Html:
    return await _show_offers(page)


async def apply_terms(page: Page) -> Html:
    """Part of `plans.apply`: how a plan is billed."""
    id_, text, seen = page.form["id"], page.form["text"], None
    with page.keeping_form():
        plan = read_terms(text, pick_plan((await read_catalogue(page.ctx.db)).plans, id_))
        seen = await tenants.put_plan(page.ctx, plan, version=_version(page), dry_run=_is_dry(page))
        if not seen.dry_run:
            return page.go(f"/console/plans/{id_}", done="plans.apply")
    return await _show_terms(page, id_, seen)


async def apply_offers(page: Page) -> Html:
    """Part of `plans.apply`: add-ons, coupons and taxes."""
    seen = None
    with page.keeping_form():
        wanted = read_offers(page.form["text"])
        seen = await put_offers(page.ctx, wanted, version=_version(page), dry_run=_is_dry(page))
        if not seen.dry_run:
            return page.go(OFFERS, done="plans.apply")
    return await _show_offers(page, seen)


async def _show_terms(page: Page, id_: str, seen: Applied | None = None) -> Html:
    found = await read_catalogue(page.ctx.db)
    plan = pick_plan(found.plans, id_)
    former = [one for one in found.former_plans if one.id == id_]
    return _show(page, "prices.html", found, terms_text(plan), seen, plan=plan, former=former[::-1])


async def _show_offers(page: Page, seen: Applied | None = None) -> Html:
    found = await read_catalogue(page.ctx.db)
    return _show(page, "offers.html", found, offers_text(found), seen)


def _show(page: Page, template: str, found: Catalogue, text: str, seen: Applied | None, **values: Any) -> Html:
    plan: Plan | None = values.get("plan")
    return page.show(
        template,
        at=(f"/console/plans/{plan.id}" if plan else OFFERS) if page.form else "",
        catalogue=found,
        text=text,
        seen=seen,
        lines=line_changes(text, page.form["text"]) if seen else [],
        **values,
    )


def _is_dry(page: Page) -> bool:
    return page.form["apply"] != "1"


def _version(page: Page) -> int:
    """Of the catalogue that the text was made from."""
    text = page.form["version"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


ROUTES = (plan_prices, offers)
