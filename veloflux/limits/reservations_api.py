"""POST /api/reservations, and what settles one; served without the framework, as the check is."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from veloflux.context import Parts
from veloflux.kit.http import Received, inlined_schema, parsed
from veloflux.limits.api import Address, Figures, Route, figures, reached, verified, whole, whose_address
from veloflux.limits.model import COST_MAX, LEASE_MAX_S, Question, Settled
from veloflux.limits.reserve import LEASE_S, commit, release, reserve
from veloflux.metering.model import SOURCE, TEXT_MAX

PATH = "/api/reservations"
COMMIT, RELEASE = f"{PATH}/{{reservation:str}}/commit", f"{PATH}/{{reservation:str}}/release"

Tenant = Annotated[str, Meta(max_length=64, description="Only with a service key")]


class ReserveRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`tenant`, slug or id, is needed with the operator's service key."""

    meter: Annotated[str, Meta(min_length=1, max_length=64, description="Name of a meter", examples=["requests"])]
    cost: Annotated[float, Meta(gt=0, le=COST_MAX, description="Units to hold", examples=[1])] = 1
    lease_s: Annotated[int, Meta(ge=1, le=LEASE_MAX_S, description="Seconds until it returns by itself")] = LEASE_S
    id: Annotated[str, Meta(max_length=TEXT_MAX, description="Reserves once; repeat safely", examples=["job-1"])] = ""
    source: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX, description="Where the id is unique")] = SOURCE
    route: Route = ""
    address: Address = ""
    tenant: Tenant = ""


class CommitRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What was really used, less or more than was reserved."""

    cost: Annotated[float, Meta(ge=0, le=COST_MAX, description="Units used", examples=[1])]
    tenant: Tenant = ""


class ReleaseRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    tenant: Tenant = ""


class ReservationAnswer(Figures, frozen=True, kw_only=True, gc=False):
    """Held until `until`, epoch ms; the figures are as of a check."""

    id: str
    meter: str
    cost: int | float
    until: int


class SettledAnswer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`late`: the lease was over; what is committed counts all the same. Figures when it counted just now."""

    id: str
    meter: str
    status: Literal["committed", "released"]
    cost: float
    late: bool
    figures: Figures | None


_reserve = msgspec.json.Decoder(ReserveRequest)
_commit = msgspec.json.Decoder(CommitRequest)
_release = msgspec.json.Decoder(ReleaseRequest)
_encode = msgspec.json.Encoder().encode


async def reserve_units(parts: Parts, received: Received) -> bytes:
    """The reservation. :raises QuotaExceeded: it is refused. :raises VeloFluxError: it could not be decided."""
    asked = parsed(_reserve, received.body)
    tenant, key = await verified(parts, received, asked.tenant)
    question = Question(
        meter=asked.meter,
        cost=whole(asked.cost),
        id=asked.id,
        source=asked.source,
        key=key,
        address=whose_address(received, asked.address),
        caller=received.address,
        route=asked.route,
    )
    made = await reserve(parts, tenant, question, asked.lease_s)
    received.state["standing"] = made.decision
    if not made.decision.allowed:
        raise reached(made.decision)
    shown = msgspec.structs.asdict(figures(made.decision))
    return _encode(ReservationAnswer(id=made.id, meter=made.meter, cost=made.cost, until=made.until, **shown))


async def commit_units(parts: Parts, received: Received) -> bytes:
    """What was counted. :raises NotFound, Conflict: see `reserve.commit`."""
    asked = parsed(_commit, received.body)
    tenant, key = await verified(parts, received, asked.tenant)
    return _encode(settled(await commit(parts, tenant, _id(received), whole(asked.cost), _asker(key, received))))


async def release_units(parts: Parts, received: Received) -> bytes:
    """That it is released. :raises NotFound, Conflict: see `reserve.release`."""
    asked = parsed(_release, received.body or b"{}")
    tenant, key = await verified(parts, received, asked.tenant)
    return _encode(settled(await release(parts, tenant, _id(received), _asker(key, received))))


def _asker(key: tuple[str, str] | None, received: Received) -> Question:
    return Question(key=key, address=received.address)


def _id(received: Received) -> str:
    return received.path.split("/")[3]


def settled(done: Settled) -> SettledAnswer:
    """What the answer has of it."""
    shown = None if done.decision is None else figures(done.decision)
    status: Any = done.status
    return SettledAnswer(id=done.id, meter=done.meter, status=status, cost=done.cost, late=done.late, figures=shown)


def _operation(name: str, summary: str, request: type, status: str, answer: type) -> dict[str, Any]:
    return {
        "operationId": f"limits.{name}",
        "summary": summary,
        "tags": ["usage"],
        "requestBody": {
            "required": request is not ReleaseRequest,
            "content": {"application/json": {"schema": inlined_schema(request)}},
        },
        "responses": {
            status: {
                "description": "It is done",
                "content": {"application/json": {"schema": inlined_schema(answer)}},
            }
        },
    }


RESERVATION = {
    "name": "reservation",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "As the reservation was answered",
}
OPENAPI: dict[str, Any] = {
    PATH: {
        "post": _operation(
            "reserve", "Hold units for work whose size is known afterwards", ReserveRequest, "201", ReservationAnswer
        )
    },
    COMMIT.replace(":str", ""): {
        "post": {"parameters": [RESERVATION]}
        | _operation("commit", "Count what was really used", CommitRequest, "200", SettledAnswer)
    },
    RELEASE.replace(":str", ""): {
        "post": {"parameters": [RESERVATION]}
        | _operation("release", "Give back what was reserved", ReleaseRequest, "200", SettledAnswer)
    },
}
