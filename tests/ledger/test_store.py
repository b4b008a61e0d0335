"""The ledger in Redis: a posting and its balances come in one commit, once, whoever else posts."""

import asyncio
from collections.abc import Sequence

import pytest

from tests import tape
from tests.customers import customer
from tests.ledger.books import CURRENCIES, life, some, write
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import ChangedMeanwhile
from veloflux.ledger import every_posting, read_balances, store
from veloflux.ledger.check import check_ledger
from veloflux.ledger.entries import Parts, invoice_issued, written_off
from veloflux.ledger.posting import Posting, balances_of
from veloflux.ledger.store import Account

AT = 1_700_000_000_000


async def test_a_posting_and_its_balances_are_there_together(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    await life(acme)
    assert await read_balances(acme.db, acme.tenant) == {
        Account("cash:stripe", "USD"): 4_424,
        Account("fees", "USD"): 150,
        Account("credit", "USD"): -574,
        Account("revenue", "USD"): -1_575 - 2_999 + 574,
    }
    assert await store.months(acme.db, acme.tenant) == ["2024-01", "2023-12", "2023-11"]
    assert await store.months(acme.db, acme.tenant, "2023-12") == ["2023-12", "2023-11"]
    kinds = [posted.kind async for posted in every_posting(acme.db, acme.tenant)]
    assert kinds == ["invoice", "payment", "release", "credit_note"]
    assert await read_balances(globex.db, globex.tenant) == {}
    assert await store.months(globex.db, globex.tenant) == []


async def test_a_posting_is_written_once_and_a_commit_that_would_write_it_again_writes_nothing(ctx: Context) -> None:
    acme = await customer(ctx)
    issued = invoice_issued("inv_1", AT, "BRL", Parts(revenue=100))
    await write(acme, issued)
    before = await read_balances(acme.db, acme.tenant)
    with pytest.raises(ChangedMeanwhile):
        await write(acme, written_off("inv_1", AT, "BRL", 100), issued)
    assert await read_balances(acme.db, acme.tenant) == before
    assert [one.kind async for one in every_posting(acme.db, acme.tenant)] == ["invoice"]


async def test_postings_belong_to_the_utc_month_of_their_time(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    new_year = 1_704_067_200_000
    await write(acme, written_off("inv_1", new_year - 1, "BRL", 1), written_off("inv_2", new_year, "BRL", 1))
    for month in ("2023-12", "2024-01"):
        assert await acme.db.call("HLEN", keys.ledger(acme.tenant, month)) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_posts_at_once_balances_are_the_sums_of_postings(ctx: Context, seed: int) -> None:
    acme = await customer(ctx)
    documents = some(seed, 120)

    async def post_all(mine: Sequence[Posting]) -> None:
        for each in mine:
            await write(acme, each)

    await asyncio.gather(*(post_all(documents[start::6]) for start in range(6)))
    balances = await read_balances(acme.db, acme.tenant)
    assert {tuple(account): amount for account, amount in balances.items()} == balances_of(documents)
    for currency in CURRENCIES:
        assert sum(amount for account, amount in balances.items() if account.currency == currency) == 0
    checked = await check_ledger(acme.db, acme.tenant)
    assert (checked.postings, checked.wrong) == (120, ())


async def test_books_that_are_read_while_others_post_are_of_one_moment_or_not_given(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await life(acme)
    posting, outcomes = True, []

    async def read() -> None:
        while posting:
            try:
                books = await store.read_books(acme.db, acme.tenant)
            except ChangedMeanwhile:
                outcomes.append(None)
                continue
            assert sum(map(len, books.months.values())) == int(books.fields[store.POSTINGS])
            outcomes.append(books)

    reader = asyncio.create_task(read())
    for each in some(1, 60):
        await write(acme, each)
    posting = False
    await reader
    assert None in outcomes, "something was posted while they were read"


async def test_a_commit_with_a_posting_takes_one_round_trip(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await life(acme)
    with tape.taped(acme.db) as heard:
        await write(acme, written_off("inv_9", AT, "USD", 5))
    assert [command[0] for command in heard.commands] == ["EVALSHA"]
