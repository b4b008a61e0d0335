"""POST /api/check, served without the framework: may this request pass?"""

import functools
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from veloflux import tenants
from veloflux.context import PLATFORM, Parts
from veloflux.errors import InputInvalid, QuotaExceeded
from veloflux.kit.deadline import Deadline
from veloflux.kit.http import Received, inlined_schema, parsed
from veloflux.limits.check import check
from veloflux.limits.learn import late
from veloflux.limits.model import COST_MAX, Amount, Decision, Question, RateState
from veloflux.metering.model import SOURCE, TEXT_MAX
from veloflux.plans.catalogue import Value

ROUTES = ()


Route = Annotated[str, Meta(max_length=200, description="What limits of a route are bound to", examples=["GET /"])]
Address = Annotated[
    str,
    Meta(
        max_length=45,
        description="Whose limits by address apply; empty, or with a token: the caller's",
        examples=["203.0.113.9"],
    ),
]


class CheckRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A meter, a feature, or both. `tenant`, slug or id, is needed with the operator's service key."""

    meter: Annotated[str, Meta(max_length=64, description="Name of a meter", examples=["requests"])] = ""
    cost: Annotated[float, Meta(gt=0, le=COST_MAX, description="Units to use", examples=[1])] = 1
    id: Annotated[str, Meta(max_length=TEXT_MAX, description="Counts once; repeat safely", examples=["request-1"])] = ""
    source: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX, description="Where the id is unique")] = SOURCE
    route: Route = ""
    address: Address = ""
    feature: Annotated[str, Meta(max_length=60, description="Name of a feature that the plan must include")] = ""
    dry_run: Annotated[bool, Meta(description="Decide, and count nothing")] = False
    tenant: Annotated[str, Meta(max_length=64, description="Only with a service key")] = ""

    def question(self, key: tuple[str, str] | None, caller: str, address: str) -> Question:
        """What it asks, for whose key, from where, and whose limits by address apply."""
        return Question(
            meter=self.meter,
            cost=whole(self.cost),
            id=self.id,
            source=self.source,
            key=key,
            address=address,
            caller=caller,
            route=self.route,
            feature=self.feature,
            dry_run=self.dry_run,
        )


class Figures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of the quota that refuses, or else has the least left; without one null, and `used` is of this month.

    `reset_at` is the end of its period in epoch ms, null: never. `overage`: units beyond soft quotas; `credits`: units
    of this question that credits paid; `feature`: what the plan says of it; `watching`: limits in the shadow that would
    have refused. `failed_open`: VeloFlux could not decide, and the tenant's setting lets pass: not counted, no figures.
    """

    allowed: bool
    limit: Amount | None
    used: Amount | None
    remaining: Amount | None
    reset_at: int | None
    overage: Amount
    credits: Amount
    feature: Value | None
    rates: tuple[RateState, ...]
    watching: tuple[str, ...]
    failed_open: bool = False


_parse_api_key = functools.lru_cache(maxsize=4_096)(tenants.parse_api_key)
_decoder = msgspec.json.Decoder(CheckRequest)
_encode = msgspec.json.Encoder().encode
FIGURES = Figures.__struct_fields__


def whole(cost: float) -> int | float:
    """A number of JSON, as an integer if it is one.

    >>> whole(2.0), whole(0.1)
    (2, 0.1)
    """
    return int(cost) if cost == int(cost) else cost


async def decide(parts: Parts, received: Received) -> bytes:
    """The answer's body when the request may pass.

    :raises QuotaExceeded: it may not; `extra` names the limit and has its figures and `retry_after` in seconds.
    :raises VeloFluxError: it could not be decided, so it may not.
    """
    asked = parsed(_decoder, received.body)
    tenant, key = await verified(parts, received, asked.tenant)
    decision = await check(parts, tenant, asked.question(key, received.address, whose_address(received, asked.address)))
    received.state["standing"] = decision
    if not decision.allowed:
        raise reached(decision)
    return _encode(figures(decision))


def figures(decision: Decision) -> Figures:
    """What the answer to whoever may pass has."""
    return msgspec.convert(decision, Figures, from_attributes=True)


async def verified(parts: Parts, received: Received, named: str) -> tuple[str, tuple[str, str] | None]:
    """The tenant asked for, and id and digest of the key that the script must verify; None: it was verified here, in a
    round trip of its own, for the script knows neither service keys nor tokens. (What a check counts must not be
    counted for somebody who turns out to be nobody.) Limits by key do not see those: only the tenant's, by route and
    by address.

    :raises NotAuthenticated, PermissionDenied, NotFound, InputInvalid: the key, or the tenant that the body names.
    """
    key = None if tenants.is_token(received.token) else _parse_api_key(received.token)
    if key and key[0] == PLATFORM and not named:
        raise InputInvalid('A service key must name the tenant: {"tenant": "<slug or id>", …}')
    if key and key[0] != PLATFORM and not named and not received.elsewhere:
        return key[0], key[1:]
    try:
        with Deadline(parts.settings.check_timeout_ms / 1000):
            scope = await tenants.admit_program(parts, received, named, "usage:write")
    except TimeoutError:
        raise late(parts) from None
    return scope.tenant, key[1:] if key and key[0] != PLATFORM else None


def whose_address(received: Received, named: str) -> str:
    """Whose limits by address apply: the program that has an API key says so, a page with a token is not asked."""
    return received.address if tenants.is_token(received.token) else named or received.address


def reached(decision: Decision) -> QuotaExceeded:
    """The refusal as a problem."""
    kind, _, name = decision.refused_by.partition(":")
    what = f"The quota of {name.replace(':', ' a ')}" if kind == "quota" else f"The rate limit {name}"
    shown = {name: getattr(decision, name) for name in ("refused_by", "retry_after", *FIGURES)}
    return QuotaExceeded(f"{what} is reached; repeat in {decision.retry_after} s", **shown)


OPENAPI: dict[str, Any] = {
    "/api/check": {
        "post": {
            "operationId": "limits.check",
            "summary": "May this request pass? Decide, and count it",
            "description": "Decides API key, rate limits and quota in one step. A refusal is 429 with Retry-After. "
            "When Redis is away: 503, or `failed_open` where the tenant's setting lets pass.",
            "tags": ["usage"],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": inlined_schema(CheckRequest)}},
            },
            "responses": {
                "200": {
                    "description": "It may pass, and was counted",
                    "content": {"application/json": {"schema": inlined_schema(Figures)}},
                }
            },
        }
    }
}
