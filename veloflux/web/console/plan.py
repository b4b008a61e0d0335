"""A tenant's plan and what it has beside it, which operators change."""

import datetime as dt
from typing import Any

from litestar import get, post

from veloflux import tenants
from veloflux.errors import InputInvalid
from veloflux.kit.period import billing_period, day_of, day_start
from veloflux.limits.change_plan import change_plan
from veloflux.limits.credits import list_grants
from veloflux.limits.overrides import list_overrides, remove_override, set_override
from veloflux.plans import Override, read_catalogue
from veloflux.plans.catalogue import SUMS
from veloflux.web.console.form import converted
from veloflux.web.console.page import Html, Page
from veloflux.web.console.plan_lines import read_value


@get("/console/t/{tenant:str}/plan", operation_id="console.plan", permission="tenant:read")
async def plan(page: Page, plan: str = "", cursor: str = "") -> Html:
    return await show(page, plan, cursor)


@post("/console/t/{tenant:str}/plan", operation_id="console.tenants.change_plan", permission="plan:write")
async def change(page: Page) -> Html:
    with page.keeping_form():
        await change_plan(page.ctx, page.form["plan"])
        return page.go(f"{page.home}/plan", done="tenants.change_plan")
    return await show(page)


@post(
    "/console/t/{tenant:str}/billing-anchor",
    operation_id="console.tenants.set_billing_anchor",
    permission="plan:write",
)
async def set_billing_anchor(page: Page) -> Html:
    with page.keeping_form():
        await tenants.set_billing_anchor(page.ctx, _day(page, "anchor"))
        return page.go(f"{page.home}/plan", done="tenants.set_billing_anchor")
    return await show(page)


@post("/console/t/{tenant:str}/overrides", operation_id="console.overrides.set", permission="plan:write")
async def set_(page: Page) -> Html:
    with page.keeping_form():
        await set_override(page.ctx, _override(page))
        return page.go(f"{page.home}/plan", done="overrides.set")
    return await show(page)


@post(
    "/console/t/{tenant:str}/overrides/{override:str}/remove",
    operation_id="console.overrides.remove",
    permission="plan:write",
)
async def remove(page: Page, override: str) -> Html:
    with page.keeping_form():
        await remove_override(page.ctx, override)
        return page.go(f"{page.home}/plan", done="overrides.remove")
    return await show(page)


async def show(page: Page, wanted: str = "", cursor: str = "") -> Html:
    """The page of a tenant's plan, its overrides and credits; of a plan that is wanted, what would change."""
    found = await read_catalogue(page.ctx.db)
    known = [(plan.id, plan.name) for plan in found.plans]
    may = "plan:write" in page.ctx.permissions and wanted in dict(known)
    sees_credits = "credits:read" in page.ctx.permissions
    grants = await list_grants(page.ctx, cursor) if sees_credits else None
    preview = await change_plan(page.ctx, wanted, dry_run=True) if may else None
    return page.show(
        "plan.html",
        at=f"{page.home}/plan" if page.problem else "",
        plans=known,
        preview=preview,
        overrides=await list_overrides(page.ctx),
        grants=grants,
        meters=[(meter.name, meter.display_name or meter.name) for meter in found.meters if meter.aggregation in SUMS],
        now=page.ctx.now(),
        billing=_billing(page),
    )


def _billing(page: Page) -> tuple[dt.date, dt.date, int]:
    """First and last day of the present billing period, and on which day of a month one begins."""
    assert page.tenant
    anchor = page.tenant.billing_anchor
    first, after = billing_period(day_of(page.ctx.now(), page.tenant.zone), anchor)
    return first, after - dt.timedelta(days=1), dt.date.fromisoformat(anchor).day if anchor else 1


def _override(page: Page) -> Override:
    form, value = page.form, page.form["value"].strip()
    values: dict[str, Any] = {"kind": form["kind"], "name": form["name"].strip()}
    values["value"] = None if value in ("", "none") else read_value(value)
    if form["kind"] == "quota":
        values |= {"period": form["period"] or "month", "hard": form["soft"] != "1"}
    if form["until"]:
        values["until"] = midnight(page, "until", days_later=1)
    return converted(values, Override, "value")


def midnight(page: Page, field: str, days_later: int = 0) -> int:
    """Epoch ms at which the day that a form has begins in the tenant's zone, or one so many days later."""
    assert page.tenant
    return day_start(_day(page, field, days_later), page.tenant.zone)


def _day(page: Page, field: str, days_later: int = 0) -> dt.date:
    try:
        return dt.date.fromisoformat(page.form[field]) + dt.timedelta(days=days_later)
    except (ValueError, OverflowError):
        raise InputInvalid("Write the day like 2026-12-31", field=field) from None


ROUTES = (plan, change, set_billing_anchor, set_, remove)
