"""Events over HTTP, and those that came, listed and watched."""

import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.web.scene import Scene, problem

EVENT = {"type": "http.request", "id": "a", "data": {"bytes": 1}}
LIVE = "/api/tenants/box/events/live"


async def shown(http: httpx2.AsyncClient, scene: Scene, count: int, **query: str) -> list[dict[str, object]]:
    """The list, as soon as it is so long."""
    found: list[dict[str, object]] = []
    while len(found) < count:
        answer = await http.get("/api/tenants/box/events", params=query, headers=scene.headers("alice"))
        found = answer.json()["items"]
    return found


async def lines(answer: httpx2.Response) -> AsyncIterator[dict[str, str]]:
    """The messages of a stream, each as its fields."""
    message: dict[str, str] = {}
    async for line in answer.aiter_lines():
        name, colon, value = line.partition(": ")
        if colon and name:
            message[name] = value
        elif not line and "data" in message:
            yield message
            message = {}


async def test_the_kind_of_a_body_says_how_it_is_read(http: httpx2.AsyncClient, scene: Scene) -> None:
    standard = EVENT | {"specversion": "1.0", "source": "/web", "subject": "customer 7"}
    asked = {
        "application/cloudevents+json; charset=utf-8": json.dumps(standard),
        "application/cloudevents-batch+json": json.dumps([standard | {"id": "b"}]),
        "application/x-ndjson": "\n".join(json.dumps(standard | {"id": id_}) for id_ in "abc"),
    }
    answers = []
    for kind, body in asked.items():
        headers = scene.headers("key") | {"content-type": kind}
        answers.append((await http.post("/api/events", content=body, headers=headers)).json())
    assert [(one["accepted"], one["duplicates"]) for one in answers] == [(1, 0), (1, 0), (1, 2)]
    beside = {"ce-specversion": "1.0", "ce-id": "d", "ce-type": "http.request", "ce-source": "/web"}
    answer = await http.post("/api/events", json={"bytes": 5}, headers=scene.headers("key") | beside)
    assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    form = await http.post("/api/events", data={"id": "e"}, headers=scene.headers("key"))
    problem(form, 415, "media_type_unsupported")


async def test_who_may_read_usage_sees_what_came_and_a_filter_narrows_it(
    http: httpx2.AsyncClient, scene: Scene
) -> None:
    await http.post("/api/events", json=[EVENT, EVENT, {"id": "x"}], headers=scene.headers("key"))
    found = await shown(http, scene, 3)
    assert [one["outcome"] for one in found] == ["rejected", "duplicate", "accepted"]
    assert [one["code"] for one in await shown(http, scene, 1, outcome="rejected")] == ["event_attribute_missing"]
    for query in ({"outcome": "lost"}, {"limit": "0"}, {"type": "x" * 201}):
        refused = await http.get("/api/tenants/box/events", params=query, headers=scene.headers("alice"))
        problem(refused, 400, "input_invalid", of=query)


async def test_a_stream_tells_what_comes_and_goes_on_where_it_was_lost(http: httpx2.AsyncClient, scene: Scene) -> None:
    alice, key = scene.headers("alice"), scene.headers("key")
    async with http.stream("GET", LIVE, headers=alice) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        messages = lines(answer)
        await http.post("/api/events", json=EVENT, headers=key)
        first = await anext(messages)
        assert json.loads(first["data"])["id"] == "a"
        await http.post("/api/events", json=EVENT | {"id": "b"}, headers=key)
        assert json.loads((await anext(messages))["data"])["id"] == "b"
    await shown(http, scene, 2)
    again = alice | {"last-event-id": first["id"]}
    async with http.stream("GET", f"{LIVE}?seconds=0", headers=again) as answer:
        assert [json.loads(one["data"])["id"] async for one in lines(answer)] == ["b"]


@pytest.mark.parametrize("query", ["seconds=61", "seconds=-1", "cursor=LTE", "outcome=lost"])
async def test_a_stream_that_cannot_be_is_refused_before_it_begins(
    http: httpx2.AsyncClient, scene: Scene, query: str
) -> None:
    problem(await http.get(f"{LIVE}?{query}", headers=scene.headers("alice")), 400, of=query)
