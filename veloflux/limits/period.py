"""How a tenant stands in the present month: what it used of its quota. Asking counts nothing."""

from datetime import date, timedelta
from decimal import Decimal

import msgspec

from veloflux.context import Context
from veloflux.errors import NotFound
from veloflux.kit import clock, period
from veloflux.limits import store
from veloflux.limits.frame import month_quota
from veloflux.metering import totals
from veloflux.metering.measure import shown
from veloflux.plans import pick_meter
from veloflux.plans.policy import from_text


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A month of the tenant's zone, by the tenant's clock; without a quota `quota` and `remaining` are None.

    Both days are included; `reset_at` is the end in epoch ms.
    """

    meter: str
    unit: str
    used: int | Decimal
    quota: int | Decimal | None
    remaining: int | Decimal | None
    start_on: date
    end_on: date
    reset_at: int


async def read_period(ctx: Context, meter: str) -> Period:
    """The present month of a meter.

    :raises MeterUnknown: no such meter. :raises NotFound: no such tenant.
    """
    text = await store.read_policy(ctx.db, ctx.tenant)
    if text is None:
        raise NotFound("There is no such tenant")
    policy = from_text(text)
    found = pick_meter(policy.meters, meter)
    now = clock.apply(policy.clock, clock.now_ms())
    month = period.month_of(now, policy.zone)
    [total] = await totals(ctx.db, ctx.tenant, found.key, [month])
    used, quota = total or 0, month_quota(policy.effective(now), meter)
    start_on = date.fromisoformat(month + "-01")
    return Period(
        meter=meter,
        unit=found.unit,
        used=shown(used, found.places),
        quota=None if quota is None else shown(quota, found.places),
        remaining=None if quota is None else shown(max(quota - used, 0), found.places),
        start_on=start_on,
        end_on=period.next_month(start_on) - timedelta(days=1),
        reset_at=period.month_bounds(month, policy.zone)[1],
    )
