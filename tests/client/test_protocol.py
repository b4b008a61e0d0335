"""What the answers of a server mean, also those that no real one gives here: of another version, of a proxy."""

import json
from decimal import Decimal
from typing import Any

import pytest

from veloflux_client import RequestRefused, Unavailable
from veloflux_client.buffer import Buffer, encoded
from veloflux_client.problems import refusal
from veloflux_client.protocol import Answer, Route, read_decision, read_rejections

ROUTE = Route("key")
EVENT = encoded("http.request", "request-1", "api", None, None)
DONE = {"accepted": 1, "duplicates": 0, "rejected": []}


def answer(status: int, told: Any, **headers: str) -> Answer:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_an_answer_has_every_figure_that_the_server_tells() -> None:
    rate = {"name": "per_second", "limit": 20, "window": 2, "remaining": 19, "reset": 1}
    figures = {"limit": "1.5", "used": "0.5", "remaining": "1.0", "reset_at": None, "overage": 0, "credits": "0.25"}
    more = {"feature": 5, "rates": [rate], "watching": ["rate:slow"], "of_another_version": 1}
    decision = read_decision(answer(200, {"allowed": True, **figures, **more}), "request-1")
    assert (decision.limit, decision.credits, decision.reset_at) == (Decimal("1.5"), Decimal("0.25"), None)
    assert (decision.feature, decision.watching, decision.rates[0].window) == (5, ("rate:slow",), 2)
    assert decision.fields == {}


def test_the_servers_own_fields_are_passed_on() -> None:
    told = {"allowed": False, "refused_by": "quota:requests", "retry_after": 7, "detail": "Full", "limit": 1}
    fields = {"ratelimit": '"a";r=0;t=7', "ratelimit_policy": '"a";q=1;w=60', "retry_after": "7"}
    passed_on = refusal(read_decision(answer(429, told, **fields), "request-1"))
    assert passed_on.status == 429
    assert passed_on.headers["ratelimit"] == '"a";r=0;t=7'
    assert (passed_on.headers["ratelimit-policy"], passed_on.headers["retry-after"]) == ('"a";q=1;w=60', "7")


def test_a_feature_that_the_plan_lacks_is_a_decision() -> None:
    decision = read_decision(answer(403, {"code": "feature_missing", "detail": "Not in this plan"}), "request-1")
    assert (decision.allowed, decision.refused_by, decision.reason) == (False, "feature", "Not in this plan")
    assert refusal(decision).status == 403


def test_another_403_is_no_decision() -> None:
    with pytest.raises(RequestRefused):
        read_decision(answer(403, {"code": "permission_denied", "detail": "No"}), "request-1")


@pytest.mark.parametrize(
    "told",
    [(200, b"<html>"), (200, {}), (502, b"<html>"), (503, {"detail": "Later"}), (429, {"code": "limit_reached"})],
)
def test_what_is_no_decision_is_decided_by_the_policy_of_the_call(told: tuple[int, Any]) -> None:
    with pytest.raises(Unavailable):
        read_decision(answer(*told), "request-1")


@pytest.mark.parametrize(
    "told", [(200, b"<html>"), (200, {"rejected": [{"index": 1, "code": "a", "reason": "b"}]}), (502, b"")]
)
def test_what_does_not_say_that_events_are_counted_is_tried_again(told: tuple[int, Any]) -> None:
    with pytest.raises(Unavailable):
        read_rejections(answer(*told), [EVENT])


def test_an_event_waits_as_long_as_the_server_says_and_holds_up_no_other_route() -> None:
    buffer, other = Buffer(10), Route("key", "globex")
    assert buffer.add(ROUTE, EVENT, 0)
    first = buffer.take(1, hurry=False)
    assert first
    assert buffer.add(other, EVENT, 1)
    buffer.settle(first, Unavailable("Later", retry_after=30), 1)
    assert buffer.pending == 2
    second = buffer.take(2, hurry=False)
    assert second
    assert second.route == other
    assert buffer.settle(second, answer(200, DONE), 2) == []
    assert (buffer.take(30, hurry=True), buffer.due_at(hurry=True)) == (None, 31)
    assert buffer.take(31, hurry=False) == first


def test_a_batch_has_at_most_500_events_and_goes_at_once_when_it_is_full() -> None:
    buffer = Buffer(1_000)
    for _ in range(501):
        buffer.add(ROUTE, EVENT, 0)
    batch = buffer.take(0, hurry=False)
    assert batch
    assert len(batch.events) == 500
    assert json.loads(batch.request.body)[0]["id"] == "request-1"
    buffer.settle(batch, answer(200, DONE), 0)
    assert (buffer.pending, buffer.take(0.5, hurry=False)) == (1, None)
