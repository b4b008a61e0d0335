"""Routes of the ledger; its exports are veloflux/exports/ledger_api.py."""

from typing import Annotated

from litestar import get
from litestar.params import Parameter

from veloflux.context import Context
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.ledger.posting import Posted
from veloflux.ledger.trial_balance import TrialBalance, list_postings, read_trial_balances
from veloflux.tenants.api import Limit, TenantPath

BALANCES = "/api/tenants/{tenant:str}/ledger/balances"
POSTINGS = "/api/tenants/{tenant:str}/ledger/postings"
Through = Annotated[
    str, Parameter(description="Last day that counts (2026-11-22), in the tenant's zone; else all", max_length=40)
]


@get(
    BALANCES,
    operation_id="ledger.balances",
    permission="billing:read",
    summary="Read a tenant's trial balance",
    tags=["ledger"],
)
async def balances(ctx: Context, tenant: TenantPath, through: Through = "") -> list[TrialBalance]:
    """What each account holds, by currency, in minor units; both columns have the same sum."""
    return await read_trial_balances(ctx, through)


@get(
    POSTINGS,
    operation_id="ledger.postings",
    permission="billing:read",
    summary="List the postings of a tenant's ledger",
    tags=["ledger"],
)
async def postings(ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT) -> Page[Posted]:
    """The newest first. An entry is account, currency and amount in minor units, a debit positive, a credit negative;
    the entries of a posting sum to zero in each currency."""
    return await list_postings(ctx, cursor, limit)


ROUTES = (balances, postings)
