"""How each limit of a question stands, from what is decided about it. Pure."""

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from veloflux.limits.model import Amount
from veloflux.limits.outcome import Outcome
from veloflux.limits.store import Asking
from veloflux.metering.measure import shown
from veloflux.metering.quotas import Span
from veloflux.plans import Policy, RateLimit
from veloflux.plans.policy import MICROSECONDS

Source = Literal["plan", "override", "key", "spend_cap"]


class LimitState(msgspec.Struct, frozen=True, kw_only=True):
    """One limit, in units of its meter: `name` is as in `refused_by`, `source` what sets it.

    A rate has `window_s`, `per` and `route` and is whole again at `whole_at` (epoch ms of the real clock); a quota has
    its `period`, which ends then (of the tenant's clock; None: never), `hard`, `thresholds` and what it let pass beyond
    itself, `overage`. `refuses`: the question asked; `wait_s` until it would not (None: never, or it does not).
    A limit in the `shadow` never refuses; `watched` is how often it would have, `would_refuse` whether it would now.
    """

    name: str
    kind: Literal["rate", "quota"]
    source: Source
    limit: Amount
    used: Amount
    reserved: Amount = 0
    left: Amount
    refuses: bool
    would_refuse: bool = False
    wait_s: int | None = None
    whole_at: int | None
    shadow: bool = False
    watched: int = 0
    window_s: int = 0
    per: str = ""
    route: str = ""
    period: str = ""
    hard: bool = True
    thresholds: tuple[int, ...] = ()
    overage: Amount = 0


def states(asking: Asking, outcome: Outcome, credit: int, watched: Mapping[str, int]) -> tuple[LimitState, ...]:
    """Quotas first; `credit` is left of the meter, in its places."""
    quotas = [
        _quota(asking, span, used, outcome.reserved, credit)
        for span, used in zip(asking.frame.quotas, outcome.used, strict=True)
    ]
    known_wait = {outcome.refused - 1: outcome.wait_us} if outcome.code == "RATE" else {}
    limits = [
        _rate(asking, rate, outcome.left[2 * at], outcome.left[2 * at + 1], known_wait.get(at))
        for at, rate in enumerate(outcome.rates.limits)
    ]
    return tuple(
        msgspec.structs.replace(one, watched=watched.get(one.name, 0)) if one.name in watched else one
        for one in (*quotas, *limits)
    )


def _quota(asking: Asking, span: Span, used: int, reserved: int, credit: int) -> LimitState:
    _, state, taken, asked = asking
    quota, places = span.quota, taken.meter.places
    amount = taken.amount(asked.cost)
    exceeds = amount > 0 and used + reserved + amount - quota.limit > credit
    refuses = exceeds and quota.hard and not quota.shadow
    end = _end(state.policy, span)
    wait_s = None if end is None else max(math.ceil((end - state.now()) / 1000), 1)
    return LimitState(
        name=span.label,
        kind="quota",
        source="spend_cap" if quota.cap else "plan" if quota in state.policy.quotas else "override",
        limit=shown(quota.limit, places),
        used=shown(used, places),
        reserved=shown(reserved, places),
        left=shown(max(quota.limit - used - reserved, 0), places),
        refuses=refuses,
        would_refuse=exceeds and quota.shadow,
        wait_s=wait_s if refuses and amount <= quota.limit else None,
        whole_at=end,
        shadow=quota.shadow,
        period=quota.period,
        hard=quota.hard,
        thresholds=quota.thresholds,
        overage=0 if quota.hard or quota.shadow else shown(max(used - quota.limit, 0), places),
    )


def _end(policy: Policy, span: Span) -> int | None:
    """When a quota is whole again: a spend cap ends with the period that is paid for."""
    if not span.quota.cap:
        return span.end
    return next((one.until for one in policy.overrides if span.quota in one.quotas), None)


def _rate(asking: Asking, rate: RateLimit, left: int, whole_us: int, wait_us: int | None) -> LimitState:
    _, state, taken, asked = asking
    amount = taken.amount(asked.cost)
    is_gcra = rate.algorithm == "gcra"
    limit = rate.tolerance_us // rate.emission_us if is_gcra else rate.count
    exceeds = amount > left
    if wait_us is None:  # another one refuses with a longer wait
        wait_us = whole_us + rate.emission_us * amount - rate.tolerance_us if is_gcra else whole_us
    policy = state.policy.rates
    return LimitState(
        name=f"rate:{rate.name}",
        kind="rate",
        source="plan" if rate in policy else "override" if rate in taken.rate_limits else "key",
        limit=shown(limit, taken.meter.places),
        used=shown(limit - left, taken.meter.places),
        left=shown(left, taken.meter.places),
        refuses=exceeds and not rate.shadow,
        would_refuse=exceeds and rate.shadow,
        wait_s=max(math.ceil(wait_us / MICROSECONDS), 1) if exceeds and not rate.shadow and amount <= limit else None,
        whole_at=None if left == limit else state.real_now() + whole_us // 1000,
        shadow=rate.shadow,
        window_s=-(-(rate.tolerance_us if is_gcra else rate.window_us) // MICROSECONDS),
        per=rate.per,
        route=rate.route,
    )
