"""The power goes again and again, and web processes are killed, while a client sends events: each counts once."""

import asyncio
import random
import time
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

RUNS, UNDER_WAY, BATCH, KILLED_EVERY = 20, 1_000, 500, 4


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
                chance = random.Random(run)
                send(client, ids, delivered=len(ids) + chance.randrange(3) * BATCH)
                await asyncio.sleep(chance.uniform(0, 0.005))
                send(client, ids)
                machine.cut_power()
                left.append(client.events.pending)
                if run % KILLED_EVERY == 0:
                    web.kill()
                machine.switch_on()
                if run % KILLED_EVERY == 0:
                    web.start()
                client.events.flush(300)
                assert (client.events.pending, customer.used()) == (0, len(ids)), f"run {run}"
            client.close()
    assert all(left), "a cut came when everything was sent"
    assert machine.bytes_lost, "the cuts took nothing back, so they have shown nothing"


def send(client: VeloFlux, ids: set[str], delivered: int = 0) -> None:
    """Record events until so many are delivered, and some more so that there are always some under way."""
    while True:
        ids |= {client.events.record(**REQUEST) for _ in range(UNDER_WAY - client.events.pending)}
        if len(ids) - client.events.pending >= delivered:
            return
        time.sleep(0.001)
