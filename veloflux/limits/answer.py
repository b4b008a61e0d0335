"""What the scripts' answers say, in units of the meter."""

import math
from typing import Any

from veloflux.limits.frame import Frame
from veloflux.limits.model import Decision, QuotaState, RateState
from veloflux.limits.store import Asking
from veloflux.metering.measure import shown
from veloflux.metering.quotas import Span
from veloflux.plans import RateLimit
from veloflux.plans.catalogue import Value
from veloflux.plans.policy import MICROSECONDS

FIXED = 11
"""How many elements of an answer stand before those of the limits."""
ASK_AGAIN_S = 86_400
"""When to ask again after a quota without end has refused: it may have been raised."""


def decision(
    asking: Asking, answer: list[Any], *, feature: Value | None = None, counts: bool = True, holds: bool = False
) -> Decision:
    """From the code DECIDED. `counts`: what may pass has counted; `holds`: it is reserved instead."""
    _, state, taken, asked = asking
    _, verdict, refused, wait_us, total, reserved, burned, watched, _, _, _ = answer[:FIXED]
    passed = verdict == "OK" and counts
    amount = taken.amount(asked.cost) if passed else 0
    rates = taken.rates_for(asked, state.rates_of(asked.key[0] if asked.key else "")).limits
    held, counted = (amount, 0) if holds else (0, amount)
    pairs = answer[FIXED + 2 * len(rates) :]
    figures = _Figures(taken, int(reserved) + held, int(total) + counted, counted - burned, pairs)
    shown_of = figures.pick(refused - 1 if verdict == "QUOTA" else None)
    refused_by, retry_after = "", 0
    if verdict == "RATE":
        refused_by, retry_after = f"rate:{rates[refused - 1].name}", max(math.ceil(wait_us / MICROSECONDS), 1)
    elif verdict == "QUOTA":
        refused_by, retry_after = taken.quotas[refused - 1].label, _until(taken.quotas[refused - 1], state.now())
    return Decision(
        allowed=not refused_by,
        **figures.of(shown_of),
        quota=None if shown_of is None else _quota_state(taken.quotas[shown_of], state.now()),
        refused_by=refused_by,
        retry_after=retry_after,
        credits=shown(burned, taken.meter.places) if burned else 0,
        feature=feature,
        rates=tuple(
            [
                rate_state(rate, answer[FIXED + 2 * at], answer[FIXED + 2 * at + 1], amount, taken.scale)
                for at, rate in enumerate(rates)
                if not rate.shadow
            ]
        ),
        watching=_watching(taken, rates, watched) if watched else (),
    )


def committed(asking: Asking, answer: list[Any], amount: int) -> Decision:
    """The figures after a commit, from the code DONE."""
    taken = asking.frame
    _, _, total, reserved, burned, _, *pairs = answer
    figures = _Figures(taken, int(reserved), int(total) + amount, amount - burned, pairs)
    return Decision(allowed=True, credits=shown(burned, taken.meter.places), **figures.of(figures.pick(None)))


class _Figures:
    """What each quota has used and has left, and the month's total, after what was asked."""

    def __init__(self, taken: Frame, reserved: int, total: int, amount: int, pairs: list[str]) -> None:
        self.total, self.overage = total, 0
        self.used: list[int] = []
        self.left: list[int] = []
        self._taken = taken
        for at, span in enumerate(taken.quotas):
            used = int(pairs[2 * at]) - int(pairs[2 * at + 1]) + amount
            self.used.append(used)
            self.left.append(span.quota.limit - used - reserved)
            if not (span.quota.hard or span.quota.shadow):
                self.overage = max(self.overage, used - span.quota.limit)

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
