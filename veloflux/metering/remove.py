"""The usage of a tenant that was deleted."""

from datetime import date, timedelta

from veloflux.context import Context
from veloflux.db import keys
from veloflux.db.clearing import clear_index, clear_keys
from veloflux.events import Recorded
from veloflux.metering import store
from veloflux.metering.program import seen_key
from veloflux.transaction import Transaction

DAY = timedelta(days=1)


async def remove_usage(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.deleted`: days, totals, raw events and what was seen. Address limits pass by themselves."""
    tenant = event.owner
    await clear_index(ctx.db, tenant, keys.usage_days(tenant), lambda member: _of_day(tenant, member))
    state = await store.read_seen(ctx.db, tenant)
    sizes = {state.number: state.buckets, state.number - 1: state.before}
    seen = [seen_key(tenant, number, at) for number, size in sizes.items() for at in range(size)]
    await clear_keys(ctx.db, tenant, [keys.raw(tenant)])
    await clear_keys(ctx.db, tenant, [*seen, keys.limits(tenant)])  # the last says where the others are


def _of_day(tenant: str, member: str) -> list[str]:
    """The keys of a UTC day, which lies in one or two months of the tenant's zone."""
    meter, _, text = member.partition(":")
    day = date.fromisoformat(text)
    months = sorted({f"{near:%Y-%m}" for near in (day - DAY, day + DAY)})
    return [keys.usage(tenant, meter, text), *(keys.total(tenant, meter, month) for month in months)]
