"""What the scripts' answers say, in units of the meter."""

import math
from collections.abc import Sequence
from typing import Any

from veloflux.limits.frame import Frame, RateFace, Rates
from veloflux.limits.model import Decision, QuotaState, RateState
from veloflux.limits.outcome import Outcome, figures, used_before
from veloflux.limits.store import Asking, Part
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
        rates=_rate_states(_biting(outcome.rates, outcome.left), outcome.passed, taken.scale),
        watching=_watching(taken, outcome) if outcome.watched else (),
    )


def passed(asking: Asking, rates: Rates, questions: Sequence[Part], answer: list[Any]) -> list[Decision | str]:
    """What those are told who pass together, from the code PASSED: each finds what those before it have left. A text
    says why one of them is not told."""
    total, reserved, pairs, left, others = figures(answer)
    taken, used, codes = asking.frame, used_before(pairs), dict(zip(others[::2], others[1::2], strict=True))
    at = _scarcest(taken, used)
    places, limits = taken.meter.places, _biting(rates, left)
    span = None if at is None else taken.quotas[at]
    before = int(total) if at is None else used[at]
    limit = None if span is None else span.quota.limit
    quota = None if span is None else _quota_state(span, asking.state.now())
    reset_at = taken.month_end if span is None else span.end
    told: list[Decision | str] = []
    gone = 0
    for number, question in enumerate(questions, 1):
        code = codes.get(number, "OK")
        if code not in ("OK", "SEEN"):
            told.append(code)
            continue
        gone += question.amount if code == "OK" else 0
        told.append(
            Decision(
                allowed=True,
                limit=None if limit is None else shown(limit, places),
                used=shown(before + gone, places),
                remaining=None if limit is None else shown(limit - before - gone - int(reserved), places),
                reset_at=reset_at,
                rates=_rate_states(limits, gone, taken.scale),
                quota=quota,
                feature=taken.features.get(question.asked.feature),
            )
        )
    return told


def committed(asking: Asking, answer: list[Any], amount: int) -> Decision:
    """The figures after a commit, from the code DONE."""
    taken = asking.frame
    _, _, total, reserved, burned, _, *pairs = answer
    used = [before + amount - burned for before in used_before(pairs)]
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


def _biting(rates: Rates, left: list[int]) -> list[tuple[RateFace, int, int]]:
    """The limits outside of the shadow, and of each what it had left and in how many µs it would have been whole."""
    return [one for one in zip(rates.faces, left[::2], left[1::2], strict=True) if not one[0].shadow]


def _rate_states(limits: list[tuple[RateFace, int, int]], passed: int, scale: int) -> tuple[RateState, ...]:
    """Each limit that bites, after so much has passed, in whole units of the meter."""
    return tuple(
        [
            RateState(
                face.name,
                face.limit,
                face.window_s,
                max(left - passed, 0) // scale,
                -(-(whole_us + face.emission_us * passed) // MICROSECONDS),
            )
            for face, left, whole_us in limits
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
