"""What the scripts' answers say, in units of the meter."""

import math
from typing import Any

from veloflux.limits.decide import Outcome
from veloflux.limits.frame import Frame
from veloflux.limits.model import Decision, QuotaState, RateState
from veloflux.limits.store import Asking
from veloflux.metering.measure import shown
from veloflux.metering.quotas import Span
from veloflux.plans import RateLimit
from veloflux.plans.catalogue import Value
from veloflux.plans.policy import MICROSECONDS

ASK_AGAIN_S = 86_400
"""When to ask again after a quota without end has refused: it may have been raised."""


def decision(asking: Asking, outcome: Outcome, feature: Value | None = None) -> Decision:
    """What whoever asked is told; `feature` is what the plan says of the one asked for."""
    state, taken, rates = asking.state, asking.frame, outcome.rates
    figures = _Figures(taken, outcome.reserved, outcome.total, outcome.used)
    shown_of = figures.pick(outcome.refused - 1 if outcome.code == "QUOTA" else None)
    refused_by, retry_after = "", 0
    if outcome.code == "RATE":
        refused_by = f"rate:{rates[outcome.refused - 1].name}"
        retry_after = max(math.ceil(outcome.wait_us / MICROSECONDS), 1)
    elif outcome.code == "QUOTA":
        span = taken.quotas[outcome.refused - 1]
        refused_by, retry_after = span.label, _until(span, state.now())
    return Decision(
        allowed=not refused_by,
        **figures.of(shown_of),
        quota=None if shown_of is None else _quota_state(taken.quotas[shown_of], state.now()),
        refused_by=refused_by,
        retry_after=retry_after,
        credits=shown(outcome.paid, taken.meter.places) if outcome.paid else 0,
        feature=feature,
        rates=tuple(
            [
                rate_state(rate, outcome.left[2 * at], outcome.left[2 * at + 1], outcome.passed, taken.scale)
                for at, rate in enumerate(rates)
                if not rate.shadow
            ]
        ),
        watching=_watching(taken, rates, outcome.watched) if outcome.watched else (),
    )


def committed(asking: Asking, answer: list[Any], amount: int) -> Decision:
    """The figures after a commit, from the code DONE."""
    taken = asking.frame
    _, _, total, reserved, burned, _, *pairs = answer
    used = [int(count) - int(paid) + amount - burned for count, paid in zip(pairs[::2], pairs[1::2], strict=True)]
    figures = _Figures(taken, int(reserved), int(total) + amount, used)
    return Decision(allowed=True, credits=shown(burned, taken.meter.places), **figures.of(figures.pick(None)))


class _Figures:
    """What each quota has used and has left, and the month's total."""

    def __init__(self, taken: Frame, reserved: int, total: int, used: list[int]) -> None:
        self.total, self.used, self.overage = total, used, 0
        self.left: list[int] = []
        self._taken = taken
        for span, so_far in zip(taken.quotas, used, strict=True):
            self.left.append(span.quota.limit - so_far - reserved)
            if not (span.quota.hard or span.quota.shadow):
                self.overage = max(self.overage, so_far - span.quota.limit)

    def pick(self, refused: int | None) -> int | None:
        """Which quota the figures are of."""
        if refused is not None or not self.used:
            return refused
        bite = [at for at, span in enumerate(self._taken.quotas) if not span.quota.shadow]
        return min(bite, key=self.left.__getitem__) if bite else None

    def of(self, at: int | None) -> dict[str, Any]:
        """The members of a decision that are about a quota; None: about the month."""
        taken, places = self._taken, self._taken.meter.places
        overage = shown(self.overage, places) if self.overage else 0
        if at is None:
            return {"used": shown(self.total, places), "reset_at": taken.month_end, "overage": overage}
        return {
            "limit": shown(taken.quotas[at].quota.limit, places),
            "used": shown(self.used[at], places),
            "remaining": shown(max(self.left[at], 0), places),
            "reset_at": taken.quotas[at].end,
            "overage": overage,
        }


def rate_state(rate: RateLimit, left: int, whole_us: int, amount: int, scale: int) -> RateState:
    """A rate limit after `amount` has passed, in whole units of the meter."""
    if rate.algorithm == "gcra":
        limit, window_us = rate.tolerance_us // rate.emission_us, rate.tolerance_us
        whole_us += rate.emission_us * amount
    else:
        limit, window_us = rate.count, rate.window_us
    return RateState(
        name=rate.name,
        limit=limit // scale,
        window=-(-window_us // MICROSECONDS),
        remaining=max(left - amount, 0) // scale,
        reset=-(-whole_us // MICROSECONDS),
    )


def _watching(taken: Frame, rates: tuple[RateLimit, ...], watched: str) -> tuple[str, ...]:
    numbers = [int(number) for number in watched.split()]
    return tuple(f"rate:{rates[at - 1].name}" if at > 0 else taken.quotas[-at - 1].label for at in numbers)


def _quota_state(span: Span, now: int) -> QuotaState:
    if span.end is None:
        return QuotaState(name=span.label, window=None, reset=None)
    return QuotaState(name=span.label, window=(span.end - span.start) // 1000, reset=_until(span, now))


def _until(span: Span, now: int) -> int:
    return ASK_AGAIN_S if span.end is None else max(math.ceil((span.end - now) / 1000), 1)
