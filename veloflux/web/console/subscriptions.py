"""What a tenant has subscribed to, and the form that begins something more."""

import asyncio
from typing import Any

from litestar import get, post

from veloflux.billing import read_subscriptions
from veloflux.billing.states import RUNNING
from veloflux.billing.subscriptions.start import Start, start
from veloflux.plans import Catalogue, Plan, pick_plan, read_catalogue
from veloflux.plans.terms import currencies_of
from veloflux.web.console.form import converted
from veloflux.web.console.page import Html, Page
from veloflux.web.console.selection import add_ons_of, quantities_of, whole_number

FIELDS = ("plan", "currency", "quantit", "add_on", "coupons", "trial_days", "billing_day")
"""How the names of the form's fields begin."""


@get("/console/t/{tenant:str}/subscriptions", operation_id="console.subscriptions", permission="billing:read")
async def list_(page: Page, plan: str = "") -> Html:
    return await _show(page, plan)


@post("/console/t/{tenant:str}/subscriptions", operation_id="console.subscriptions.start", permission="billing:write")
async def start_(page: Page) -> Html:
    with page.keeping_form():
        begun = await start(page.ctx, _wanted(page, await read_catalogue(page.ctx.db)), page.form["once"])
        return page.go(f"{page.home}/subscriptions/{begun.id}", done="subscriptions.start")
    return await _show(page, page.form["plan"])


def _wanted(page: Page, catalogue: Catalogue) -> Start:
    """:raises PlanUnknown, InputInvalid: what the form says cannot be wanted."""
    form = page.form
    plan = pick_plan(catalogue.plans, form["plan"])
    values: dict[str, Any] = {
        "plan": plan.id,
        "currency": form["currency"] or None,
        "quantities": quantities_of(form, plan),
        "add_ons": add_ons_of(form, catalogue.addons),
        "coupons": [coupon.id for coupon in catalogue.coupons if form[f"coupon-{coupon.id}"]],
        "trial_days": whole_number(form["trial_days"], "trial_days") if form["trial_days"] else None,
        "billing_day": whole_number(form["billing_day"] or "0", "billing_day"),
        "calendar": bool(form["calendar"]),
    }
    return converted(values, Start)


async def _show(page: Page, wanted: str) -> Html:
    found, catalogue = await asyncio.gather(
        read_subscriptions(page.ctx.db, page.ctx.tenant), read_catalogue(page.ctx.db)
    )
    for_sale = [plan for plan in catalogue.plans if currencies_of(plan)]
    chosen = next((plan for plan in for_sale if plan.id == wanted), None)
    page.blame(*FIELDS)
    return page.show(
        "subscriptions.html",
        at=f"{page.home}/subscriptions" if page.problem else "",
        subscriptions=found,
        names={plan.id: plan.name for plan in (*catalogue.former_plans, *catalogue.plans)},
        running=RUNNING,
        plans=for_sale,
        chosen=chosen,
        offer=_offer(page, catalogue, chosen) if chosen else {},
        once=page.form["once"] or page.ctx.request,
    )


def _offer(page: Page, catalogue: Catalogue, plan: Plan) -> dict[str, Any]:
    """What can be chosen with a plan."""
    assert page.tenant
    currencies = currencies_of(plan)
    return {
        "currencies": currencies,
        "currency": page.tenant.currency if page.tenant.currency in currencies else currencies[0],
        "add_ons": [one for one in catalogue.addons if one.recurring and set(one.prices) & set(currencies)],
        "coupons": [one for one in catalogue.coupons if not one.plans or plan.id in one.plans],
    }


ROUTES = (list_, start_)
