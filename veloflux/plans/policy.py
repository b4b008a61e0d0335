"""A tenant's policy: its plan compiled to the numbers that the scripts decide with.

The policy lies in the tenant's limits hash beside its version. A process remembers what it read and says the version
with each call; a script that holds another one answers with the new policy and has done nothing.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from veloflux.db.client import Db
from veloflux.kit import crypto
from veloflux.kit.clock import DAY_MS, HOUR_MS
from veloflux.plans.catalogue import (
    DAYS_SEEN,
    SUMS,
    Catalogue,
    Meter,
    Period,
    Plan,
    Quota,
    Rate,
    Value,
)
from veloflux.plans.overrides import Cap, Override
from veloflux.plans.prices import Strict
from veloflux.plans.store import policy_text

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
    """`limit` in the meter's places; `cap`: it is there because of a spend cap."""

    meter: str
    limit: int
    period: Period = "month"
    hard: bool = True
    thresholds: tuple[int, ...] = ()
    shadow: bool = False
    cap: bool = False


class Overriding(Strict, frozen=True, kw_only=True, array_like=True):
    """An override, compiled: what it puts in the place of the plan's until `until` (epoch ms; 0: for good).

    `lifted` is the meter and period of a quota that there is not.
    """

    until: int = 0
    quotas: tuple[QuotaLimit, ...] = ()
    rates: tuple[RateLimit, ...] = ()
    features: dict[str, Value] = msgspec.field(default_factory=dict)
    lifted: tuple[tuple[str, Period], ...] = ()


class Effective(NamedTuple):
    """What holds at a time, and until when (epoch ms of the tenant's clock; None: as long as the policy)."""

    quotas: tuple[QuotaLimit, ...]
    rates: tuple[RateLimit, ...]
    features: dict[str, Value]
    until: int | None


class Policy(Strict, frozen=True, kw_only=True):
    """What the scripts decide with; an event older than `accepted_ms` is refused, one that came is recognised for
    `seen_ms`, which is longer.

    `catalogue` is the version of the catalogue that it was compiled from. On `billing_anchor` (ISO date) a billing
    period begins, and each month from it; "" is the first of the month. Of the meters in `billed` what lies between two
    of the `cuts` (epoch ms) is summed up for money.
    """

    catalogue: int = 0
    plan: str = ""
    zone: str = "UTC"
    clock: str = ""
    meters: tuple[Meter, ...] = ()
    rates: tuple[RateLimit, ...] = ()
    quotas: tuple[QuotaLimit, ...] = ()
    features: dict[str, Value] = msgspec.field(default_factory=dict)
    accepted_ms: int = DAYS_SEEN * DAY_MS
    seen_ms: int = DAYS_SEEN * DAY_MS + HOUR_MS
    overrides: tuple[Overriding, ...] = ()
    fails_open: bool = False
    billing_anchor: str = ""
    billed: tuple[str, ...] = ()
    cuts: tuple[int, ...] = ()

    def effective(self, now: int) -> Effective:
        """The limits and features at a time of the tenant's clock (epoch ms): the plan's, but for what overrides it.

        >>> policy = Policy(features={"seats": 5}, overrides=(Overriding(until=9, features={"seats": 50}),))
        >>> policy.effective(8).features, policy.effective(8).until, policy.effective(9).features
        ({'seats': 50}, 9, {'seats': 5})
        """
        quotas = {(quota.meter, quota.period): quota for quota in self.quotas}
        rates, features = {rate.name: rate for rate in self.rates}, dict(self.features)
        holding = [one for one in self.overrides if not one.until or now < one.until]
        for one in holding:
            quotas |= {(new.meter, new.period): tighter(quotas.get((new.meter, new.period)), new) for new in one.quotas}
            rates |= {rate.name: rate for rate in one.rates}
            features |= one.features
            for lifted in one.lifted:
                quotas.pop(lifted, None)
        until = min((one.until for one in holding if one.until), default=None)
        return Effective(tuple(quotas.values()), tuple(rates.values()), features, until)

    @property
    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def tighter(held: QuotaLimit | None, new: QuotaLimit) -> QuotaLimit:
    """What holds of a quota and what comes in its place: the new one, unless that is a cap and the other bounds more.

    >>> held, cap = QuotaLimit(meter="m", limit=5), QuotaLimit(meter="m", limit=9, cap=True)
    >>> tighter(held, cap) is held, tighter(cap, held) is held, tighter(None, cap) is cap
    (True, True, True)
    """
    binds = held and held.hard and not held.shadow and held.limit <= new.limit
    return held if held and new.cap and binds else new


def compiled(
    plan: Plan,
    of: Catalogue,
    zone: str,
    clock: str,
    overrides: Iterable[Override] = (),
    *,
    billing_anchor: str = "",
    caps: Iterable[Cap] = (),
) -> Policy:
    """The policy of a tenant on a plan, in a zone (IANA name), with a clock (see kit.clock) and an anchor (ISO date).

    An override or a cap that does not fit the catalogue, as after a change of either, is left out.
    """
    places = {meter.name: meter.places for meter in of.meters}
    return Policy(
        catalogue=of.version,
        plan=plan.id,
        zone=zone,
        clock=clock,
        meters=of.meters,
        rates=tuple(rate_limit(rate, places[rate.meter]) for rate in plan.rates),
        quotas=tuple(quota_limit(quota, places[quota.meter]) for quota in plan.quotas),
        features=plan.features,
        accepted_ms=plan.days_accepted * DAY_MS,
        seen_ms=plan.days_seen * DAY_MS + HOUR_MS,  # an event may come minutes before its time
        overrides=(
            *(one for override in overrides if (one := overriding(override, plan, of))),
            *(_capping(cap, places[cap.meter]) for cap in caps if cap.meter in places),
        ),
        billing_anchor=billing_anchor,
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


def overriding(override: Override, plan: Plan, of: Catalogue) -> Overriding | None:
    """An override of a plan as the policy has it, or None: there is no such meter or rate."""
    until, value = override.until or 0, override.value
    match override.kind:
        case "feature":
            assert value is not None
            return Overriding(until=until, features={override.name: value})
        case "rate":
            rate = next((one for one in plan.rates if one.name == override.name), None)
            places = {meter.name: meter.places for meter in of.meters}
            return None if rate is None else _overriding_rate(rate, override, places)
    meter = next((one for one in of.meters if one.name == override.name and one.aggregation in SUMS), None)
    if meter is None:
        return None
    if value is None:
        return Overriding(until=until, lifted=((meter.name, override.period),))
    assert isinstance(value, int)
    terms = (one for one in plan.quotas if (one.meter, one.period) == (meter.name, override.period))
    quota = next(terms, Quota(meter=meter.name, limit=0, period=override.period))
    wanted = msgspec.structs.replace(quota, limit=value, hard=override.hard)
    return Overriding(until=until, quotas=(quota_limit(wanted, meter.places),))


def _capping(cap: Cap, places: int) -> Overriding:
    """A cap, rounded down to the places that its meter has now; after all that it may be compared with."""
    limit = cap.limit * 10**places // 10**cap.places
    return Overriding(until=cap.until, quotas=(QuotaLimit(meter=cap.meter, limit=limit, period="lifetime", cap=True),))


def _overriding_rate(rate: Rate, override: Override, places: dict[str, int]) -> Overriding | None:
    try:
        wanted = msgspec.structs.replace(rate, limit=str(override.value), burst=override.burst)
        wanted.check(places[rate.meter])
    except ValueError:  # the rate's algorithm does not know a burst, or not as many
        return None
    return Overriding(until=override.until or 0, rates=(rate_limit(wanted, places[rate.meter]),))


def version(text: str) -> str:
    """What tells one policy's text from another."""
    return crypto.digest(text)[:16]


def from_text(text: str) -> Policy:
    """The policy that a limits hash holds."""
    return msgspec.json.decode(text, type=Policy)


async def read_policy(db: Db, tenant: str) -> Policy | None:
    """A tenant's policy as it is in force; None: there is no such tenant."""
    text = await policy_text(db, tenant)
    return None if text is None else from_text(text)
