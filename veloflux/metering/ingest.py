"""POST /api/events, served without the framework: an API key's events become usage of its tenant."""

from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from veloflux import tenants
from veloflux.context import PLATFORM, Context, Parts
from veloflux.errors import EventInvalid, InputInvalid, MediaTypeUnsupported, VeloFluxError
from veloflux.kit.http import Received, inlined_schema
from veloflux.metering import raw_writer
from veloflux.metering.decode import BATCH, JSON, LINES, ONE, CloudEvent, Decoded, Extended, Standard, decode, single
from veloflux.metering.model import Rejection, Result
from veloflux.metering.record import record_each

PUBLISHABLE_EVENTS_MAX = 100
ATTRIBUTES = ("specversion", "id", "source", "type", "time")


async def ingest(parts: Parts, received: Received) -> bytes:
    """The answer's body: how many events were accepted, how many came before, and which were rejected.

    :raises VeloFluxError: nothing was counted; a single event that is rejected is an error too.
    """
    tenant, actor = await _tenant(parts, received)
    try:
        decoded = _decoded(received)
    except VeloFluxError as error:
        raw_writer.note_unread(parts, tenant, received.body, error)
        raise
    number = len(decoded.events) + len(decoded.rejected)
    if tenants.is_publishable(received.token) and number > PUBLISHABLE_EVENTS_MAX:
        raise InputInvalid(f"A request with a publishable key holds at most {PUBLISHABLE_EVENTS_MAX} events")
    result, repeated = await record_each(parts, tenant, decoded.events, actor=actor)
    raw_writer.note(parts, tenant, decoded, result, repeated)
    moved = [msgspec.structs.replace(one, index=decoded.positions[one.index]) for one in result.rejected]
    rejected = sorted([*decoded.rejected, *moved])
    if rejected and decoded.alone:
        raise _refused(rejected[0])
    return msgspec.json.encode(Result(result.accepted, result.duplicates, tuple(rejected)))


def _decoded(received: Received) -> Decoded:
    if (coding := received.header("content-encoding") or "identity") != "identity":
        raise MediaTypeUnsupported(f"Send the body as it is: {coding[:40]} is not decoded here")
    kind, _, rest = (received.header("content-type") or JSON).lower().partition(";")
    charset = rest.partition("charset=")[2].strip().strip('"') or "utf-8"
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise MediaTypeUnsupported(f"Send the body in UTF-8; this one says {charset[:40]}")
    if kind.strip() == JSON and received.header("ce-specversion"):
        return single(_attributes(received), received.body)
    return decode(received.body, kind.strip())


def _attributes(received: Received) -> dict[str, str]:
    """The attributes of an event whose body is its data: CloudEvents over HTTP, binary mode."""
    given = {name: unquote(received.header(f"ce-{name}")) for name in ATTRIBUTES}
    return {name: value for name, value in given.items() if value}


async def _tenant(parts: Parts, received: Received) -> tuple[str, str]:
    """The API key's tenant, or the one that `?tenant=` names to the operator's service key; and who asks."""
    token = received.token
    named = parse_qs(received.query.decode("latin-1")).get("tenant", [""])[-1]
    if tenants.is_publishable(token):
        actor = await tenants.authenticate_publishable_key(parts, token, received.address, received.origin)
        received.state["standing"] = actor.standing
        scope = await tenants.authorise(Context(parts=parts, actor=actor), named or actor.tenant, "usage:write")
    elif not named and tenants.named_by(token)[0] == PLATFORM:
        raise InputInvalid("A service key must name the tenant: /api/events?tenant=<slug or id>")
    else:
        scope = await tenants.admit_program(parts, received, named, "usage:write")
    return scope.tenant, scope.actor.id


def _refused(one: Rejection) -> EventInvalid:
    error = EventInvalid(one.reason)
    error.code = one.code
    return error


OPENAPI: dict[str, Any] = {
    "/api/events": {
        "post": {
            "operationId": "events.record",
            "summary": "Record usage events, each once",
            "description": "One event, or up to 10,000 as an array or as JSON Lines; the good ones of many count. In "
            "the binary mode of CloudEvents the attributes are headers (ce-id, ce-type, …) and the body is the data.",
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
                "content": {
                    JSON: {"schema": inlined_schema(CloudEvent | list[CloudEvent])},
                    ONE: {"schema": inlined_schema(Standard)},
                    BATCH: {"schema": inlined_schema(list[Standard])},
                    **{kind: {"schema": inlined_schema(Extended)} for kind in LINES},
                },
            },
            "responses": {
                "200": {
                    "description": "What became of the events",
                    "content": {"application/json": {"schema": inlined_schema(Result)}},
                },
                "415": {
                    "description": "The body is of no kind that is read here",
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                },
            },
        }
    }
}
