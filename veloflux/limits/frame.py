"""What a check of a meter takes from a tenant's policy and the present hour: the same for thousands of checks."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from veloflux.db import keys
from veloflux.errors import InputInvalid
from veloflux.kit import period
from veloflux.kit.clock import DAY_MS, HOUR_MS, LATEST
from veloflux.limits.model import Question
from veloflux.metering.known import Known
from veloflux.metering.quotas import Span, open_words, spans
from veloflux.plans import Effective, Meter, Policy, RateLimit, pick_meter
from veloflux.plans.catalogue import Rate, Value
from veloflux.plans.policy import MICROSECONDS, rate_limit
from veloflux.plans.schedule import NOWHERE, segment

KINDS_MAX = 1_000
NO_METER = Meter(name="none", event_type="none", aggregation="count", unit="")
_own = msgspec.json.Decoder(tuple[Rate, ...])


class RateFace(NamedTuple):
    """What answers say of a rate limit: `limit` whole units in `window_s`. `emission_us` is 0 unless it is GCRA."""

    name: str
    limit: int
    window_s: int
    emission_us: int
    shadow: bool


class Rates(NamedTuple):
    """The rate limits of one kind of question, as the script numbers them, and its ARGV from 18 on."""

    limits: tuple[RateLimit, ...]
    faces: tuple[RateFace, ...]
    own: str
    of_address: bool
    args: tuple[bytes, ...]


class Frame(NamedTuple):
    """Valid for one UTC hour of the tenant's clock, one month, one period of each quota and one segment, and as long as
    no override ends: by Redis' clock from `since` until before `until`, both in epoch ms.

    `biting` are the places of the quotas that are not in the shadow, `soft` of those that let pass what is beyond them.
    `heads` are the keys 3 to 6 of the check script, `tails` those from 8 on; `count_args` are of each quota, and of the
    segment if the meter is billed; `version` is the policy's.
    """

    tenant: str
    policy: Policy
    version: str
    meter: Meter
    month: str
    since: int
    until: int
    month_end: int
    scale: int
    quotas: tuple[Span, ...]
    biting: tuple[int, ...]
    soft: tuple[int, ...]
    limits: str
    heads: tuple[str, str, str, str]
    leases: str
    tails: tuple[str, ...]
    time_args: tuple[bytes, bytes]
    features: dict[str, Value]
    reserved_field: bytes
    day_member: bytes
    meter_key: bytes
    open_args: tuple[bytes, bytes]
    count_args: tuple[bytes, ...]
    rate_limits: tuple[RateLimit, ...]
    routes: frozenset[str]
    rates: dict[tuple[bool, bool, str, str], Rates]

    def amount(self, cost: int | float) -> int:
        """A cost in the places of the meter. :raises InputInvalid: it is finer or larger than the meter can hold."""
        if type(cost) is int:
            return cost * self.scale
        scaled = Decimal(repr(cost)).scaleb(self.meter.places)
        if scaled != scaled.to_integral_value():
            fine = f"at most {self.meter.places} decimal places" if self.meter.places else "a whole number"
            raise InputInvalid(f"cost must be {fine}; the meter {self.meter.name} counts exactly", field="cost")
        return int(scaled)

    def rates_for(self, asked: Question, own: str) -> Rates:
        """Limits by key, address or route apply where the question has one; `own` are those of its key, as kept."""
        kind = asked.key is not None, asked.address != "", asked.route if asked.route in self.routes else "", own
        found = self.rates.get(kind)
        if found is None:
            if len(self.rates) >= KINDS_MAX:
                self.rates.clear()
            found = self.rates[kind] = _rates(self, *kind)
        return found


def frame(state: Known, tenant: str, meter: str) -> Frame:
    """The present frame, from memory if it still holds; without a meter, of what is asked about a feature alone. As
    long as the policy is not known it is of nothing: the answer to it is the policy.

    :raises MeterUnknown: the policy has no such meter.
    """
    real = state.real_now()
    meter = meter if state.version else ""
    found = state.frames.get(meter)
    if isinstance(found, Frame) and found.since <= real < found.until:
        return found
    made = state.frames[meter] = _frame(state, tenant, meter, real)
    return made


def _frame(state: Known, tenant: str, name: str, real: int) -> Frame:
    policy, now = state.policy, state.at(real)
    effective = policy.effective(now)
    meter = pick_meter(policy.meters, name) if name else NO_METER
    quotas = spans(policy, effective.quotas, name, now)
    rates = tuple(rate for rate in effective.rates if rate.meter == name)
    month = period.month_of(now, policy.zone)
    hour = now // HOUR_MS * HOUR_MS
    bounds = [(hour, hour + HOUR_MS), period.month_bounds(month, policy.zone)]
    bounds += [(span.start, span.end) for span in quotas if span.end is not None]
    since_cut, _ = cut = segment(policy.cuts, now) if name in policy.billed else (NOWHERE, LATEST)
    bounds.append(cut)
    billed = since_cut != NOWHERE
    start, end = max(first for first, _ in bounds), min(last for _, last in bounds)
    end = min(end, effective.until or end)
    since, until = _valid(real, now, (start, end), policy.clock)
    limits, on = keys.limits(tenant), period.utc_day(now).isoformat()

    def key(function: Callable[..., str], *parts: str) -> str:
        return function(tenant, meter.key, *parts) if name else limits

    return Frame(
        tenant=tenant,
        policy=policy,
        version=state.version,
        meter=meter,
        month=month,
        since=since,
        until=until,
        month_end=bounds[1][1],
        scale=10**meter.places,
        quotas=quotas,
        biting=tuple(at for at, span in enumerate(quotas) if not span.quota.shadow),
        soft=tuple(at for at, span in enumerate(quotas) if not (span.quota.hard or span.quota.shadow)),
        limits=limits,
        heads=(
            key(keys.usage, on),
            key(keys.total, month),
            keys.usage_days(tenant) if name else limits,
            key(keys.minutes, f"{datetime.fromtimestamp(now / 1000, UTC):%Y-%m-%dt%H}"),
        ),
        leases=key(keys.leases),
        tails=(
            key(keys.credit_state),
            keys.events(tenant),
            keys.due(tenant),
            *(key(keys.counted, span.name) for span in quotas),
            *([key(keys.billed)] if billed else []),
        ),
        time_args=_sent(start, end),  # type: ignore[arg-type]
        features=effective.features,
        reserved_field=f"reserved:{meter.key}".encode(),
        day_member=f"{meter.key}:{on}".encode(),
        meter_key=meter.key.encode(),
        open_args=_sent(*open_words(meter.key, quotas)),  # type: ignore[arg-type]
        count_args=_sent(*(word for span in quotas for word in span.words), *([since_cut] if billed else [])),
        rate_limits=rates,
        routes=frozenset(rate.route for rate in rates),
        rates={},
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


def _rates(frame: Frame, key: bool, address: bool, route: str, own: str) -> Rates:
    named = [("rate", rate) for rate in frame.rate_limits if rate.route in ("", route)]
    if key:
        kept = [rate for rate in _own.decode(own) if rate.meter == frame.meter.name and rate.route in ("", route)]
        named += [("own", rate_limit(rate, frame.meter.places)) for rate in kept]
    per = {"tenant": True, "key": key, "address": address}
    groups = [[pair for pair in named if pair[1].per == kind and applies] for kind, applies in per.items()]
    ordered = [pair for group in groups for pair in group]
    words: list[object] = [_life_ms(frame.policy, [rate for _, rate in groups[2]])]
    words += [*(len(group) for group in groups), len(frame.quotas)]
    fields = _sent(*(f"{kind}:{rate.name}" for kind, rate in ordered))
    numbers = _sent(*(word for _, rate in ordered for word in _words_of_rate(rate)))
    args = (*_sent(*words), *frame.open_args, *fields, *numbers, *frame.count_args)
    limits = tuple(rate for _, rate in ordered)
    return Rates(limits, tuple(_face(rate, frame.scale) for rate in limits), own, bool(groups[2]), args)


def _face(rate: RateLimit, scale: int) -> RateFace:
    if rate.algorithm == "gcra":
        limit, window_us, emission_us = rate.tolerance_us // rate.emission_us, rate.tolerance_us, rate.emission_us
    else:
        limit, window_us, emission_us = rate.count, rate.window_us, 0
    return RateFace(rate.name, limit // scale, -(-window_us // MICROSECONDS), emission_us, rate.shadow)


def _words_of_rate(rate: RateLimit) -> Iterable[object]:
    numbers = (rate.emission_us, rate.tolerance_us) if rate.algorithm == "gcra" else (rate.count, rate.window_us)
    return rate.algorithm, *numbers, f"rate:{rate.name}" if rate.shadow else ""


def _life_ms(policy: Policy, rates: list[RateLimit]) -> int:
    """How long the state of an address tells something. Its life runs by the real clock, so a tenant with a clock of
    its own keeps it for a day."""
    longest = max((max(rate.tolerance_us, 2 * rate.window_us) for rate in rates), default=0)
    return max(longest // 1000 + 1, DAY_MS if policy.clock else 0)


def _sent(*values: object) -> tuple[bytes, ...]:
    return tuple(str(value).encode() for value in values)
