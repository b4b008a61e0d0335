"""Work that waits or died, of all tenants."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

from litestar import get, post
from litestar.params import QueryParameter

from veloflux import jobs, tenants
from veloflux.kit import ids
from veloflux.kit.page import Page as Found
from veloflux.web.console.page import Html, Page

HERE = "/console/jobs"
STATES = ("waiting", "dead")
State = Annotated[str, QueryParameter(name="state")]


@get("/console/jobs", operation_id="console.jobs", platform="jobs:read")
async def list_jobs(page: Page, shown: State = "waiting", cursor: str = "") -> Html:
    return await _show(page, shown if shown in STATES else "waiting", cursor)


@post("/console/jobs/{owner:str}/{job:str}/retry", operation_id="console.jobs.retry", platform="jobs:write")
async def retry_job(page: Page, owner: str, job: str) -> Html:
    with page.keeping_form():
        await jobs.retry(page.ctx, owner, job)
        return page.go(f"{HERE}?state=dead", done="jobs.retry")
    return await _show(page, "dead")


async def _show(page: Page, state: str, cursor: str = "") -> Html:
    found = await jobs.dead(page.ctx, cursor) if state == "dead" else Found(await jobs.waiting(page.ctx))
    return page.show(
        "jobs.html",
        at=f"{HERE}?state={state}" if page.problem else "",
        jobs=found.items,
        next=found.next,
        owners=await _names(page, {job.owner for job in found.items}),
        state=state,
        states=STATES,
    )


async def _names(page: Page, owners: Iterable[str]) -> dict[str, str]:
    """The names of those owners that are tenants."""
    wanted = [owner for owner in owners if ids.is_id(owner, "ten")]
    found = await asyncio.gather(*(tenants.find(page.ctx, owner) for owner in wanted), return_exceptions=True)
    return {tenant.id: tenant.name for tenant in found if isinstance(tenant, tenants.Tenant)}


ROUTES = (list_jobs, retry_job)
