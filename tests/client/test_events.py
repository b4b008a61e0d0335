"""`events.record` of the Python clients, against a real server."""

import asyncio
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.client.conftest import PATIENT, REQUEST, Customer, customer_at
from tests.client.killed import Web
from tests.servers import free_port
from tests.test_repository import ROOT
from veloflux.context import Context
from veloflux_client import AsyncVeloFlux, BufferFull, NotDelivered, Rejected, VeloFlux, VeloFluxError

TIMEOUT_S = 60
AT_EXIT = """
import os
from veloflux_client import VeloFlux
client = VeloFlux(os.environ["VELOFLUX_URL"], os.environ["VELOFLUX_API_KEY"])
for _ in range(3):
    client.events.record("http.request", data={"bytes": 2})
"""
AFTER_FORK = """
import os
from veloflux_client import VeloFlux
client = VeloFlux(os.environ["VELOFLUX_URL"], os.environ["VELOFLUX_API_KEY"])
client.events.record("http.request", data={"bytes": 2})
client.events.flush(60)
client.events.record("http.request", data={"bytes": 2})
child = os.fork()
client.events.record("http.request", data={"bytes": 2})
client.close()
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def run(code: str, customer: Customer) -> subprocess.CompletedProcess[str]:
    environ = os.environ | customer.environ | {"PYTHONPATH": str(ROOT / "client")}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_events_of_many_threads_are_counted_each_once(customer: Customer) -> None:
    ids: list[str] = []
    with VeloFlux(customer.url, customer.token) as client:

        def record() -> None:
            ids.extend(client.events.record(**REQUEST) for _ in range(300))

        threads = [threading.Thread(target=record) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.events.flush(TIMEOUT_S)
        assert client.events.pending == 0
    assert len(set(ids)) == 1_200
    assert (customer.used(), customer.used("bytes")) == (1_200, 2_400)


def test_an_event_goes_by_itself_a_second_after_it_was_recorded(customer: Customer) -> None:
    client = VeloFlux(customer.url, customer.token)
    client.events.record(**REQUEST)
    assert client.events.pending == 1
    while client.events.pending:
        threading.Event().wait(0.05)
    assert customer.used() == 1
    client.close()


def test_the_interpreters_end_flushes(customer: Customer) -> None:
    assert run(AT_EXIT, customer).stderr == ""
    assert customer.used() == 3


def test_after_a_fork_parent_and_child_deliver_what_each_recorded(customer: Customer) -> None:
    run(AFTER_FORK, customer)
    assert customer.used() == 4


def test_what_the_server_rejects_is_reported_with_its_reason_and_the_others_count(customer: Customer) -> None:
    told: list[Rejected] = []
    with VeloFlux(customer.url, customer.token, on_rejected=told.append) as client:
        client.events.record("http.request", id="good", data={"bytes": 1})
        client.events.record("http.request", id="bad", data={"bytes": "many"})
        client.events.record(**REQUEST, id="late", time=datetime.now(UTC) + timedelta(days=1))
        client.events.flush(TIMEOUT_S)
    assert [(one.index, one.event["id"], bool(one.code and one.reason)) for one in told] == [
        (1, "bad", True),
        (2, "late", True),
    ]
    assert customer.used("bytes") == 1


def test_a_request_that_is_refused_rejects_its_events_and_holds_up_no_others(customer: Customer) -> None:
    told: list[Rejected] = []

    def fails(one: Rejected) -> None:
        told.append(one)
        raise RuntimeError("a fault of whoever is told")

    with VeloFlux(customer.url, customer.token, on_rejected=fails) as client:
        client.events.record(**REQUEST, id="strange", api_key="vf_wrong")
        client.events.flush(TIMEOUT_S)
        client.events.record(**REQUEST, id="ours")
        client.events.flush(TIMEOUT_S)
    assert [one.event["id"] for one in told] == ["strange"]
    assert customer.used() == 1


async def test_a_server_that_takes_only_small_requests_gets_small_ones(
    one_ctx: Context, standalone: str, tmp_path: Path
) -> None:
    told: list[Rejected] = []
    web = Web(standalone, tmp_path, VELOFLUX_BODY_LIMIT="1024", **PATIENT)
    with web.running():
        customer = await customer_at(web.url, one_ctx)
        with VeloFlux(web.url, customer.token, on_rejected=told.append) as client:
            for _ in range(30):
                client.events.record(**REQUEST)
            client.events.record("http.request", id="huge", data={"bytes": 1, "text": "x" * 2_000})
            client.events.flush(TIMEOUT_S)
        assert [one.event["id"] for one in told] == ["huge"]
        assert customer.used() == 30


def test_a_full_buffer_refuses_the_event_and_keeps_the_others() -> None:
    client = VeloFlux(f"http://127.0.0.1:{free_port()}", "key", capacity=2)
    for _ in range(2):
        client.events.record(**REQUEST)
    with pytest.raises(BufferFull):
        client.events.record(**REQUEST, wait_s=0.05)
    with pytest.raises(NotDelivered) as raised:
        client.events.flush(0.05)
    assert (raised.value.pending, client.events.pending) == (2, 2)
    client.events.close(0)
    with pytest.raises(VeloFluxError, match="closed"):
        client.events.record(**REQUEST)


def test_what_cannot_be_sent_is_refused_at_the_call() -> None:
    client = VeloFlux(f"http://127.0.0.1:{free_port()}", "key")
    with pytest.raises(TypeError):
        client.events.record("http.request", data={"when": object()})
    with pytest.raises(ValueError, match="zone"):
        client.events.record(**REQUEST, time=datetime(2026, 1, 1))  # noqa: DTZ001
    assert client.events.pending == 0


async def test_the_asynchronous_client_delivers_the_same(customer: Customer) -> None:
    told: list[Rejected] = []
    async with AsyncVeloFlux(customer.url, customer.token, on_rejected=told.append) as client:
        await asyncio.gather(*(client.events.record(**REQUEST) for _ in range(700)))
        await client.events.flush(TIMEOUT_S)
        assert (client.events.pending, customer.used()) == (0, 700)
        await client.events.record("http.request", id="bad", data={"bytes": "many"})
        await client.events.record(**REQUEST)
    assert [one.event["id"] for one in told] == ["bad"]
    with pytest.raises(VeloFluxError, match="closed"):
        await client.events.record(**REQUEST)
    assert await asyncio.to_thread(customer.used) == 701


async def test_a_full_buffer_of_the_asynchronous_client_refuses_the_event_and_keeps_the_others() -> None:
    client = AsyncVeloFlux(f"http://127.0.0.1:{free_port()}", "key", capacity=1)
    await client.events.record(**REQUEST)
    with pytest.raises(BufferFull):
        await client.events.record(**REQUEST, wait_s=0.05)
    with pytest.raises(NotDelivered):
        await client.events.flush(0.05)
    assert client.events.pending == 1
    await client.events.aclose(0)
