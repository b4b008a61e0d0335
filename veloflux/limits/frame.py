"""What a check of one meter takes from a tenant's policy and from the present day: the same for thousands of checks."""

from collections.abc import Sequence
from typing import NamedTuple

from veloflux.db import keys
from veloflux.kit import period
from veloflux.kit.clock import DAY_MS, LATEST
from veloflux.limits.model import Question
from veloflux.metering.known import Known
from veloflux.plans import Effective, Meter, Policy, RateLimit, pick_meter


class Rates(NamedTuple):
    """The rate limits of one kind of question, in the order in which the script numbers them, and its ARGV for them."""

    limits: tuple[RateLimit, ...]
    of_address: bool
    args: tuple[bytes, ...]


class Frame(NamedTuple):
    """Valid for one UTC day of the tenant's clock and one month of its zone: by Redis' clock from `since` until before
    `until`, both in epoch ms.

    `time_args` and `meter_args` are ARGV 4 to 6, and 13 and 14, of the script, as the bytes that are sent.
    """

    meter: Meter
    limits: str
    usage: str
    total: str
    usage_days: str
    since: int
    until: int
    month_end: int
    quota: int | None
    scale: int
    time_args: tuple[bytes, ...]
    meter_args: tuple[bytes, ...]
    rates: dict[tuple[bool, bool], Rates]

    def rates_for(self, asked: Question) -> Rates:
        """Limits by key or address apply where the question has one."""
        return self.rates[asked.key is not None, asked.address != ""]


def frame(state: Known, tenant: str, meter: str) -> Frame:
    """The present frame, from memory if it still holds.

    :raises MeterUnknown: the policy has no such meter.
    """
    real = state.real_now()
    found = state.frames.get(meter)
    if isinstance(found, Frame) and found.since <= real < found.until:
        return found
    made = state.frames[meter] = _frame(state, tenant, meter, real)
    return made


def _frame(state: Known, tenant: str, name: str, real: int) -> Frame:
    policy, now = state.policy, state.at(real)
    effective = policy.effective(now)
    meter = pick_meter(policy.meters, name)
    on, month = period.utc_day(now), period.month_of(now, policy.zone)
    start, end = period.month_bounds(month, policy.zone)
    day = now // DAY_MS
    since, until = _valid(
        real, now, (max(day * DAY_MS, start), min((day + 1) * DAY_MS, end, effective.until or end)), policy.clock
    )
    quota = month_quota(effective, name)
    return Frame(
        meter=meter,
        limits=keys.limits(tenant),
        usage=keys.usage(tenant, meter.key, on.isoformat()),
        total=keys.total(tenant, meter.key, month),
        usage_days=keys.usage_days(tenant),
        since=since,
        until=until,
        month_end=end,
        quota=quota,
        scale=10**meter.places,
        time_args=_sent(day, start, end),
        meter_args=_sent("" if quota is None else quota, f"{meter.key}:{on.isoformat()}"),
        rates={
            (key, address): _rates([rate for rate in effective.rates if rate.meter == name], key, address)
            for key in (False, True)
            for address in (False, True)
        },
    )


def month_quota(effective: Effective, meter: str) -> int | None:
    """What a month may use of a meter, in its places."""
    return next((one.limit for one in effective.quotas if (one.meter, one.period) == (meter, "month")), None)


def _valid(real: int, now: int, shown: tuple[int, int], stopped_or_ahead: str) -> tuple[int, int]:
    """The span of real time in which the tenant's clock stays within `shown`."""
    if stopped_or_ahead.startswith("="):
        return 0, LATEST
    ahead = now - real
    return shown[0] - ahead, shown[1] - ahead


def _rates(rates: Sequence[RateLimit], key: bool, address: bool) -> Rates:
    of_tenant = [rate for rate in rates if rate.per == "tenant"]
    of_key = [rate for rate in rates if rate.per == "key" and key]
    of_address = [rate for rate in rates if rate.per == "address" and address]
    limits = (*of_tenant, *of_key, *of_address)
    counts = len(of_tenant), len(of_key), len(of_address)
    numbers = [number for rate in limits for number in (rate.emission_us, rate.tolerance_us)]
    return Rates(limits, bool(of_address), _sent(*counts, *(f"rate:{rate.name}" for rate in limits), *numbers))


def _sent(*values: object) -> tuple[bytes, ...]:
    return tuple(str(value).encode() for value in values)


def blank(tenant: str) -> Frame:
    """What is asked with as long as the policy is not known: the answer is the policy."""
    nobody, limits = Known(), keys.limits(tenant)
    nobody.policy = Policy(meters=(Meter(name="none", event_type="none", aggregation="count", unit=""),))
    return _frame(nobody, tenant, "none", 0)._replace(usage=limits, total=limits, usage_days=limits)
