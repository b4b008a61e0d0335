"""`veloflux subscriptions set-trial-end` and `undo-change`: what an operator does at the terminal."""

import asyncio
import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from tests import at_rest
from tests.billing.shop import invoices, ms, subscribed
from veloflux import cli
from veloflux.billing import store
from veloflux.billing.subscriptions.change import ChangeSubscription, change
from veloflux.context import Context
from veloflux.errors import InputInvalid


async def veloflux(ctx: Context, data: Path, *words: str) -> Result:
    await at_rest.reach(ctx.parts)
    environ = {"REDIS_URL": ctx.db.url, "VELOFLUX_REDIS_UNSAFE": "true", "VELOFLUX_DATA_DIR": str(data)}
    asked = ["subscriptions", *words, "--tenant", "acme", "--json"]
    return await asyncio.to_thread(CliRunner().invoke, cli.app, asked, env=environ)


async def test_a_trial_ends_at_the_time_that_is_typed_or_now(one_ctx: Context, tmp_path: Path) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "trial")
    told = await veloflux(one_ctx, tmp_path, "set-trial-end", id_, str(ms("2024-03-01")))
    assert [one["trial_end"] for one in json.loads(told.stdout)] == [ms("2024-03-01")]
    wrong = await veloflux(one_ctx, tmp_path, "set-trial-end", id_, "soon")
    assert isinstance(wrong.exception, InputInvalid)
    assert await invoices(acme) == []
    told = await veloflux(one_ctx, tmp_path, "set-trial-end", id_, "now")
    assert [(one["status"], one["trial_end"]) for one in json.loads(told.stdout)] == [("active", ms("2024-02-01"))]
    assert len(await invoices(acme)) == 1


async def test_a_planned_change_is_taken_back(one_ctx: Context, tmp_path: Path) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "three")
    await change(acme, id_, ChangeSubscription(plan="hundred"))
    told = await veloflux(one_ctx, tmp_path, "undo-change", id_)
    assert [one["next_selection"] for one in json.loads(told.stdout)] == [None]
    assert (await store.subscription(acme, id_)).next_selection is None
