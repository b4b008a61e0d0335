"""A tenant's settings: its name, and what may become of it."""

from collections.abc import Awaitable

import msgspec
from litestar import get, post

from veloflux import tenants
from veloflux.billing.zone import set_zone as change_zone
from veloflux.tenants import RecordChange, Tenant
from veloflux.tenants.shown import RecordShown
from veloflux.web.console.page import Html, Page

RECORD = [name for name in RecordShown.__struct_fields__ if name != "metadata"]
"""The fields of the form; metadata is for programs."""


@get("/console/t/{tenant:str}/settings", operation_id="console.settings", permission="tenant:read")
async def settings(page: Page) -> Html:
    return await _show(page)


@post("/console/t/{tenant:str}/record", operation_id="console.tenants.change_record", permission="tenant:write")
async def change_record(page: Page) -> Html:
    change = msgspec.convert({name: page.form[name] for name in RECORD}, RecordChange)
    with page.keeping_form():
        await tenants.change_record(page.ctx, change)
        return page.go(f"{page.home}/settings", done="tenants.change_record")
    return await _show(page)


@post("/console/t/{tenant:str}/rename", operation_id="console.tenants.rename", permission="tenant:write")
async def rename(page: Page) -> Html:
    name, slug = page.form["name"], page.form["slug"].strip()
    return await _do(page, "tenants.rename", tenants.rename_tenant(page.ctx, name, slug))


@post("/console/t/{tenant:str}/zone", operation_id="console.tenants.set_zone", permission="plan:write")
async def set_zone(page: Page) -> Html:
    return await _do(page, "tenants.set_zone", change_zone(page.ctx, page.form["zone"]))


@post(
    "/console/t/{tenant:str}/second-factor",
    operation_id="console.tenants.require_second_factor",
    permission="sign_in:write",
)
async def require_second_factor(page: Page) -> Html:
    change = tenants.require_second_factor(page.ctx, page.form["required"] == "true")
    return await _do(page, "tenants.require_second_factor", change)


@post(
    "/console/t/{tenant:str}/failure-policy",
    operation_id="console.tenants.set_failure_policy",
    permission="tenant:write",
)
async def set_failure_policy(page: Page) -> Html:
    change = tenants.set_failure_policy(page.ctx, page.form["fails_open"] == "true")
    return await _do(page, "tenants.set_failure_policy", change)


@post("/console/t/{tenant:str}/origins", operation_id="console.tenants.set_origins", permission="tenant:write")
async def set_origins(page: Page) -> Html:
    origins = page.form["origins"].replace(",", " ").split()
    return await _do(page, "tenants.set_origins", tenants.set_origins(page.ctx, origins))


@post("/console/t/{tenant:str}/suspend", operation_id="console.tenants.suspend", permission="tenant:suspend")
async def suspend(page: Page) -> Html:
    return await _do(page, "tenants.suspend", tenants.suspend_tenant(page.ctx, page.form["reason"]))


@post("/console/t/{tenant:str}/resume", operation_id="console.tenants.resume", permission="tenant:suspend")
async def resume(page: Page) -> Html:
    return await _do(page, "tenants.resume", tenants.resume_tenant(page.ctx))


@post("/console/t/{tenant:str}/archive", operation_id="console.tenants.archive", permission="tenant:close")
async def archive(page: Page) -> Html:
    return await _do(page, "tenants.archive", tenants.archive_tenant(page.ctx))


@post("/console/t/{tenant:str}/delete", operation_id="console.tenants.delete", permission="tenant:close")
async def delete(page: Page) -> Html:
    return await _do(page, "tenants.delete", tenants.delete_tenant(page.ctx, page.form["confirm"].strip()))


@post("/console/t/{tenant:str}/restore", operation_id="console.tenants.restore", permission="tenant:close")
async def restore(page: Page) -> Html:
    return await _do(page, "tenants.restore", tenants.restore_tenant(page.ctx))


async def _do(page: Page, done: str, change: Awaitable[Tenant]) -> Html:
    with page.keeping_form():
        tenant = await change
        return page.go(f"/console/t/{tenant.slug}/settings", done=done)
    return await _show(page)


async def _show(page: Page) -> Html:
    may_see = "tenant:write" in page.ctx.permissions
    record = RecordShown.of(await tenants.read_record(page.ctx)) if may_see else None
    days, zones = page.ctx.settings.tenant_grace_days, sorted(tenants.zones())
    return page.show("settings.html", at=f"{page.home}/settings", days=days, record=record, zones=zones)


ROUTES = (
    settings,
    change_record,
    rename,
    set_zone,
    require_second_factor,
    set_failure_policy,
    set_origins,
    suspend,
    resume,
    archive,
    delete,
    restore,
)
