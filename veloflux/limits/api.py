"""POST /api/check, served without the framework: may this request pass?"""

import functools
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from veloflux import tenants
from veloflux.context import PLATFORM, Context, Parts
from veloflux.errors import InputInvalid, LimitReached
from veloflux.kit.http import Received, inlined_schema, parsed
from veloflux.limits.check import check
from veloflux.limits.model import COST_MAX, Decision, Question
from veloflux.metering.model import SOURCE, TEXT_MAX

ROUTES = ()


class CheckRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`tenant`, slug or id, is needed with the operator's service key."""

    meter: Annotated[str, Meta(max_length=64, description="Name of a meter", examples=["requests"])]
    cost: Annotated[int, Meta(ge=1, le=COST_MAX, description="Units to use", examples=[1])] = 1
    id: Annotated[str, Meta(max_length=TEXT_MAX, description="Counts once; repeat safely", examples=["request-1"])] = ""
    source: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX, description="Where the id is unique")] = SOURCE
    tenant: Annotated[str, Meta(max_length=64, description="Only with a service key")] = ""


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Figures of this month's quota, null without one; `reset_at` is its end in epoch ms."""

    allowed: bool
    limit: int | Decimal | None
    used: int | Decimal
    remaining: int | Decimal | None
    reset_at: int


_parse_api_key = functools.lru_cache(maxsize=4_096)(tenants.parse_api_key)
_decoder = msgspec.json.Decoder(CheckRequest)
_encode = msgspec.json.Encoder().encode


async def decide(parts: Parts, received: Received) -> bytes:
    """The answer's body when the request may pass.

    :raises LimitReached: it may not; `extra` names the limit and has its figures and `retry_after` in seconds.
    :raises VeloFluxError: it could not be decided, so it may not.
    """
    tenant, key, digest = _parse_api_key(received.token)
    asked = parsed(_decoder, received.body)
    verified = None if tenant == PLATFORM else (key, digest)
    if verified is None or asked.tenant or received.elsewhere:
        tenant = await _named_tenant(parts, received, asked.tenant or (tenant if verified else ""))
    decision = await check(
        parts,
        tenant,
        Question(
            meter=asked.meter,
            cost=asked.cost,
            id=asked.id,
            source=asked.source,
            key=verified,
            address=received.address,
        ),
    )
    if not decision.allowed:
        raise _reached(decision)
    return _encode(
        CheckAnswer(
            allowed=True,
            limit=decision.limit,
            used=decision.used,
            remaining=decision.remaining,
            reset_at=decision.reset_at,
        )
    )


async def _named_tenant(parts: Parts, received: Received, named: str) -> str:
    """The tenant that the body names, if the key is the operator's or that tenant's, and may be used by the page."""
    if not named:
        raise InputInvalid('A service key must name the tenant: {"tenant": "<slug or id>", …}')
    actor = await tenants.authenticate_api_key(parts, received.token, received.address)
    actor = msgspec.structs.replace(actor, origin=received.elsewhere)
    return (await tenants.authorise(Context(parts=parts, actor=actor), named, "usage:write")).tenant


def _reached(decision: Decision) -> LimitReached:
    kind, _, name = decision.refused_by.partition(":")
    what = f"The month's quota of {name}" if kind == "quota" else f"The rate limit {name}"
    return LimitReached(
        f"{what} is reached; repeat in {decision.retry_after} s",
        allowed=False,
        refused_by=decision.refused_by,
        retry_after=decision.retry_after,
        limit=decision.limit,
        used=decision.used,
        remaining=decision.remaining,
        reset_at=decision.reset_at,
    )


OPENAPI: dict[str, Any] = {
    "/api/check": {
        "post": {
            "operationId": "limits.check",
            "summary": "May this request pass? Decide, and count it",
            "description": "Decides API key, rate limits and quota in one step. A refusal is 429 with Retry-After.",
            "tags": ["usage"],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": inlined_schema(CheckRequest)}},
            },
            "responses": {
                "200": {
                    "description": "It may pass, and was counted",
                    "content": {"application/json": {"schema": inlined_schema(CheckAnswer)}},
                }
            },
        }
    }
}
