"""The proof of ledgers against documents: whoever changes either behind our back is told."""

from tests import at_rest
from tests.billing.stories import acme, item, pro
from veloflux.billing.documents_say import documents_say
from veloflux.billing.payments.pay import Pay, pay
from veloflux.billing.wallet.credit import TopUp, top_up
from veloflux.context import PLATFORM, Context
from veloflux.db import commit, keys
from veloflux.kit import clock
from veloflux.ledger.check import check_documents
from veloflux.transaction import Transaction
from veloflux.web import metrics
from veloflux.worker import SCHEDULE


async def wrong(ctx: Context) -> dict[str, str]:
    checked = await check_documents(ctx.db, ctx.tenant, documents_say)
    return {one.place: one.problem for one in checked.wrong}


async def test_documents_that_say_something_else_than_the_ledger_are_named(ctx: Context) -> None:
    tenant = await acme(ctx)
    _, invoice = await pro(tenant)
    payment = await pay(tenant, invoice.id, Pay(amount=5_000))
    await top_up(tenant, TopUp(amount=300, currency="USD"))
    assert await wrong(tenant) == {}
    await ctx.db.call("HSET", keys.invoice(tenant.tenant, invoice.id), "paid", "4999")
    assert await wrong(tenant) == {"documents of receivable|BRL": "they say 9901, the balance is 9900"}
    await ctx.db.call("HSET", keys.invoice(tenant.tenant, invoice.id), "paid", "5000")
    await ctx.db.call("HSET", keys.payment(tenant.tenant, payment.id), "to_wallet", "7")
    assert await wrong(tenant) == {"documents of credit|BRL": "they say -7, the balance is 0"}
    await ctx.db.call("HSET", keys.payment(tenant.tenant, payment.id), "to_wallet", "0")
    await ctx.db.call("DEL", keys.deferrals(tenant.tenant))
    assert await wrong(tenant) == {"documents of deferred_revenue|BRL": "they say 0, the balance is -14900"}


async def test_the_job_leaves_what_the_metric_tells(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    await item(tenant)
    assert await _told(one_ctx) == ("0.0", "0.0")
    before, job = clock.now_ms(), SCHEDULE["check_ledgers"].job
    await _do(one_ctx, job)
    drift, at = await _told(one_ctx)
    assert (drift, before <= float(at) * 1000 <= clock.now_ms()) == ("0.0", True)
    await one_ctx.db.call("HINCRBY", keys.balances(tenant.tenant), "revenue|BRL", 1)
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
