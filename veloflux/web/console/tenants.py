"""The list of tenants, and the form that makes one."""

from typing import Any

import msgspec
from litestar import get, post

from veloflux import tenants
from veloflux.errors import InputInvalid
from veloflux.identity import Language
from veloflux.plans import read_catalogue
from veloflux.tenants.model import Mode
from veloflux.web.console.page import Html, Page

HERE = "/console/tenants"


@get("/console/tenants", operation_id="console.tenants", access="session", sso=True)
async def list_tenants(page: Page, cursor: str = "", archived: bool = False) -> Html:
    return await _show(page, cursor, archived=archived)


@post("/console/tenants", operation_id="console.tenants.create", access="session")
async def create_tenant(page: Page) -> Html:
    form = page.form
    with page.keeping_form():
        tenant = await tenants.create_tenant(
            page.ctx,
            form["name"],
            slug=form["slug"].strip(),
            plan=form["plan"],
            zone=form["zone"],
            currency=form["currency"],
            language=_one_of(Language, form["language"], "language"),
            mode=_one_of(Mode, form["mode"], "mode"),
        )
        return page.go(f"/console/t/{tenant.slug}/usage", done="tenants.create")
    return await _show(page)


async def _show(page: Page, cursor: str = "", *, archived: bool = False) -> Html:
    found = await tenants.list_tenants(page.ctx, cursor, archived=archived)
    plans = (await read_catalogue(page.ctx.db)).plans
    plans = plans if "tenants:write" in page.platform else plans[:1]
    return page.show(
        "tenants.html",
        at=HERE if page.problem else "",
        rows=found.items,
        next=found.next,
        archived=archived,
        plans=[(plan.id, plan.name) for plan in plans],
        zones=sorted(tenants.zones()),
        currencies=sorted(tenants.currencies()),
    )


def _one_of(choices: Any, value: str, field: str) -> Any:
    try:
        return msgspec.convert(value, choices)
    except msgspec.ValidationError:
        raise InputInvalid(f"{value[:60]!r} is none of the choices", field=field) from None


ROUTES = (list_tenants, create_tenant)
