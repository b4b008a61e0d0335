"""The ASGI middleware and the decorator: an application of the operator's, before a real server."""

import json
import runpy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.client.conftest import PATIENT, REQUEST, Customer
from tests.client.killed import Web
from tests.test_repository import ROOT
from veloflux_client import Ask, AsyncVeloFlux, LimitMiddleware, NotAllowed, VeloFlux

TIMEOUT_S = 20
EVENT: dict[str, Any] = {"event": REQUEST["type"], "data": REQUEST["data"]}


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    decision = scope.get("state", {}).get("veloflux")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"yes")]})
    await send({"type": "http.response.body", "body": json.dumps(decision and decision.used).encode()})


@pytest.fixture
async def client(customer: Customer) -> AsyncIterator[AsyncVeloFlux]:
    async with AsyncVeloFlux(customer.url, customer.service_key) as connected:
        yield connected


def asked(client: AsyncVeloFlux, ask: Any) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=LimitMiddleware(application, client, ask))
    return httpx2.AsyncClient(transport=transport, base_url="http://product")


async def test_a_request_is_checked_and_recorded_and_counts_once(customer: Customer, client: AsyncVeloFlux) -> None:
    async def ask(scope: Any) -> Ask | None:
        if scope["path"] == "/free":
            return None
        return Ask(meter="requests", tenant=customer.slug, timeout_s=TIMEOUT_S, **EVENT)

    async with asked(client, ask) as http:
        answers = [await http.get("/") for _ in range(3)]
        assert (await http.get("/free")).json() is None
    assert [answer.json() for answer in answers] == [1, 2, 3]
    assert answers[2].headers["x-own"] == "yes"
    assert "q=1000" in answers[2].headers["ratelimit-policy"]
    assert "r=997" in answers[2].headers["ratelimit"]
    assert client.events.pending == 3
    await client.events.flush(TIMEOUT_S)
    assert customer.used() == 3


async def test_a_request_beyond_the_limit_gets_a_problem_and_is_not_recorded(
    customer: Customer, client: AsyncVeloFlux
) -> None:
    def ask(scope: Any) -> Ask:
        return Ask(meter="requests", cost=21, tenant=customer.slug, timeout_s=TIMEOUT_S, **EVENT)

    async with asked(client, ask) as http:
        answer = await http.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json")
    assert int(answer.headers["retry-after"]) >= 1
    assert "ratelimit" in answer.headers
    told = answer.json()
    assert told["type"].endswith("#quota-exceeded")
    assert (told["status"], told["allowed"], told["refused_by"]) == (429, False, "rate:per_second")
    assert told["detail"]
    assert client.events.pending == 0


async def test_a_customers_own_key_decides_and_a_wrong_one_is_told(customer: Customer, client: AsyncVeloFlux) -> None:
    def ask(scope: Any) -> Ask:
        key = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        return Ask(meter="requests", api_key=key, timeout_s=TIMEOUT_S)

    async with asked(client, ask) as http:
        assert (await http.get("/", headers={"authorization": f"Bearer {customer.token}"})).json() == 1
        refused = await http.get("/", headers={"authorization": "Bearer vf_wrong"})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json()["detail"]


async def test_what_passed_while_veloflux_was_away_is_counted_when_it_is_back(
    customer: Customer, standalone: str, tmp_path: Path
) -> None:
    web = Web(standalone, tmp_path, **PATIENT)
    client = AsyncVeloFlux(web.url, customer.token)

    def ask(policy: Any) -> Any:
        return lambda scope: Ask(meter="requests", on_failure=policy, timeout_s=0.05, **EVENT)

    async with asked(client, ask("closed")) as http:
        refused = await http.get("/")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    async with asked(client, ask("open")) as http:
        assert (await http.get("/")).status_code == 200
    assert client.events.pending == 1
    with web.running():
        await client.events.flush(TIMEOUT_S)
    await client.aclose()
    assert customer.used() == 1


async def test_the_end_of_the_applications_lifespan_delivers(customer: Customer) -> None:
    client = AsyncVeloFlux(customer.url, customer.token)
    await client.events.record(**REQUEST)

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.shutdown"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append((message["type"], client.events.pending))

    await LimitMiddleware(application, client, lambda scope: None)({"type": "lifespan"}, receive, send)
    assert sent == [("lifespan.shutdown.complete", 0)]
    assert customer.used() == 1


async def test_the_example_application_answers_as_often_as_the_plan_allows(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in customer.environ.items():
        monkeypatch.setenv(name, value)
    example = runpy.run_path(str(ROOT / "client/examples/application.py"))
    headers = {"authorization": f"Bearer {customer.token}"}
    transport = httpx2.ASGITransport(app=example["app"])
    async with example["client"] as client, httpx2.AsyncClient(transport=transport, base_url="http://product") as http:
        answers = [await http.get("/", headers=headers) for _ in range(3)]
        assert [answer.text for answer in answers] == ["hello\n"] * 3
        assert client.events.pending > 0
    assert customer.used() == 3


def test_a_decorated_function_is_called_while_it_may_be_and_counts_once(customer: Customer) -> None:
    with VeloFlux(customer.url, customer.service_key) as client:

        @client.limited(
            "requests",
            cost=lambda slug, cost: cost,
            tenant=lambda slug, cost: slug,
            event="http.request",
            data=lambda slug, cost: {"bytes": cost},
            timeout_s=TIMEOUT_S,
        )
        def work(slug: str, cost: int) -> str:
            """What it does."""
            return f"{slug} {cost}"

        assert (work(customer.slug, 1), work.__doc__) == (f"{customer.slug} 1", "What it does.")
        with pytest.raises(NotAllowed) as raised:
            work(customer.slug, 21)
        assert raised.value.decision.refused_by == "rate:per_second"
    assert customer.used() == 1


async def test_a_decorated_coroutine_function_is_called_while_it_may_be(customer: Customer) -> None:
    async with AsyncVeloFlux(customer.url, customer.token) as client:

        @client.limited("requests", cost=lambda cost: cost, timeout_s=TIMEOUT_S, **EVENT)
        async def work(cost: int) -> int:
            return cost

        assert await work(2) == 2
        with pytest.raises(NotAllowed):
            await work(21)
    assert customer.used() == 2
