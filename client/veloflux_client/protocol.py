"""Requests to VeloFlux and what its answers mean. No I/O: `VeloFlux` and `AsyncVeloFlux` share it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from veloflux_client.errors import RequestRefused, TooLarge, Unavailable
from veloflux_client.model import Decision, Number, OnFailure, Rate, Rejected

AGAIN = {408, 425, 429, 502, 503, 504}
NOT_OURS = "The answer is none of VeloFlux: is the URL right?"
FAILED_OPEN = "VeloFlux could not decide; the tenant's setting lets pass, uncounted"
FIELDS = ("RateLimit-Policy", "RateLimit", "Retry-After")


@dataclass(frozen=True, slots=True)
class Route:
    """Whose usage: with the key of the client or of the call, and the tenant that a service key names."""

    api_key: str
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A POST. `body` is JSON."""

    path: str
    body: bytes
    api_key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.api_key}", "content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, header fields by their name in lower case, a body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def asking(path: str, api_key: str, **members: object) -> Request:
    """A request whose body leaves out what is empty, so that an older server understands what it can.

    >>> asking("/api/check", "key", meter="requests", cost=0, tenant="", dry_run=False).body
    b'{"meter": "requests", "cost": 0}'
    """
    told = {name: value for name, value in members.items() if value != "" and value is not False}
    return Request(path, json.dumps(told).encode(), api_key)


def read_decision(answer: Answer, id_: str) -> Decision:
    """What was decided.

    :raises RequestRefused: the question is wrong.
    :raises Unavailable: nothing was decided.
    """
    told = _members(answer)
    if answer.status == 403 and told.get("code") == "feature_missing":
        told |= {"allowed": False, "refused_by": told.get("refused_by", "feature")}
    if answer.status >= 300 and told.get("allowed") is not False:
        raise _error(answer, told)
    if "allowed" not in told:
        raise Unavailable(NOT_OURS)
    return Decision(
        allowed=told["allowed"] is True,
        id=id_,
        limit=_number(told.get("limit")),
        used=_number(told.get("used")),
        remaining=_number(told.get("remaining")),
        reset_at=told.get("reset_at"),
        overage=_number(told.get("overage")) or 0,
        credits=_number(told.get("credits")) or 0,
        feature=told.get("feature"),
        rates=tuple(_rate(each) for each in told.get("rates") or ()),
        watching=tuple(told.get("watching") or ()),
        refused_by=told.get("refused_by", ""),
        retry_after=int(told.get("retry_after") or 0),
        failed="open" if told.get("failed_open") is True else "",
        reason=told.get("detail", FAILED_OPEN if told.get("failed_open") is True else ""),
        fields={name: answer.headers[name.lower()] for name in FIELDS if name.lower() in answer.headers},
    )


def failure(policy: OnFailure, id_: str, error: Unavailable) -> Decision:
    """The decision of the call's own policy, where VeloFlux made none."""
    return Decision(
        allowed=policy == "open", id=id_, failed=policy, retry_after=1, reason=f"{error}; {policy} on failure"
    )


def read_rejections(answer: Answer, events: Sequence[bytes]) -> list[Rejected]:
    """The events of a request that are not counted; the others are.

    :raises RequestRefused: none is counted, and none ever will be.
    :raises Unavailable: it is not known whether they are.
    """
    told = _members(answer)
    if answer.status >= 300:
        raise _error(answer, told)
    try:
        return [
            Rejected(json.loads(events[one["index"]]), one["index"], one["code"], one["reason"])
            for one in told["rejected"]
        ]
    except (KeyError, IndexError, TypeError) as error:
        raise Unavailable(NOT_OURS) from error


def read_done(answer: Answer) -> None:
    """Nothing but that it was done.

    :raises RequestRefused: it cannot be.
    :raises Unavailable: it is not known whether it was.
    """
    if answer.status >= 300:
        raise _error(answer, _members(answer))


def _members(answer: Answer) -> dict[str, Any]:
    try:
        told = json.loads(answer.body, parse_float=Decimal)
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {}


def _error(answer: Answer, told: Mapping[str, Any]) -> RequestRefused | Unavailable:
    detail = told.get("detail") or f"The server answers {answer.status}"
    if answer.status in AGAIN or answer.status >= 500:
        asked = answer.headers.get("retry-after", "")
        return Unavailable(f"{detail} ({answer.status})", float(asked) if asked.isdecimal() else 0)
    kind = TooLarge if answer.status == 413 else RequestRefused
    return kind(answer.status, told.get("code", ""), detail)


def _number(told: Any) -> Number | None:
    """A whole number, or text where an amount has places."""
    return Decimal(told) if isinstance(told, str) else told


def _rate(told: Mapping[str, Any]) -> Rate:
    return Rate(**{name: told[name] for name in Rate.__dataclass_fields__ if name in told})
