"""Routes of a tenant's payments and wallet."""

from litestar import get, post

from veloflux.billing import store
from veloflux.billing.model import Payment
from veloflux.billing.wallet import credit as wallet
from veloflux.billing.wallet.credit import Balance, Gift, Taken, TopUp
from veloflux.context import Context
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.api import Limit, TenantPath

WALLET = "/api/tenants/{tenant:str}/wallet"


@get(
    "/api/tenants/{tenant:str}/payments",
    operation_id="payments.list",
    permission="billing:read",
    summary="List a tenant's payments",
    tags=["payments"],
)
async def payments(ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT) -> Page[Payment]:
    """Money that came or went back, and credit that was given or taken, the newest first; in minor units."""
    return await store.payments(ctx.db, ctx.tenant, cursor, limit)


@get(
    WALLET,
    operation_id="wallet.show",
    permission="billing:read",
    summary="Show a tenant's wallet",
    tags=["payments"],
)
async def show(ctx: Context, tenant: TenantPath) -> list[Balance]:
    """By currency, in minor units: what the next invoices take."""
    return await wallet.read_wallet(ctx)


@post(
    WALLET + "/top-ups",
    operation_id="wallet.top_up",
    permission="billing:write",
    summary="Note money paid into a wallet",
    tags=["payments"],
)
async def top_up(ctx: Context, tenant: TenantPath, data: TopUp) -> Payment:
    """The same id again is the same payment."""
    return await wallet.top_up(ctx, data)


@post(
    WALLET + "/gifts",
    operation_id="wallet.give",
    permission="billing:write",
    summary="Give a tenant credit",
    tags=["payments"],
)
async def give(ctx: Context, tenant: TenantPath, data: Gift) -> Payment:
    """Without money; what expires first is used first. The same id again is the same gift."""
    return await wallet.give(ctx, data)


@post(
    WALLET + "/withdrawals",
    operation_id="wallet.take",
    permission="billing:write",
    summary="Take credit out of a wallet",
    tags=["payments"],
)
async def take(ctx: Context, tenant: TenantPath, data: Taken) -> Payment:
    """Back to the tenant by a provider, or, without one, void."""
    return await wallet.take(ctx, data)


ROUTES = (payments, show, top_up, give, take)
