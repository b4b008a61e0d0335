"""A tenant's policy: its plan compiled to the numbers that the scripts decide with.

The policy lies in the tenant's limits hash beside its version. A process remembers what it read and says the version
with each call; a script that holds another one answers with the new policy and has done nothing.
"""

import math
from typing import Protocol

import msgspec

from veloflux.db import keys
from veloflux.db.commit import Commit
from veloflux.kit import crypto
from veloflux.kit.clock import DAY_MS
from veloflux.plans.catalogue import (
    DAYS_SEEN,
    Catalogue,
    Meter,
    Period,
    Plan,
    Quota,
    Rate,
    Strict,
    Value,
    catalogue,
    find_plan,
)

EVENTS_A_BUCKET = 64
BUCKETS_MIN, BUCKETS_MAX = 16, 1_024
MICROSECONDS = 1_000_000


class RateLimit(Strict, frozen=True, kw_only=True, array_like=True):
    """GCRA: each unit takes `emission_us`; as much as `tolerance_us` may be taken in advance.

    The windows of the other algorithms hold `count` (in the meter's places) in `window_us`.
    """

    name: str
    meter: str
    per: str
    emission_us: int
    tolerance_us: int
    algorithm: str = "gcra"
    count: int = 0
    window_us: int = 0
    route: str = ""
    shadow: bool = False


class QuotaLimit(Strict, frozen=True, kw_only=True, array_like=True):
    """`limit` in the meter's places."""

    meter: str
    limit: int
    period: Period = "month"
    hard: bool = True
    thresholds: tuple[int, ...] = ()
    shadow: bool = False


class Policy(Strict, frozen=True, kw_only=True):
    """What the scripts decide with; `buckets` is for a new generation of seen events.

    On `billing_anchor` (ISO date) a billing period begins, and each month from it; "" is the first of the month.
    """

    plan: str = ""
    zone: str = "UTC"
    clock: str = ""
    meters: tuple[Meter, ...] = ()
    rates: tuple[RateLimit, ...] = ()
    quotas: tuple[QuotaLimit, ...] = ()
    features: dict[str, Value] = msgspec.field(default_factory=dict)
    accepted_ms: int = DAYS_SEEN * DAY_MS
    buckets: int = BUCKETS_MIN
    billing_anchor: str = ""

    @property
    def text(self) -> str:
        return msgspec.json.encode(self).decode()


class Holder(Protocol):
    """What of a tenant its policy is made from."""

    @property
    def id(self) -> str: ...
    @property
    def plan(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def clock(self) -> str: ...


def compiled(plan: Plan, of: Catalogue, zone: str, clock: str) -> Policy:
    """The policy of a tenant on a plan, in a zone (IANA name), with a clock (see kit.clock)."""
    places = {meter.name: meter.places for meter in of.meters}
    return Policy(
        plan=plan.id,
        zone=zone,
        clock=clock,
        meters=of.meters,
        rates=tuple(rate_limit(rate, places[rate.meter]) for rate in plan.rates),
        quotas=tuple(quota_limit(quota, places[quota.meter]) for quota in plan.quotas),
        features=plan.features,
        accepted_ms=plan.days_accepted * DAY_MS,
        buckets=buckets(max((quota.limit for quota in plan.quotas if quota.period == "month"), default=None)),
    )


def rate_limit(rate: Rate, places: int = 0) -> RateLimit:
    """The two numbers of GCRA, in microseconds; rounded so that never more passes than the rate says.

    >>> limit = rate_limit(Rate(name="r", meter="requests", limit="3/s", burst=2))
    >>> limit.emission_us, limit.tolerance_us
    (333334, 666668)
    """
    count, window = rate.count * 10**places, rate.per_s * MICROSECONDS
    emission = math.ceil(window / count)
    return RateLimit(
        name=rate.name,
        meter=rate.meter,
        per=rate.per,
        emission_us=emission,
        tolerance_us=emission * (rate.burst * 10**places or count),
        algorithm=rate.algorithm,
        count=count,
        window_us=window,
        route=rate.route,
        shadow=rate.shadow,
    )


def quota_limit(quota: Quota, places: int = 0) -> QuotaLimit:
    """A quota in the places of its meter."""
    return QuotaLimit(
        meter=quota.meter,
        limit=quota.limit * 10**places,
        period=quota.period,
        hard=quota.hard,
        thresholds=quota.thresholds,
        shadow=quota.shadow,
    )


def buckets(monthly: int | None) -> int:
    """How many hashes a generation of seen events starts with: a power of two, for the events of a month's quota.

    >>> buckets(1_000), buckets(20_000), buckets(None)
    (32, 512, 1024)
    """
    if monthly is None:
        return BUCKETS_MAX
    wanted = math.ceil(monthly * DAYS_SEEN / 30 / EVENTS_A_BUCKET)
    return min(max(1 << (wanted - 1).bit_length(), BUCKETS_MIN), BUCKETS_MAX)


def version(text: str) -> str:
    """What tells one policy's text from another."""
    return crypto.digest(text)[:16]


def write_policy(tx: Commit, tenant: Holder) -> None:
    """Put what the scripts need to know of a tenant into its limits hash; part of each commit that changes it.

    :raises PlanUnknown: the tenant's plan is not in the catalogue.
    """
    text = compiled(find_plan(tenant.plan), catalogue(), tenant.zone, tenant.clock).text
    tx.put(
        keys.limits(tenant.id),
        {"status": tenant.status, "clock": tenant.clock, "policy": text, "version": version(text)},
    )


def from_text(text: str) -> Policy:
    """The policy that a limits hash holds."""
    return msgspec.json.decode(text, type=Policy)
