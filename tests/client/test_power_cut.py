"""The power goes again and again, and web processes are killed, while a client sends events: each counts once."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.client.conftest import PATIENT, REQUEST, customer_at
from tests.client.killed import Web
from tests.db.powercut import Machine, shim_in
from veloflux import wiring
from veloflux.context import Actor, Context
from veloflux.db import embedded
from veloflux.settings import Settings
from veloflux_client import VeloFlux

RUNS, NUMBER, KILLED_EVERY = 20, 1_500, 4


@pytest.fixture
async def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Machine]:
    machine = Machine(Settings(data_dir=tmp_path), shim_in(tmp_path), monkeypatch, delay_us=300)
    machine.switch_on()
    yield machine
    embedded.stop(machine.server)


async def test_each_event_counts_once_through_20_power_cuts_and_kills(machine: Machine, tmp_path: Path) -> None:
    url = embedded.connection_url(machine.settings)
    web = Web(url, tmp_path, **PATIENT)
    async with wiring.build(Settings(redis_url=url, data_dir=tmp_path, redis_unsafe=True)) as parts:
        with web.running():
            customer = await customer_at(web.url, Context(parts=parts, actor=Actor(id="cli:test")))
            client, ids, left = VeloFlux(web.url, customer.token), set[str](), list[int]()
            for run in range(RUNS):
                ids |= {client.events.record(**REQUEST) for _ in range(NUMBER)}
                flushing = threading.Thread(target=client.events.flush, args=(300,))
                flushing.start()
                await asyncio.sleep(random.Random(run).uniform(0.0, 0.15))
                machine.cut_power()
                left.append(client.events.pending)
                if run % KILLED_EVERY == 0:
                    web.kill()
                machine.switch_on()
                if run % KILLED_EVERY == 0:
                    web.start()
                flushing.join()
                assert (client.events.pending, customer.used()) == (0, len(ids)), f"run {run}"
            client.close()
    assert sum(map(bool, left)) > RUNS / 2, "most cuts came when everything was sent"
    assert machine.bytes_lost, "the cuts took nothing back, so they have shown nothing"
