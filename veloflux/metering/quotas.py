"""The present periods of quotas: when each begins and ends in a tenant's zone, and what it is made of. Pure.

Whatever counts, a check or an event, counts in the periods that are present by the tenant's clock. Their counters are
opened when they are first asked for (`open_periods`), and kept up to date from then on: the field `open:<meter>` of the
limits hash says which.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from veloflux.db import keys
from veloflux.kit import period
from veloflux.kit.clock import DAY_MS, LATEST
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

    @property
    def words(self) -> tuple[int, str, int, str, str]:
        """What a script is told of it: limit, hard or soft or (in the shadow) its name, the first amount at which there
        is something to say, the percentages, and how the event's data begin."""
        quota = self.quota
        kind = self.label if quota.shadow else "hard" if quota.hard else "soft"
        percents = () if quota.shadow else quota.thresholds
        lowest = -(-quota.limit * min(percents) // 100) if percents else 2**62
        said = f'{{"meter":"{quota.meter}","period":"{self.name}","percent":'
        return quota.limit, kind, lowest, " ".join(map(str, sorted(percents))), said


class Present(NamedTuple):
    """The quotas of each meter that has any, from `since` until before `until`, epoch ms of the tenant's clock."""

    of_meter: dict[str, tuple[Span, ...]]
    since: int
    until: int


def present(policy: Policy, now: int) -> Present:
    """The quotas that hold at a time of the tenant's clock, in epoch ms."""
    effective = policy.effective(now)
    meters = {quota.meter for quota in effective.quotas}
    of_meter = {meter: spans(policy, effective.quotas, meter, now) for meter in meters}
    every = [span for found in of_meter.values() for span in found]
    ends = [effective.until, *(span.end for span in every)]
    return Present(
        of_meter,
        max((span.start for span in every), default=0),
        min((end for end in ends if end is not None), default=LATEST),
    )


def open_words(meter_key: str, found: Iterable[Span]) -> tuple[str, str]:
    """The field of the limits hash that names a meter's open periods, and what it says when these are."""
    return f"open:{meter_key}", " ".join(span.name for span in found)


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
            this = date.fromisoformat(period.month_of(now, zone) + "-01")
            month, months = period.next_month(this), []  # an event may be some minutes ahead
            for _ in range(MONTHS_KEPT + 1):
                months.append(f"{month:%Y-%m}")
                month = (month - timedelta(days=1)).replace(day=1)
            return [(keys.total(tenant, meter_key, name), None, None) for name in months]
        case _:
            return _quarters(tenant, meter_key, span.start, span.end or now)


def _quarters(tenant: str, meter_key: str, start: int, end: int) -> list[Source]:
    found: list[Source] = []
    for day in range(start // DAY_MS, (end - 1) // DAY_MS + 1):
        begins = day * DAY_MS
        first = max(start - begins, 0) // period.QUARTER_MS
        last = min((end - 1 - begins) // period.QUARTER_MS, LAST_QUARTER)
        found.append((keys.usage(tenant, meter_key, period.utc_day(begins).isoformat()), first, last))
    return found


def of_days(name: str) -> bool:
    """Whether a period of this name is one of whole days, which is begun with quarters of an hour.

    >>> [of_days(name) for name in ("d2026-02-28", "b2026-02-28", "m2026-02", "life")]
    [True, True, False, False]
    """
    return name[0] in "db"


def replaced(span: Span, open_: Iterable[str]) -> str:
    """Which of the open periods a billing period cuts short, because the tenant's anchor changed; "" without one.

    A name tells a period's first day, and so that it lasts until the same day of the next month at least.

    >>> quota = QuotaLimit(meter="requests", limit=1, period="billing")
    >>> [replaced(Span(quota, name, 0, 1), ["m2026-02", "b2026-02-28"]) for name in ("b2026-03-15", "b2026-03-31")]
    ['b2026-02-28', '']
    """
    if span.quota.period != "billing":
        return ""
    first, after = period.billing_period(date.fromisoformat(span.name[1:]), span.name[1:])
    for name in open_:
        if name.startswith("b"):
            other_first, other_after = period.billing_period(date.fromisoformat(name[1:]), name[1:])
            if other_first < after and first < other_after:
                return name
    return ""


def life_ms(span: Span) -> int | None:
    """How long its counter lives; None: for ever."""
    days = COUNTER_DAYS.get(span.quota.period)
    return None if days is None else days * DAY_MS
