"""Why would this request be refused? Each limit that applies, as it stands, and what would help. Nothing is counted."""

from decimal import Decimal
from typing import Literal

import msgspec

from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import NotAuthenticated, PermissionDenied
from veloflux.kit import clock
from veloflux.limits import store
from veloflux.limits.check import validate
from veloflux.limits.decide import decide
from veloflux.limits.learn import late, patient
from veloflux.limits.limit_state import LimitState, states
from veloflux.limits.model import Amount, Question
from veloflux.limits.outcome import Outcome
from veloflux.limits.store import Asking
from veloflux.metering.known import known
from veloflux.metering.measure import shown
from veloflux.plans.catalogue import Value
from veloflux.tenants import ApiKey

Help = Literal[
    "wait",
    "smaller_cost",
    "raise_cap",
    "raise_quota",
    "credits",
    "raise_rate",
    "other_key",
    "other_address",
    "include_feature",
]
KeyFault = Literal["", "revoked", "expired", "address", "role"]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a question may pass, and every limit that decides it; `refused_by` are all that would refuse it, as
    `quota:requests`, `rate:per_second`, `feature:sso` or `key`.

    `key_fault` is what is wrong with the API key; the limits are then told as without one. `credits` are those left of
    the meter, `wait_s` the seconds until all limits let it pass (None: waiting does not help, or is not needed); `help`
    is what would.
    """

    allowed: bool
    meter: str
    unit: str = ""
    cost: float
    refused_by: tuple[str, ...]
    reason: str
    wait_s: int | None
    help: tuple[Help, ...]
    key_fault: KeyFault
    feature: Value | None
    credits: Amount
    limits: tuple[LimitState, ...]


async def explain(ctx: Context, asked: Question, key: str = "") -> Explanation:
    """What a check of the same question would decide now, and why; `key` is the id of an API key that would ask.

    :raises NotFound: no such API key. :raises MeterUnknown, InputInvalid: the question.
    """
    validate(asked)
    found = await tenants.find_api_key(ctx, key) if key else None
    asked = msgspec.structs.replace(asked, key=(found.id, found.digest) if found else None, id="", dry_run=True)
    fault: KeyFault = ""
    try:
        return await _explained(ctx, asked)
    except PermissionDenied:
        fault = "role"
    except NotAuthenticated:
        assert found, "only a key can be refused"
        fault = _fault(found)
    return await _explained(ctx, msgspec.structs.replace(asked, key=None), fault)


async def read_limits(ctx: Context) -> list[Explanation]:
    """How every limit stands that counts for all who ask, by meter; those by key and address need one to be told of."""
    state = known(ctx.tenant)
    await _decide(ctx, Question(dry_run=True))  # learns the policy
    effective = state.policy.effective(state.now())
    limited = {quota.meter for quota in effective.quotas} | {rate.meter for rate in effective.rates}
    meters = [meter.name for meter in state.policy.meters if meter.name in limited]
    return [await _explained(ctx, Question(meter=name, cost=0, dry_run=True)) for name in meters]


async def _decide(ctx: Context, asked: Question) -> tuple[Asking, Outcome]:
    parts = patient(ctx.parts)
    try:
        asking, outcome = await decide(parts, ctx.tenant, asked)
    except TimeoutError:
        raise late(parts) from None
    assert isinstance(outcome, Outcome), "what is asked without effect is looked at closely"
    return asking, outcome


async def _explained(ctx: Context, asked: Question, fault: KeyFault = "") -> Explanation:
    asking, outcome = await _decide(ctx, asked)
    taken, feature = asking.frame, None
    credit, watched = await store.read_extras(ctx.db, asking) if asked.meter else (0, {})
    limits = states(asking, outcome, credit, watched) if asked.meter else ()
    refusing = [one for one in limits if one.refuses]
    refused_by = [*(["key"] if fault else []), *(one.name for one in refusing)]
    if asked.feature:
        feature = taken.features.get(asked.feature)
        refused_by += [] if feature else [f"feature:{asked.feature}"]
    waits = [one.wait_s for one in refusing]
    lasting = bool(fault) or len(refused_by) > len(refusing)
    return Explanation(
        allowed=not refused_by,
        meter=asked.meter,
        unit=taken.meter.unit if asked.meter else "",
        cost=asked.cost,
        refused_by=tuple(refused_by),
        reason=_reason(refusing, refused_by, fault),
        wait_s=None if lasting or not waits else _longest(waits),
        help=_help(asked, refusing, refused_by, fault),
        key_fault=fault,
        feature=feature,
        credits=shown(credit, taken.meter.places),
        limits=limits,
    )


def _fault(key: ApiKey) -> KeyFault:
    if key.status != "active":
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= clock.now_ms() else "address"


def _longest(waits: list[int | None]) -> int | None:
    known_ones = [wait for wait in waits if wait is not None]
    return max(known_ones) if len(known_ones) == len(waits) else None


def _reason(refusing: list[LimitState], refused_by: list[str], fault: KeyFault) -> str:
    """In a sentence for each that refuses."""
    if not refused_by:
        return "It may pass"
    said = [f"The API key is refused: {fault}"] if fault else []
    said += [f"The plan does not include {name}" for name in refused_by if name.startswith("feature:")]
    said += [_refusal(one) for one in refusing]
    return "; ".join(said)


def _refusal(limit: LimitState) -> str:
    if limit.source == "spend_cap":
        return f"A spend cap of the subscription leaves {limit.left} of {limit.name} in this period"
    return f"{limit.name} has {limit.left} left of {limit.limit}"


def _help(asked: Question, refusing: list[LimitState], refused_by: list[str], fault: KeyFault) -> tuple[Help, ...]:
    """What would let it pass, the least first."""
    quotas, rates = ([one for one in refusing if one.kind == kind] for kind in ("quota", "rate"))
    capped = any(one.source == "spend_cap" for one in quotas)
    fits = all(Decimal(one.left) > 0 for one in refusing) and asked.cost > 1
    helps: dict[Help, bool] = {
        "wait": bool(refusing) and len(refusing) == len(refused_by) and all(one.wait_s is not None for one in refusing),
        "smaller_cost": bool(refusing) and fits,
        "other_key": bool(fault) or any(one.per == "key" for one in rates),
        "other_address": fault == "address" or any(one.per == "address" for one in rates),
        "credits": bool(quotas),
        "raise_cap": capped,
        "raise_quota": any(one.source != "spend_cap" for one in quotas),
        "raise_rate": bool(rates),
        "include_feature": any(name.startswith("feature:") for name in refused_by),
    }
    return tuple(name for name, holds in helps.items() if holds)
