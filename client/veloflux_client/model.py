"""What VeloFlux answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Number = int | Decimal
OnFailure = Literal["closed", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One rate limit: `limit` units may pass in `window` seconds; `remaining` now, and in `reset` seconds all again."""

    name: str
    limit: int | None = None
    window: int | None = None
    remaining: int | None = None
    reset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """May it pass? `id` is what was counted under: the same id, checked again or sent as an event, counts once.

    `limit`, `used` and `remaining` are of the quota in units of the meter, None without one; `reset_at` is its end in
    epoch ms. `overage` is what soft quotas let pass, `credits` what credits paid, `feature` the value of the one that
    was asked for, `watching` the limits in shadow mode that would have refused. A refusal has `refused_by`
    (`quota:requests`) and `retry_after` in whole seconds. `failed` is "" when VeloFlux decided, otherwise the policy
    that decided instead of it, the call's or the tenant's: "closed" or "open". `reason` says a refusal or a failure in
    words, `fields` are the header fields about limits that an answer of yours may pass on.
    """

    allowed: bool
    id: str
    limit: Number | None = None
    used: Number | None = None
    remaining: Number | None = None
    reset_at: int | None = None
    overage: Number = 0
    credits: Number = 0
    feature: bool | Number | str | None = None
    rates: tuple[Rate, ...] = ()
    watching: tuple[str, ...] = ()
    refused_by: str = ""
    retry_after: int = 0
    failed: Literal["", "closed", "open"] = ""
    reason: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that VeloFlux does not count: its place in its request, from 0, the code and the reason."""

    event: Mapping[str, Any]
    index: int
    code: str
    reason: str
