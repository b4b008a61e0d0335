"""POST /api/events, served without the framework: an API key's events become usage of its tenant."""

from typing import Any
from urllib.parse import parse_qs

import msgspec

from veloflux import tenants
from veloflux.context import PLATFORM, Actor, Context, Parts
from veloflux.errors import EventInvalid, InputInvalid
from veloflux.kit.http import Received, inlined_schema
from veloflux.metering.decode import CloudEvent, decode, is_array
from veloflux.metering.model import Rejection, Result
from veloflux.metering.record import record

PUBLISHABLE_EVENTS_MAX = 100


async def ingest(parts: Parts, received: Received) -> bytes:
    """The answer's body: how many events were recorded, how many came before, and which were rejected.

    :raises VeloFluxError: nothing was recorded; a single event that is rejected is an error too.
    """
    tenant = await _tenant(parts, received)
    decoded = decode(received.body)
    number = len(decoded.events) + len(decoded.rejected)
    if tenants.is_publishable(received.token) and number > PUBLISHABLE_EVENTS_MAX:
        raise InputInvalid(f"A request with a publishable key holds at most {PUBLISHABLE_EVENTS_MAX} events")
    result = await record(parts, tenant, decoded.events)
    moved = [msgspec.structs.replace(one, index=decoded.positions[one.index]) for one in result.rejected]
    rejected = sorted([*decoded.rejected, *moved])
    if rejected and not is_array(received.body):
        raise _refused(rejected[0])
    return msgspec.json.encode(Result(result.recorded, result.duplicates, tuple(rejected)))


async def _tenant(parts: Parts, received: Received) -> str:
    """The API key's tenant, or the one that `?tenant=` names to the operator's service key."""
    actor = await _actor(parts, received)
    named = parse_qs(received.query.decode("latin-1")).get("tenant", [""])[-1]
    if actor.tenant == PLATFORM and not named:
        raise InputInvalid("A service key must name the tenant: /api/events?tenant=<slug or id>")
    ctx = Context(parts=parts, actor=actor)
    return (await tenants.authorise(ctx, named or actor.tenant, "usage:write")).tenant


async def _actor(parts: Parts, received: Received) -> Actor:
    token, address = received.token, received.address
    if tenants.is_publishable(token):
        return await tenants.authenticate_publishable_key(parts, token, address, received.origin)
    actor = await tenants.authenticate_api_key(parts, token, address)
    return msgspec.structs.replace(actor, origin=received.elsewhere)


def _refused(one: Rejection) -> EventInvalid:
    error = EventInvalid(one.reason)
    error.code = one.code
    return error


OPENAPI: dict[str, Any] = {
    "/api/events": {
        "post": {
            "operationId": "events.record",
            "summary": "Record usage events, each once",
            "description": "One event, or an array of up to 10,000; the good ones of an array are counted.",
            "tags": ["usage"],
            "parameters": [
                {
                    "name": "tenant",
                    "in": "query",
                    "required": False,
                    "schema": {"type": "string"},
                    "description": "Slug or id; only with the operator's service key",
                }
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": inlined_schema(CloudEvent | list[CloudEvent])}},
            },
            "responses": {
                "200": {
                    "description": "What became of the events",
                    "content": {"application/json": {"schema": inlined_schema(Result)}},
                }
            },
        }
    }
}
