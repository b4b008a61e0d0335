"""Routes of what comes to the next invoices of a subscription: items and coupons."""

from typing import Annotated

import msgspec
from litestar import delete, post
from litestar.params import Parameter
from msgspec import Meta

from veloflux.billing.subscriptions.api import ONE, SubscriptionPath
from veloflux.billing.subscriptions.coupons import attach_coupon, detach_coupon
from veloflux.billing.subscriptions.items import OneOff, add_item
from veloflux.billing.subscriptions.shown import SubscriptionShown
from veloflux.context import Context
from veloflux.tenants.api import TenantPath

CouponPath = Annotated[str, Parameter(description="Id of a coupon of the catalogue", max_length=60)]


class Attach(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    coupon: Annotated[str, Meta(max_length=60, examples=["spring"])]


@post(
    ONE + "/items",
    operation_id="subscriptions.add_item",
    permission="billing:write",
    summary="Put an item onto the next invoice",
    tags=["subscriptions"],
)
async def add(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath, data: OneOff) -> SubscriptionShown:
    """Something agreed by hand, or an add-on that is charged once."""
    return SubscriptionShown.of(await add_item(ctx, subscription, data))


@post(
    ONE + "/coupons",
    operation_id="subscriptions.attach_coupon",
    permission="billing:write",
    summary="Attach a coupon",
    tags=["subscriptions"],
)
async def attach(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath, data: Attach) -> SubscriptionShown:
    """To the next invoices, after the coupons that are there."""
    return SubscriptionShown.of(await attach_coupon(ctx, subscription, data.coupon))


@delete(
    ONE + "/coupons/{coupon:str}",
    operation_id="subscriptions.detach_coupon",
    permission="billing:write",
    summary="Detach a coupon",
    tags=["subscriptions"],
    status_code=200,
)
async def detach(
    ctx: Context, tenant: TenantPath, subscription: SubscriptionPath, coupon: CouponPath
) -> SubscriptionShown:
    """From the next invoice on."""
    return SubscriptionShown.of(await detach_coupon(ctx, subscription, coupon))


ROUTES = (add, attach, detach)
