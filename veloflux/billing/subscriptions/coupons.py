"""Coupons of a subscription: the next invoices are reduced, in the order in which they were attached."""

from msgspec.structs import replace

from veloflux.billing import store
from veloflux.billing.arithmetic.discounts import redeem
from veloflux.billing.basis import read_basis
from veloflux.billing.model import Subscription
from veloflux.billing.states import SUBSCRIPTION, move
from veloflux.billing.subscriptions.start import picked_coupons
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import AlreadyDone, Conflict, NotFound
from veloflux.events import SubscriptionChanged
from veloflux.transaction import Transaction, decide

COUPONS_MAX = 10


async def attach_coupon(ctx: Context, id_: str, coupon: str) -> Subscription:
    """Attach a coupon of the catalogue, after those that are there.

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it has ended.
    :raises InputInvalid: there is no such coupon, or it has no amount in the subscription's currency.
    :raises AlreadyDone: it has it. :raises Conflict: it has too many.
    """
    return await decide(lambda: _attach(ctx, id_, coupon))


async def detach_coupon(ctx: Context, id_: str, coupon: str) -> Subscription:
    """Take a coupon away from the next invoice on.

    :raises NotFound: there is no such subscription, or it has no such coupon.
    """
    return await decide(lambda: _detach(ctx, id_, coupon))


async def _attach(ctx: Context, id_: str, coupon: str) -> Subscription:
    sub, basis = await store.subscription(ctx, id_), await read_basis(ctx)
    move(SUBSCRIPTION, sub.status, "add_item")
    if any(one.coupon == coupon for one in sub.coupons):
        raise AlreadyDone(f"The subscription has the coupon {coupon}")
    if len(sub.coupons) >= COUPONS_MAX:
        raise Conflict(f"A subscription has at most {COUPONS_MAX} coupons")
    (found,) = picked_coupons(basis, (coupon,), sub.currency)
    return await _write(ctx, sub, replace(sub, coupons=(*sub.coupons, redeem(found))))


async def _detach(ctx: Context, id_: str, coupon: str) -> Subscription:
    sub = await store.subscription(ctx, id_)
    kept = tuple(one for one in sub.coupons if one.coupon != coupon)
    if kept == sub.coupons:
        raise NotFound(f"The subscription has no coupon {coupon[:60]!r}")
    return await _write(ctx, sub, replace(sub, coupons=kept))


async def _write(ctx: Context, before: Subscription, after: Subscription) -> Subscription:
    tx = Transaction(ctx, ctx.tenant)
    after = tx.change(keys.subscription(ctx.tenant, before.id), before, after)
    tx.event(SubscriptionChanged(subscription=before.id, plan=before.selection.plan))
    await tx.commit()
    return after
