"""Several workers catch up with one tenant at once: what one has put on the agenda, another one that read an older
state does not take off."""

import asyncio

import pytest

from tests.billing.shop import ms, on, opened, subscribed, tenant
from tests.customers import of
from veloflux import billing, ledger, tenants
from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.invoices.deferrals import RELEASE, release
from veloflux.billing.subscriptions.cancel import cancel, reactivate
from veloflux.billing.subscriptions.start import CLOSE, Start, start
from veloflux.context import Context
from veloflux.db import commit, keys
from veloflux.db.client import Db
from veloflux.errors import ChangedMeanwhile
from veloflux.kit.clock import DAY_MS
from veloflux.transaction import Transaction


async def test_who_is_late_takes_off_nothing_that_was_put_there_anew(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, "2024-01-01", "three")
    await cancel(acme, sub, now=True)
    ended = await store.subscription(acme, sub)
    again = await reactivate(acme, sub)
    stale = Item(CLOSE, sub, ms("2024-02-01"))
    with pytest.raises(ChangedMeanwhile):
        await agenda.correct(acme, stale, None, keys.subscription(acme.tenant, sub), ended)
    assert (CLOSE, sub, again.period_end) in await planned(acme)


@pytest.mark.parametrize("day", ["2024-02-01", "2024-03-01"])
async def test_who_is_late_with_revenue_takes_back_nothing_that_was_earned_since(one_ctx: Context, day: str) -> None:
    acme, _ = await subscribed(one_ctx, "2024-01-10", "three")
    acme = await on(acme, "2024-04-15")
    stale, known, books = (
        Item(RELEASE, "revenue", ms(day)),
        await planned(acme),
        await ledger.read_balances(*here(acme)),
    )
    with pytest.raises(ChangedMeanwhile):
        await release(acme.at(stale.due), stale)
    assert (await planned(acme), await ledger.read_balances(*here(acme))) == (known, books)


async def test_three_who_catch_up_at_once_do_what_one_would(one_ctx: Context) -> None:
    ctx, books = await opened(one_ctx), []
    for parties in (1, 3):
        acme = await tenant(ctx, "2024-01-10", name=f"Acme {parties}")
        await start(acme, Start(plan="three"))
        acme = of(acme, await tenants.set_clock(acme, "stopped", ms("2025-06-15")))
        await asyncio.gather(*(billing.advance(acme) for _ in range(parties)))
        nets = [invoice.totals and invoice.totals.net async for invoice in store.every_invoice(*here(acme))]
        books.append((await ledger.read_balances(*here(acme)), nets))
    assert books[0] == books[1]
    assert len(books[0][1]) == 18


async def test_who_was_not_first_goes_on_with_what_is_due_then(one_ctx: Context) -> None:
    acme, item = await planning(one_ctx)
    done: list[int] = []

    async def close(ctx: Context, item: Item) -> None:
        if item.due == ms("2024-02-01"):  # somebody else did it meanwhile
            await ctx.db.call("ZADD", keys.agenda(ctx.tenant), ms("2024-03-01"), item.member)
            raise ChangedMeanwhile("too late")
        done.append(item.due)
        await ctx.db.call("ZREM", keys.agenda(ctx.tenant), item.member)

    await agenda.advance(acme, {CLOSE: close}, item.due + 60 * DAY_MS)
    assert done == [ms("2024-03-01")]


async def test_who_loses_now_and_then_goes_on_as_long_as_it_gets_on(one_ctx: Context) -> None:
    acme, item = await planning(one_ctx)
    done: list[bool] = []

    async def close(ctx: Context, item: Item) -> None:
        done.append(len(done) % 6 == 5)
        if not done[-1]:
            raise ChangedMeanwhile("too late")
        if sum(done) == 3:
            await ctx.db.call("ZREM", keys.agenda(ctx.tenant), item.member)

    await agenda.advance(acme, {CLOSE: close}, item.due)
    assert await planned(acme) == []


async def test_what_changes_at_each_attempt_ends_in_an_error_and_stays_planned(one_ctx: Context) -> None:
    acme, item = await planning(one_ctx)
    attempts: list[Item] = []

    async def close(_ctx: Context, item: Item) -> None:
        attempts.append(item)
        raise ChangedMeanwhile("at each attempt")

    with pytest.raises(ChangedMeanwhile):
        await agenda.advance(acme, {CLOSE: close}, item.due)
    assert attempts == [item] * 10
    assert await planned(acme) == [item]


async def planning(ctx: Context) -> tuple[Context, Item]:
    """A tenant with one item on its agenda."""
    acme, item = await tenant(ctx, "2024-01-01"), Item(CLOSE, "sub_1", ms("2024-02-01"))
    tx = Transaction(acme, acme.tenant)
    agenda.put(acme, tx, item)
    await commit.run(acme.db, tx)
    return acme, item


def here(ctx: Context) -> tuple[Db, str]:
    return ctx.db, ctx.tenant


async def planned(ctx: Context) -> list[Item]:
    found = await ctx.db.call("ZRANGE", keys.agenda(ctx.tenant), 0, -1, "WITHSCORES")
    return [Item(*member.split("/"), int(due)) for member, due in zip(found[::2], found[1::2], strict=True)]
