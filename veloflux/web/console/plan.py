"""A tenant's plan and what it has beside it, which operators change."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import get, post

from veloflux.errors import InputInvalid
from veloflux.limits.change_plan import change_plan
from veloflux.limits.overrides import list_overrides, remove_override, set_override
from veloflux.plans import Override, read_catalogue
from veloflux.web.console.page import Html, Page
from veloflux.web.console.plan_lines import read_value


@get("/console/t/{tenant:str}/plan", operation_id="console.plan", permission="tenant:read")
async def plan(page: Page, plan: str = "") -> Html:
    return await _show(page, plan)


@post("/console/t/{tenant:str}/plan", operation_id="console.tenants.change_plan", permission="plan:write")
async def change(page: Page) -> Html:
    with page.keeping_form():
        await change_plan(page.ctx, page.form["plan"])
        return page.go(f"{page.home}/plan", done="tenants.change_plan")
    return await _show(page)


@post("/console/t/{tenant:str}/overrides", operation_id="console.overrides.set", permission="plan:write")
async def set_(page: Page) -> Html:
    with page.keeping_form():
        await set_override(page.ctx, _override(page))
        return page.go(f"{page.home}/plan", done="overrides.set")
    return await _show(page)


@post(
    "/console/t/{tenant:str}/overrides/{override:str}/remove",
    operation_id="console.overrides.remove",
    permission="plan:write",
)
async def remove(page: Page, override: str) -> Html:
    with page.keeping_form():
        await remove_override(page.ctx, override)
        return page.go(f"{page.home}/plan", done="overrides.remove")
    return await _show(page)


async def _show(page: Page, wanted: str = "") -> Html:
    found = await read_catalogue(page.ctx.db)
    known = [(plan.id, plan.name) for plan in found.plans]
    may = "plan:write" in page.ctx.permissions and wanted in dict(known)
    preview = await change_plan(page.ctx, wanted, dry_run=True) if may else None
    return page.show(
        "plan.html",
        at=f"{page.home}/plan" if page.problem else "",
        plans=known,
        preview=preview,
        overrides=await list_overrides(page.ctx),
    )


def _override(page: Page) -> Override:
    form, value = page.form, page.form["value"].strip()
    values: dict[str, Any] = {"kind": form["kind"], "name": form["name"].strip()}
    values["value"] = None if value in ("", "none") else read_value(value)
    if form["kind"] == "quota":
        values |= {"period": form["period"] or "month", "hard": form["soft"] != "1"}
    if form["until"]:
        values["until"] = _end_of(form["until"], page)
    try:
        return msgspec.convert(values, Override)
    except msgspec.ValidationError as error:
        fault, _, place = str(error).partition(" - at `$.")
        raise InputInvalid(fault, field=place.rstrip("`") or "value") from None


def _end_of(day: str, page: Page) -> int:
    """Epoch ms of the end of a day in the tenant's zone."""
    assert page.tenant
    try:
        on = dt.date.fromisoformat(day) + dt.timedelta(days=1)
    except (ValueError, OverflowError):
        raise InputInvalid("Write the day like 2026-12-31", field="until") from None
    return round(dt.datetime(on.year, on.month, on.day, tzinfo=ZoneInfo(page.tenant.zone)).timestamp() * 1000)


ROUTES = (plan, change, set_, remove)
