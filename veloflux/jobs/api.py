"""Routes of jobs, for operators."""

from typing import Annotated, Literal

from litestar import get, post
from litestar.params import Parameter, QueryParameter

from veloflux import jobs
from veloflux.context import Context
from veloflux.db.jobs import Job
from veloflux.kit import page
from veloflux.kit.page import Page

Which = Annotated[
    Literal["dead", "waiting"], QueryParameter(name="state", description="Dead jobs, or those that wait for their time")
]
Owner = Annotated[str | None, Parameter(description="Only jobs of this owner, waiting and dead", examples=[])]
Limit = Annotated[int, Parameter(ge=1, le=page.LIMIT_MAX)]


@get("/api/jobs", operation_id="jobs.list", platform="jobs:read", summary="List jobs", tags=["jobs"])
async def list_jobs(
    ctx: Context, which: Which = "dead", owner: Owner = None, cursor: str = "", limit: Limit = page.LIMIT
) -> Page[Job]:
    if owner:
        return await jobs.of_owner(ctx, owner, cursor, limit)
    if which == "waiting":
        return Page(await jobs.waiting(ctx))
    return await jobs.dead(ctx, cursor, limit)


@post(
    "/api/jobs/{owner:str}/{job:str}/retry",
    operation_id="jobs.retry",
    platform="jobs:write",
    summary="Let a dead job run again",
    tags=["jobs"],
    status_code=200,
)
async def retry_job(ctx: Context, owner: str, job: str) -> Job:
    return await jobs.retry(ctx, owner, job)


ROUTES = (list_jobs, retry_job)
