"""How often anybody may call VeloFlux itself, and how every answer says so."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.web.conftest import serving
from tests.web.scene import Scene
from veloflux.web.problems import QUOTA_EXCEEDED

PACE = "3/h"
CALLERS = {"alice": "session", "key": "key", "": "address"}


@pytest.fixture(scope="module")
def slow(standalone: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that lets anybody call three times an hour."""
    names = ("VELOFLUX_SESSION_PACE", "VELOFLUX_API_KEY_PACE", "VELOFLUX_ADDRESS_PACE")
    folder: Path = tmp_path_factory.mktemp("slow")
    patient = {"VELOFLUX_CHECK_TIMEOUT_MS": "20000", "VELOFLUX_REDIS_TIMEOUT_MS": "20000"}
    with serving(standalone, folder, dict.fromkeys(names, PACE) | patient) as url:
        yield url


async def call(http: httpx2.AsyncClient, scene: Scene, caller: str) -> httpx2.Response:
    if not caller:
        return await http.post("/api/auth/login", json={"email": "nobody@example.com", "password": "a wrong guess"})
    path = "/api/tenants/box/usage" if caller == "key" else "/api/auth/me"
    return await http.get(path, headers=scene.headers(caller))


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_caller_is_told_how_it_stands_until_it_calls_too_often(slow: str, scene: Scene, caller: str) -> None:
    name = CALLERS[caller]
    async with httpx2.AsyncClient(base_url=slow, timeout=30) as http:
        answers = [await call(http, scene, caller) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401 if not caller else 200] * 3 + [429]
    assert [answer.headers["ratelimit-policy"] for answer in answers] == [f'"{name}";q=3;w=3600'] * 4
    assert [answer.headers["ratelimit"].split(";t=")[0] for answer in answers] == [
        f'"{name}";r={left}' for left in (2, 1, 0, 0)
    ]
    refusal = answers[-1].json()
    assert (refusal["type"], refusal["code"]) == (QUOTA_EXCEEDED, "limit_reached")
    assert refusal["violated-policies"] == [name]
    assert 1100 < int(answers[-1].headers["retry-after"]) <= 1200


async def test_one_who_calls_too_often_holds_up_nobody_else(slow: str, scene: Scene) -> None:
    async with httpx2.AsyncClient(base_url=slow, timeout=30) as http:
        for _ in range(4):
            last = await call(http, scene, "alice")
        assert last.status_code == 429
        assert (await http.get("/api/auth/me", headers=scene.headers("carol"))).status_code == 200


async def test_a_refusal_counts_nothing(slow: str, scene: Scene) -> None:
    async with httpx2.AsyncClient(base_url=slow, timeout=30) as http:
        waits = [(await call(http, scene, "alice")).headers.get("retry-after") for _ in range(9)]
    assert all(int(wait) <= 1200 for wait in waits[3:] if wait)


async def test_pages_and_static_files_are_not_counted_against_an_address(slow: str) -> None:
    async with httpx2.AsyncClient(base_url=slow, timeout=30) as http:
        answers = [await http.get("/healthz") for _ in range(9)] + [await http.get("/static/console.css")]
    assert {answer.status_code for answer in answers} == {200}


async def test_events_tell_how_the_key_stands_also_when_they_are_refused(slow: str, scene: Scene) -> None:
    event = {"type": "http.request", "id": "1", "data": {"bytes": 1}}
    async with httpx2.AsyncClient(base_url=slow, timeout=30) as http:
        sent = [event, event | {"type": "nothing"}, event, event]
        answers = [await http.post("/api/events", json=body, headers=scene.headers("key")) for body in sent]
    assert [answer.status_code for answer in answers] == [200, 400, 200, 429]
    assert [answer.headers["ratelimit-policy"] for answer in answers] == ['"key";q=3;w=3600'] * 4
    assert [answer.headers["ratelimit"].split(";t=")[0] for answer in answers] == [
        f'"key";r={left}' for left in (2, 1, 0, 0)
    ]


async def test_a_question_is_told_how_each_limit_of_the_tenant_stands(slow: str, scene: Scene) -> None:
    async with httpx2.AsyncClient(base_url=slow, timeout=30) as http:
        answers = [
            await http.post(path, json={"meter": "requests", "cost": cost}, headers=scene.headers("key"))
            for path, cost in (
                ("/api/check", 3),
                ("/api/check", 21),
                ("/api/reservations", 2),
                ("/api/reservations", 21),
            )
        ]
    assert [answer.status_code for answer in answers] == [200, 429, 201, 429]
    for answer, left in zip(answers, (997, 997, 995, 995), strict=True):
        policy = re.fullmatch(
            r'"rate:per_second";q=20;w=2, "quota:requests";q=1000;w=(\d+)', answer.headers["ratelimit-policy"]
        )
        state = re.fullmatch(
            r'"rate:per_second";r=\d+;t=[012], "quota:requests";r=(\d+);t=(\d+)', answer.headers["ratelimit"]
        )
        assert policy
        assert state
        assert int(policy[1]) in {days * 86_400 for days in (28, 29, 30, 31)}
        assert (int(state[1]), 0 < int(state[2]) <= int(policy[1])) == (left, True)
