"""Alerts and spend caps of a subscription: set, and shown with what of them is reached."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from veloflux.billing import store
from veloflux.billing.basis import read_basis
from veloflux.billing.model import Spend, SpendState, Subscription
from veloflux.billing.spend.watch import watch
from veloflux.billing.states import LIVING
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid
from veloflux.events import SpendLimitsSet
from veloflux.plans.prices import Name
from veloflux.transaction import Transaction, decide

Amount = Annotated[int, Meta(ge=1, lt=10**15, description="Minor units of the subscription's currency")]
CapAmount = Annotated[int, Meta(ge=0, lt=10**15, description="Minor units of the subscription's currency")]


class SpendLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`alerts` are told of when a period's cost, or its forecast, reaches them. `cap` bounds what the usage of a period
    costs, `meter_caps` that of one meter (at most 50); null: no cap. All before taxes."""

    alerts: Annotated[tuple[Amount, ...], Meta(max_length=10)] = ()
    cap: CapAmount | None = None
    meter_caps: dict[Name, CapAmount] = {}


class SpendShown(SpendLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same with what is `reached` in the running period, what its forecast reaches (`foreseen`), and which caps
    refuse now (`acting`): names of meters, "" for that of all usage. As they were at the last look."""

    subscription: str
    currency: str
    reached: tuple[int, ...]
    foreseen: tuple[int, ...]
    acting: tuple[str, ...]


async def read_spend(ctx: Context, id_: str) -> SpendShown:
    """:raises NotFound: the tenant has no such subscription."""
    sub, state = await asyncio.gather(store.subscription(ctx, id_), store.find_spend(ctx.db, ctx.tenant, id_))
    return _shown(sub, state)


async def limit_spend(ctx: Context, id_: str, wanted: SpendLimits) -> SpendShown:
    """Set all alerts and caps of a subscription; caps hold from the next check on.

    :raises NotFound: the tenant has no such subscription. :raises InputInvalid: its plan charges nothing for a meter.
    :raises Conflict: it has ended.
    """
    await decide(lambda: _set(ctx, id_, wanted))
    await watch(ctx, id_)
    return await read_spend(ctx, id_)


async def _set(ctx: Context, id_: str, wanted: SpendLimits) -> None:
    sub, basis = await asyncio.gather(store.subscription(ctx, id_), read_basis(ctx))
    if sub.status not in LIVING:
        raise Conflict(f"This subscription is {sub.status}; it costs nothing more")
    priced = {charge.meter for charge in basis.offer_of(sub).plan.usage}
    for meter in wanted.meter_caps:
        if meter not in priced:
            raise InputInvalid(f"The plan {sub.selection.plan} charges nothing for {meter[:60]!r}", field="meter_caps")
    spend = Spend(alerts=tuple(sorted(set(wanted.alerts))), cap=wanted.cap, meter_caps=wanted.meter_caps)
    after = replace(sub, spend=None if spend == Spend() else spend)
    if after == sub:
        return
    tx = Transaction(ctx, ctx.tenant)
    tx.change(keys.subscription(ctx.tenant, id_), sub, after)
    tx.event(SpendLimitsSet(subscription=id_, watched=after.spend is not None))
    await tx.commit()


def _shown(sub: Subscription, state: SpendState | None) -> SpendShown:
    spend = sub.spend or Spend()
    now = state if state and state.period_start == sub.period_start else SpendState(id="", period_start=0)
    return SpendShown(
        subscription=sub.id,
        currency=sub.currency,
        alerts=spend.alerts,
        cap=spend.cap,
        meter_caps=spend.meter_caps,
        reached=now.reached,
        foreseen=now.foreseen,
        acting=now.acting,
    )
