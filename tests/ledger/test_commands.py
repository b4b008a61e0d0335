"""`veloflux ledger`: what an operator at the terminal sees of a tenant's books."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests import at_rest
from tests.customers import customer
from tests.exports.test_ledger import balances, postings
from tests.ledger.books import life
from veloflux import cli
from veloflux.billing.subscriptions.items import ItemsInvoice, OneOff, invoice_items
from veloflux.context import Context
from veloflux.db import keys
from veloflux.ledger.trial_balance import list_postings, read_trial_balances

Veloflux = Callable[..., Result]


@pytest.fixture
def veloflux(standalone: str, tmp_path: Path) -> Veloflux:
    environ = {"REDIS_URL": standalone, "VELOFLUX_REDIS_UNSAFE": "true", "VELOFLUX_DATA_DIR": str(tmp_path)}
    return lambda *words: CliRunner().invoke(cli.app, ["ledger", *words], env=environ)


async def test_the_command_says_what_is_wrong_and_ends_with_1(one_ctx: Context, veloflux: Veloflux) -> None:
    acme, globex = await customer(one_ctx), await customer(one_ctx, "Globex")
    await invoice_items(acme, ItemsInvoice(items=(OneOff(name="Training", price="40"),), currency="USD"))
    await at_rest.reach(one_ctx.parts)
    done = await asyncio.to_thread(veloflux, "check")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "Tenants: 2. Postings: 1. Figures that are wrong: 0" in done.stderr
    await one_ctx.db.call("HINCRBY", keys.balances(acme.tenant), "revenue|USD", 1)
    for words in (["check"], ["check", "--tenant", "acme"]):
        done = await asyncio.to_thread(veloflux, *words)
        assert done.exit_code == 1
        assert f"{acme.tenant}  balance revenue|USD  it is -3999, its postings sum to -4000" in done.stdout
    done = await asyncio.to_thread(veloflux, "check", "--json")
    assert done.exit_code == 1
    document = msgspec.json.decode(done.stdout)
    assert [one["place"] for one in document["wrong"]] == ["balance revenue|USD"]
    done = await asyncio.to_thread(veloflux, "check", "--tenant", globex.tenant)
    assert done.exit_code == 0


async def test_the_trial_balance_has_a_line_an_account_and_the_totals(one_ctx: Context, veloflux: Veloflux) -> None:
    acme = await customer(one_ctx)
    await life(acme)
    done = await asyncio.to_thread(veloflux, "balances", "--tenant", "acme")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["currency", "account", "debit", "credit"],
        ["USD", "cash:stripe", "4424", "0"],
        ["USD", "credit", "0", "574"],
        ["USD", "fees", "150", "0"],
        ["USD", "revenue", "0", "4000"],
        ["USD", "total", "4574", "4574"],
    ]
    day = "2023-11-30"
    done = await asyncio.to_thread(veloflux, "balances", "--tenant", "acme", "--through", day, "--json")
    assert msgspec.json.decode(done.stdout) == msgspec.to_builtins(await read_trial_balances(acme, day))


async def test_postings_are_listed_page_by_page(one_ctx: Context, veloflux: Veloflux) -> None:
    acme = await customer(one_ctx)
    await life(acme)
    first = await asyncio.to_thread(veloflux, "postings", "--tenant", "acme", "--limit", "3")
    assert "credit_note  crn_1     revenue 574, credit -574" in first.stdout
    cursor = first.stderr.split()[-1]
    rest = await asyncio.to_thread(veloflux, "postings", "--tenant", "acme", "--cursor", cursor)
    assert "receivable 4574, revenue -1575, deferred_revenue -2999" in rest.stdout
    assert "More" not in rest.stderr
    whole = await asyncio.to_thread(veloflux, "postings", "--tenant", "acme", "--json")
    assert msgspec.json.decode(whole.stdout) == msgspec.json.decode(msgspec.json.encode(await list_postings(acme)))


async def test_the_export_has_the_bytes_of_the_route(one_ctx: Context, veloflux: Veloflux) -> None:
    acme = await customer(one_ctx)
    await life(acme)
    here = ("export", "--tenant", "acme")
    done = await asyncio.to_thread(veloflux, *here)
    assert done.stdout_bytes == await postings(acme)
    done = await asyncio.to_thread(veloflux, *here, "--what", "balances", "--format", "json")
    assert done.stdout_bytes == await balances(acme, "json")
