"""Days of usage leave their index when nothing is kept of them any more.

Months are listed from the days, so a day stays for as long as the total of its month. Segments are forgotten beside.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.db.jobs import Job
from veloflux.kit.clock import DAY_MS, now_ms
from veloflux.metering import store
from veloflux.metering.prune_segments import prune_segments
from veloflux.metering.spans import TOTAL_MS
from veloflux.plans import read_catalogue
from veloflux.plans.catalogue import DAYS_SEEN, SUMS
from veloflux.transaction import Transaction

AGE_DAYS = TOTAL_MS // DAY_MS + 31 + DAYS_SEEN
"""How long after a day its month may be kept, unless it was imported later."""
DAYS_AT_A_TIME = 40
DAY = timedelta(days=1)


async def prune_usage(ctx: Context, _job: Job, _tx: Transaction) -> None:
    """Of every tenant in use, once a day."""
    of = await read_catalogue(ctx.db)
    adding = [meter for meter in (*of.meters, *of.former) if meter.aggregation in SUMS]
    async for tenant in tenants.every_tenant(ctx):
        await prune_tenant(ctx, tenant)
        await prune_segments(ctx, tenant, adding)


async def prune_tenant(ctx: Context, tenant: str) -> int:
    """How many days left the index."""
    oldest, number = now_ms() // DAY_MS - AGE_DAYS, 0
    days = await store.days_before(ctx.db, tenant, oldest)
    for at in range(0, len(days), DAYS_AT_A_TIME):
        some = days[at : at + DAYS_AT_A_TIME]
        number += await store.prune(ctx.db, tenant, some, [_kept_of(tenant, member) for member in some])
    return number


def _kept_of(tenant: str, member: str) -> Sequence[str]:
    """What lives longest of a UTC day, which lies in one or two months of the tenant's zone."""
    meter, _, text = member.partition(":")
    day = date.fromisoformat(text)
    months = [f"{near:%Y-%m}" for near in (day - DAY, day + DAY)]
    kinds = (keys.total, keys.estimate, keys.sketch)
    return [keys.usage(tenant, meter, text), *(kind(tenant, meter, month) for kind in kinds for month in months)]
