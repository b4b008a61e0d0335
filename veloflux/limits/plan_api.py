"""Routes by which operators give a tenant another plan, and limits beside it."""

from typing import Annotated

import msgspec
from litestar import delete, get, put
from litestar.params import Parameter
from msgspec import Meta

from veloflux.context import Context
from veloflux.limits.change_plan import PlanChange, change_plan
from veloflux.limits.overrides import list_overrides, remove_override, set_override
from veloflux.plans import Override
from veloflux.tenants.api import TenantPath

OverridePath = Annotated[
    str, Parameter(description="Like quota:requests:month, rate:per_second or feature:sso", max_length=100)
]


class ChangePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    plan: Annotated[str, Meta(max_length=64, examples=["pro"])]
    dry_run: Annotated[bool, Meta(description="Only say what would be exceeded")] = False


@put(
    "/api/tenants/{tenant:str}/plan",
    operation_id="tenants.change_plan",
    permission="plan:write",
    summary="Give a tenant another plan",
    tags=["tenants"],
)
async def change(ctx: Context, tenant: TenantPath, data: ChangePlan) -> PlanChange:
    """From the next check on. What exceeds the new quotas is listed; `when_exceeded` says what becomes of it.

    keep: the former limit stays until the period ends. soft: beyond the new one is overage until then. block: at once.
    """
    return await change_plan(ctx, data.plan, dry_run=data.dry_run)


@get(
    "/api/tenants/{tenant:str}/overrides",
    operation_id="overrides.list",
    permission="tenant:read",
    summary="List what a tenant has beside its plan",
    tags=["tenants"],
)
async def list_(ctx: Context, tenant: TenantPath) -> list[Override]:
    """Quotas, rates and features with another value, without those whose end is over."""
    return await list_overrides(ctx)


@put(
    "/api/tenants/{tenant:str}/overrides",
    operation_id="overrides.set",
    permission="plan:write",
    summary="Give a tenant another quota, rate or feature",
    tags=["tenants"],
)
async def set_(ctx: Context, tenant: TenantPath, data: Override) -> Override:
    """It holds from the next check on, instead of one of the same kind, name and period."""
    return await set_override(ctx, data)


@delete(
    "/api/tenants/{tenant:str}/overrides/{override:str}",
    operation_id="overrides.remove",
    permission="plan:write",
    summary="Let a tenant's plan hold again",
    tags=["tenants"],
)
async def remove(ctx: Context, tenant: TenantPath, override: OverridePath) -> None:
    await remove_override(ctx, override)


ROUTES = (change, list_, set_, remove)
