"""What the scripts' answers say, in units of the meter."""

import math
from typing import Any

from veloflux.limits.decide import Outcome
from veloflux.limits.frame import Frame
from veloflux.limits.model import Decision, QuotaState, RateState
from veloflux.limits.store import Asking
from veloflux.metering.measure import shown
from veloflux.metering.quotas import Span
from veloflux.plans.catalogue import Value
from veloflux.plans.policy import MICROSECONDS

ASK_AGAIN_S = 86_400
"""When to ask again after a quota without end has refused: it may have been raised."""


def decision(asking: Asking, outcome: Outcome, feature: Value | None = None) -> Decision:
    """What whoever asked is told; `feature` is what the plan says of the one asked for."""
    taken, now = asking.frame, asking.state.now()
    refused_by, retry_after = "", 0
    if outcome.code == "RATE":
        refused_by = f"rate:{outcome.rates.faces[outcome.refused - 1].name}"
        retry_after = max(math.ceil(outcome.wait_us / MICROSECONDS), 1)
    elif outcome.code == "QUOTA":
        span = taken.quotas[outcome.refused - 1]
        refused_by, retry_after = span.label, _until(span, now)
    at = outcome.refused - 1 if outcome.code == "QUOTA" else _scarcest(taken, outcome.used)
    return Decision(
        allowed=not refused_by,
        **_figures(taken, at, outcome.used, outcome.reserved, outcome.total),
        quota=None if at is None else _quota_state(taken.quotas[at], now),
        refused_by=refused_by,
        retry_after=retry_after,
        credits=shown(outcome.paid, taken.meter.places) if outcome.paid else 0,
        feature=feature,
        rates=_rate_states(outcome, taken.scale),
        watching=_watching(taken, outcome) if outcome.watched else (),
    )


def committed(asking: Asking, answer: list[Any], amount: int) -> Decision:
    """The figures after a commit, from the code DONE."""
    taken = asking.frame
    _, _, total, reserved, burned, _, *pairs = answer
    used = [int(count) - int(paid) + amount - burned for count, paid in zip(pairs[::2], pairs[1::2], strict=True)]
    figures = _figures(taken, _scarcest(taken, used), used, int(reserved), int(total) + amount)
    return Decision(allowed=True, credits=shown(burned, taken.meter.places), **figures)


def _scarcest(taken: Frame, used: list[int]) -> int | None:
    """The place of the quota that has the least left."""
    return min(taken.biting, key=lambda at: taken.quotas[at].quota.limit - used[at], default=None)


def _figures(taken: Frame, at: int | None, used: list[int], reserved: int, total: int) -> dict[str, Any]:
    """The members of a decision that are about the quota at a place; None: about the month."""
    places, overage = taken.meter.places, 0
    if taken.soft:
        overage = max(0, *(used[soft] - taken.quotas[soft].quota.limit for soft in taken.soft))
    beyond = shown(overage, places) if overage else 0
    if at is None:
        return {"used": shown(total, places), "reset_at": taken.month_end, "overage": beyond}
    limit = taken.quotas[at].quota.limit
    return {
        "limit": shown(limit, places),
        "used": shown(used[at], places),
        "remaining": shown(max(limit - used[at] - reserved, 0), places),
        "reset_at": taken.quotas[at].end,
        "overage": beyond,
    }


def _rate_states(outcome: Outcome, scale: int) -> tuple[RateState, ...]:
    """Each limit that bites, after what has passed, in whole units of the meter."""
    left, passed = outcome.left, outcome.passed
    return tuple(
        [
            RateState(
                name=name,
                limit=limit,
                window=window_s,
                remaining=max(left[2 * at] - passed, 0) // scale,
                reset=-(-(left[2 * at + 1] + emission_us * passed) // MICROSECONDS),
            )
            for at, (name, limit, window_s, emission_us, shadow) in enumerate(outcome.rates.faces)
            if not shadow
        ]
    )


def _watching(taken: Frame, outcome: Outcome) -> tuple[str, ...]:
    numbers, faces = [int(number) for number in outcome.watched.split()], outcome.rates.faces
    return tuple(f"rate:{faces[at - 1].name}" if at > 0 else taken.quotas[-at - 1].label for at in numbers)


def _quota_state(span: Span, now: int) -> QuotaState:
    if span.end is None:
        return QuotaState(name=span.label, window=None, reset=None)
    return QuotaState(name=span.label, window=(span.end - span.start) // 1000, reset=_until(span, now))


def _until(span: Span, now: int) -> int:
    return ASK_AGAIN_S if span.end is None else max(math.ceil((span.end - now) / 1000), 1)
