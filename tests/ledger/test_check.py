"""The check of the ledger: what somebody did to the ledger by hand is found and named, and nothing else is."""

from typing import Any

import msgspec

from tests import at_rest
from tests.customers import customer
from tests.ledger.books import life, some, write
from veloflux import tenants
from veloflux.context import PLATFORM, Context
from veloflux.db import commit, keys
from veloflux.kit import clock
from veloflux.ledger.check import Says, check_all, check_ledger
from veloflux.ledger.entries import Parts, invoice_issued
from veloflux.transaction import Transaction
from veloflux.web import metrics
from veloflux.worker import SCHEDULE

AT = 1_700_000_000_000
ISSUED = invoice_issued("inv_1", AT, "USD", Parts(revenue=1_575, deferred=2_999))
MONTH = "2023-11"


async def wrong(ctx: Context, says: Says | None = None) -> dict[str, str]:
    checked = await check_ledger(ctx.db, ctx.tenant, says)
    assert {one.tenant for one in checked.wrong} <= {ctx.tenant}
    return {one.place: one.problem for one in checked.wrong}


async def tamper(ctx: Context, **parts: Any) -> None:
    """Write other parts into the posting of the invoice."""
    key = keys.ledger(ctx.tenant, MONTH)
    written = msgspec.json.decode(await ctx.db.call("HGET", key, ISSUED.id))
    await ctx.db.call("HSET", key, ISSUED.id, msgspec.json.encode(written | parts).decode())


async def test_an_untouched_ledger_has_nothing_wrong(ctx: Context) -> None:
    acme = await customer(ctx)
    assert await wrong(acme) == {}
    await life(acme)
    for each in some(7, 30):
        await write(acme, each)
    assert await wrong(acme) == {}


async def test_a_balance_that_was_changed_is_named(ctx: Context) -> None:
    acme = await customer(ctx)
    await life(acme)
    balances = keys.balances(acme.tenant)
    await ctx.db.call("HINCRBY", balances, "revenue|USD", 1)
    assert await wrong(acme) == {"balance revenue|USD": "it is -3999, its postings sum to -4000"}
    await ctx.db.call("HSET", balances, "revenue|USD", "much", "fees|USD", "0150", "cash:bank|EUR", "5")
    assert await wrong(acme) == {
        "balance revenue|USD": "it is much, its postings sum to -4000",
        "balance fees|USD": "it is 0150, its postings sum to 150",
        "balance cash:bank|EUR": "it is 5, its postings sum to 0",
    }
    await ctx.db.call("DEL", balances)
    assert (await wrong(acme))["balance postings"] == "it is 0, its postings sum to 4"


async def test_a_posting_that_was_changed_is_named(ctx: Context) -> None:
    acme = await customer(ctx)
    await life(acme)
    posting = f"posting {ISSUED.id} of {MONTH}"
    entries = [["receivable", "USD", 4_574], ["revenue", "USD", -1_575], ["deferred_revenue", "USD", -2_999]]
    await tamper(acme, entries=[["receivable", "USD", 4_575], *entries[1:]])
    assert await wrong(acme) == {
        posting: "its entries in USD sum to 1",
        "balance receivable|USD": "it is 0, its postings sum to 1",
    }
    await tamper(acme, entries=[["receivables", "USD", 4_574], *entries[1:]])
    assert (await wrong(acme))[posting] == "there is no account 'receivables'"
    await tamper(acme, entries=entries, at=AT + 31 * clock.DAY_MS)
    assert await wrong(acme) == {posting: "its time is in 2023-12"}
    await tamper(acme, at=AT, entries=[["receivable", "USD", "much"], *entries[1:]])
    assert (await wrong(acme))[posting] == "it cannot be read"
    await ctx.db.call("HSET", keys.ledger(acme.tenant, MONTH), ISSUED.id, "{")
    assert (await wrong(acme))[posting] == "it cannot be read"


async def test_postings_that_were_removed_or_added_are_noticed(ctx: Context) -> None:
    acme = await customer(ctx)
    await life(acme)
    key = keys.ledger(acme.tenant, MONTH)
    text = await ctx.db.call("HGET", key, ISSUED.id)
    await ctx.db.call("HSET", key, "pst_forged", text)
    found = await wrong(acme)
    assert found["balance postings"] == "it is 4, its postings sum to 5"
    assert found["balance receivable|USD"] == "it is 0, its postings sum to 4574"
    await ctx.db.call("HDEL", key, "pst_forged", ISSUED.id)
    assert (await wrong(acme))["balance receivable|USD"] == "it is 0, its postings sum to -4574"
    await ctx.db.call("HSET", key, ISSUED.id, text)
    assert await wrong(acme) == {}
    await ctx.db.call("ZREM", keys.ledger_months(acme.tenant), MONTH)
    assert (await wrong(acme))["balance postings"] == "it is 4, its postings sum to 2"


async def test_what_documents_say_is_compared_for_the_accounts_that_they_speak_of(ctx: Context) -> None:
    acme = await customer(ctx)
    await life(acme)
    says = {"receivable": {}, "credit": {"USD": -574}, "deferred_revenue": {"USD": 0}}
    assert await wrong(acme, says) == {}
    assert await wrong(acme, {"receivable": {"USD": 100}, "credit": {"BRL": -574}}) == {
        "documents of receivable|USD": "they say 100, the balance is 0",
        "documents of credit|USD": "they say 0, the balance is -574",
        "documents of credit|BRL": "they say -574, the balance is 0",
    }


async def test_all_tenants_are_checked_archived_ones_too(ctx: Context) -> None:
    for name in ("Acme", "Globex", "Initech"):
        inside = await customer(ctx, name)
        await life(inside)
    await ctx.db.call("HINCRBY", keys.balances(inside.tenant), "fees|USD", 1)
    await tenants.archive_tenant(inside)
    await at_rest.reach(ctx.parts)
    checked = await check_all(ctx)
    assert (checked.tenants, checked.postings, checked.drift) == (3, 12, 1)
    assert [(one.tenant, one.place) for one in checked.wrong] == [(inside.tenant, "balance fees|USD")]


async def test_the_job_leaves_what_the_metric_tells(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await life(acme)
    assert await _told(one_ctx) == ("0.0", "0.0")
    before, job = clock.now_ms(), SCHEDULE["check_ledgers"].job
    await _do(one_ctx, job)
    drift, at = await _told(one_ctx)
    assert (drift, before <= float(at) * 1000 <= clock.now_ms()) == ("0.0", True)
    await one_ctx.db.call("HINCRBY", keys.balances(acme.tenant), "fees|USD", 1)
    assert (await _told(one_ctx)) == (drift, at)
    await _do(one_ctx, job)
    assert (await _told(one_ctx))[0] == "1.0"


async def _told(ctx: Context) -> tuple[str, str]:
    """Drift and time of the last check, as `/metrics` has them."""
    body, _ = await metrics.text(ctx.db, ctx.settings.data_dir)
    found = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if line.startswith("veloflux_ledger"))
    return found["veloflux_ledger_drift"], found["veloflux_ledger_checked_timestamp_seconds"]


async def _do(ctx: Context, job: str) -> None:
    """As the schedule does."""
    tx = Transaction(ctx, PLATFORM)
    tx.enqueue(job, {})
    await commit.run(ctx.db, tx)
    await at_rest.reach(ctx.parts)
