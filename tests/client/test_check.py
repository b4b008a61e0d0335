"""`check` of the Python clients, against a real server."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from tests.client.conftest import REQUEST, Customer
from tests.servers import free_port
from veloflux_client import AsyncVeloFlux, NotAllowed, RequestRefused, VeloFlux

TIMEOUT_S = 20


@pytest.fixture
def client(customer: Customer) -> Iterator[VeloFlux]:
    with VeloFlux(customer.url, customer.token) as connected:
        yield connected


@pytest.fixture
def silent() -> Iterator[str]:
    """URL of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_check_counts_and_tells_the_figures(customer: Customer, client: VeloFlux) -> None:
    decision = client.check("requests", cost=3, timeout_s=TIMEOUT_S)
    assert (decision.allowed, decision.limit, decision.used, decision.remaining) == (True, 1_000, 3, 997)
    assert decision.failed == ""
    assert customer.used() == 3


def test_a_check_with_the_same_id_counts_once(customer: Customer, client: VeloFlux) -> None:
    first = client.check("requests", id="request-1", timeout_s=TIMEOUT_S)
    assert [client.check("requests", id="request-1", timeout_s=TIMEOUT_S).used for _ in range(2)] == [1, 1]
    assert first.id == "request-1"
    assert customer.used() == 1


def test_a_check_and_an_event_of_its_id_count_once(customer: Customer, client: VeloFlux) -> None:
    decision = client.check("requests", timeout_s=TIMEOUT_S)
    client.events.record(**REQUEST, id=decision.id)
    client.events.record(**REQUEST)
    client.events.flush(TIMEOUT_S)
    assert customer.used() == 2


def test_a_refusal_is_a_decision_and_raises_only_where_it_was_asked_to(client: VeloFlux) -> None:
    decision = client.check("requests", cost=21, timeout_s=TIMEOUT_S)
    assert not decision.allowed
    assert (decision.failed, decision.refused_by) == ("", "rate:per_second")
    assert decision.retry_after > 0
    assert decision.reason
    with pytest.raises(NotAllowed) as raised:
        client.check_or_raise("requests", cost=21, timeout_s=TIMEOUT_S)
    assert raised.value.decision.refused_by == "rate:per_second"


def test_a_wrong_question_raises_whatever_the_policy(customer: Customer, client: VeloFlux) -> None:
    with pytest.raises(RequestRefused) as raised:
        client.check("no_such_meter", on_failure="open", timeout_s=TIMEOUT_S)
    assert (raised.value.status, raised.value.code) == (400, "meter_unknown")
    with pytest.raises(RequestRefused) as raised:
        client.check("requests", api_key="vf_wrong", on_failure="open", timeout_s=TIMEOUT_S)
    assert raised.value.status == 401


def test_a_service_key_names_the_tenant(customer: Customer) -> None:
    with VeloFlux(customer.url, customer.service_key) as client:
        assert client.check("requests", tenant=customer.slug, timeout_s=TIMEOUT_S).used == 1
        client.events.record(**REQUEST, tenant=customer.slug)
        client.events.flush(TIMEOUT_S)
    assert customer.used() == 2


@pytest.mark.parametrize(("policy", "allowed"), [("closed", False), ("open", True)])
def test_without_an_answer_the_policy_of_the_call_decides_and_says_so(policy: str, allowed: bool, silent: str) -> None:
    for url in (silent, f"http://127.0.0.1:{free_port()}"):
        client = VeloFlux(url, "key")
        decision = client.check("requests", on_failure=policy, timeout_s=0.2)  # type: ignore[arg-type]
        assert (decision.allowed, decision.failed, decision.used) == (allowed, policy, None)
        assert f"{policy} on failure" in decision.reason
    assert not VeloFlux(silent, "key").check("requests", timeout_s=0.1).allowed


async def test_the_asynchronous_client_decides_the_same(customer: Customer, silent: str) -> None:
    async with AsyncVeloFlux(customer.url, customer.token) as client:
        decisions = await asyncio.gather(*(client.check("requests", timeout_s=TIMEOUT_S) for _ in range(10)))
        assert sorted(one.used for one in decisions if one.used) == list(range(1, 11))
        with pytest.raises(NotAllowed):
            await client.check_or_raise("requests", cost=21, timeout_s=TIMEOUT_S)
        with pytest.raises(RequestRefused):
            await client.check("no_such_meter", timeout_s=TIMEOUT_S)
    async with AsyncVeloFlux(silent, "key") as client:
        decision = await client.check("requests", on_failure="open", timeout_s=0.1)
        assert (decision.allowed, decision.failed) == (True, "open")
