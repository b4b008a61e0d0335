"""`veloflux subscriptions cost`, `spend` and `limit-spend`: what an operator at the terminal sees and sets."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests import at_rest
from tests.billing.spending import MIDDLE, per_unit, plan, selling, subscribed, use
from veloflux import cli
from veloflux.billing.spend.cost import read_cost
from veloflux.billing.spend.limits import read_spend
from veloflux.context import Context
from veloflux.errors import InputInvalid

Veloflux = Callable[..., Result]
SOLD = plan(per_unit("calls", "100", "0.01"))


@pytest.fixture
def veloflux(standalone: str, tmp_path: Path) -> Veloflux:
    environ = {"REDIS_URL": standalone, "VELOFLUX_REDIS_UNSAFE": "true", "VELOFLUX_DATA_DIR": str(tmp_path)}
    words = ("--tenant", "acme")
    return lambda *asked: CliRunner().invoke(cli.app, ["subscriptions", *asked, *words], env=environ)


async def test_the_cost_is_that_of_the_route(one_ctx: Context, veloflux: Veloflux) -> None:
    acme, sub = await subscribed(one_ctx, selling(SOLD))
    acme = await use(acme, MIDDLE, calls=600)
    await at_rest.reach(one_ctx.parts)
    told = await asyncio.to_thread(veloflux, "cost", sub.id, "--json")
    assert json.loads(told.stdout) == json.loads(msgspec.json.encode(await read_cost(acme, sub.id)))
    shown = await asyncio.to_thread(veloflux, "cost", sub.id)
    assert "600" in shown.stdout
    assert "So far $34.99 before taxes, $34.99 with them" in shown.stderr
    assert "Forecast, linear: $40.99 before taxes" in shown.stderr


async def test_alerts_and_caps_are_set_as_a_whole(one_ctx: Context, veloflux: Veloflux) -> None:
    acme, sub = await subscribed(one_ctx, selling(SOLD))
    await at_rest.reach(one_ctx.parts)
    words = ("--alert", "5000", "--alert", "2000", "--meter-cap", "calls=300", "--json")
    told = await asyncio.to_thread(veloflux, "limit-spend", sub.id, *words)
    found = await read_spend(acme, sub.id)
    assert json.loads(told.stdout) == json.loads(msgspec.json.encode(found))
    assert (found.alerts, found.cap, found.meter_caps, found.reached) == ((2000, 5000), None, {"calls": 300}, (2000,))
    told = await asyncio.to_thread(veloflux, "limit-spend", sub.id, "--cap", "900")
    assert told.exit_code == 0
    shown = await asyncio.to_thread(veloflux, "spend", sub.id, "--json")
    assert json.loads(shown.stdout)["meter_caps"] == {}
    assert json.loads(shown.stdout)["cap"] == 900
    wrong = await asyncio.to_thread(veloflux, "limit-spend", sub.id, "--meter-cap", "calls")
    assert isinstance(wrong.exception, InputInvalid)
