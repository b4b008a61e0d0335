"""The periods of quotas: when each begins and ends in a tenant's zone, and what it is made of. Pure."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from veloflux.db import keys
from veloflux.kit import period
from veloflux.kit.clock import DAY_MS
from veloflux.plans import Policy
from veloflux.plans.policy import QuotaLimit

LAST_QUARTER = period.QUARTERS_A_DAY - 1
MONTHS_KEPT = 14
"""Totals of months live 400 days: so far back a lifetime can be begun."""
COUNTER_DAYS = {"day": 8, "month": 400, "billing": 400}

Source = tuple[str, int | None, int | None]
"""A key, and the quarters of an hour of it that count, the first and the last; None: the total of a month."""


class Span(NamedTuple):
    """The present period of a quota: `name` as in its counter's key, start and end in epoch ms; None: without end."""

    quota: QuotaLimit
    name: str
    start: int
    end: int | None

    @property
    def label(self) -> str:
        """What answers call the quota: by its meter, and its period unless that is a month."""
        of = "" if self.quota.period == "month" else f":{self.quota.period}"
        return f"quota:{self.quota.meter}{of}"


def spans(policy: Policy, quotas: Iterable[QuotaLimit], meter: str, now: int) -> tuple[Span, ...]:
    """Those of the quotas that are of a meter, in their present periods, the one that ends first at the head."""
    found = [_span(quota, policy, now) for quota in quotas if quota.meter == meter]
    return tuple(sorted(found, key=lambda span: span.end or period.month_bounds("2100-01", "UTC")[1]))


def _span(quota: QuotaLimit, policy: Policy, now: int) -> Span:
    on = period.day_of(now, policy.zone)
    match quota.period:
        case "day":
            return _of_days(quota, f"d{on}", on, on + timedelta(days=1), policy.zone)
        case "month":
            month = f"{on:%Y-%m}"
            return Span(quota, f"m{month}", *period.month_bounds(month, policy.zone))
        case "billing":
            first, after = period.billing_period(on, policy.billing_anchor)
            return _of_days(quota, f"b{first}", first, after, policy.zone)
        case _:
            return Span(quota, "life", 0, None)


def _of_days(quota: QuotaLimit, name: str, first: date, after: date, zone: str) -> Span:
    return Span(quota, name, period.day_start(first, zone), period.day_start(after, zone))


def sources(tenant: str, meter_key: str, span: Span, zone: str, now: int) -> list[Source]:
    """What a period has used until now stands in these keys."""
    match span.quota.period:
        case "month":
            return [(keys.total(tenant, meter_key, span.name[1:]), None, None)]
        case "lifetime":
            month, months = date.fromisoformat(period.month_of(now, zone) + "-01"), []
            for _ in range(MONTHS_KEPT):
                months.append(f"{month:%Y-%m}")
                month = (month - timedelta(days=1)).replace(day=1)
            return [(keys.total(tenant, meter_key, name), None, None) for name in months]
        case _:
            return _quarters(tenant, meter_key, span.start, min(span.end or now, now + 1))


def _quarters(tenant: str, meter_key: str, start: int, end: int) -> list[Source]:
    found: list[Source] = []
    for day in range(start // DAY_MS, (end - 1) // DAY_MS + 1):
        begins = day * DAY_MS
        first = max(start - begins, 0) // period.QUARTER_MS
        last = min((end - 1 - begins) // period.QUARTER_MS, LAST_QUARTER)
        found.append((keys.usage(tenant, meter_key, period.utc_day(begins).isoformat()), first, last))
    return found


def life_ms(span: Span) -> int | None:
    """How long its counter lives; None: for ever."""
    days = COUNTER_DAYS.get(span.quota.period)
    return None if days is None else days * DAY_MS
