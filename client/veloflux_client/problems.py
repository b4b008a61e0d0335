"""The answer to a request that may not pass: a problem document (RFC 9457) and its header fields. No I/O."""

import json
from decimal import Decimal
from typing import Any

from veloflux_client.errors import RequestRefused
from veloflux_client.model import Decision
from veloflux_client.protocol import Answer

QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
FIGURES = ("limit", "used", "remaining", "reset_at", "refused_by", "retry_after")


def refusal(decision: Decision) -> Answer:
    """429 for a limit, 403 for a feature, 503 where nothing could be decided."""
    if decision.failed:
        return _problem(503, decision, code="unavailable", title="Service Unavailable")
    if decision.refused_by.partition(":")[0] == "feature":
        return _problem(403, decision, code="feature_missing", title="Forbidden")
    told = {name: value for name in FIGURES if (value := getattr(decision, name)) not in (None, "")}
    return _problem(
        429, decision, type=QUOTA_EXCEEDED, code="quota_exceeded", title="Too Many Requests", allowed=False, **told
    )


def wrong_key(error: RequestRefused) -> Answer:
    """401 or 403 for a customer's own key, as VeloFlux says."""
    told = {"status": error.status, "code": error.code, "detail": error.detail}
    return _answer(error.status, {"www-authenticate": "Bearer"} if error.status == 401 else {}, told)


def _problem(status: int, decision: Decision, **members: Any) -> Answer:
    fields = dict(decision.fields)
    if status != 403:
        fields.setdefault("Retry-After", str(max(1, decision.retry_after)))
    return _answer(status, fields, {**members, "status": status, "detail": decision.reason})


def _answer(status: int, fields: dict[str, str], members: dict[str, Any]) -> Answer:
    body = json.dumps(members, default=_text).encode()
    kind = {"content-type": "application/problem+json", "content-length": str(len(body))}
    return Answer(status, {name.lower(): value for name, value in fields.items()} | kind, body)


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{value!r} is no figure")
