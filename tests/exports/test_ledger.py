"""Exports of the ledger: the same figures as the trial balance, for programs and accountants."""

import csv
import io
import json
from decimal import Decimal

from tests.customers import customer
from tests.ledger.books import life, some, write
from veloflux.context import Context
from veloflux.exports import Format
from veloflux.exports.ledger import export_balances, export_postings
from veloflux.ledger import read_trial_balances


async def postings(ctx: Context, form: Format = "csv") -> bytes:
    return b"".join([piece async for piece in export_postings(ctx, form)])


async def balances(ctx: Context, form: Format = "csv", through: str = "") -> bytes:
    return b"".join([piece async for piece in await export_balances(ctx, form, through)])


def table(document: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(document.decode(), newline="")))


async def test_a_trial_balance_as_csv(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await life(acme)
    assert (await balances(acme)).decode() == (
        "tenant,currency,account,debit,credit\r\n"
        "acme,USD,cash:stripe,44.24,0.00\r\n"
        "acme,USD,credit,0.00,5.74\r\n"
        "acme,USD,fees,1.50,0.00\r\n"
        "acme,USD,revenue,0.00,40.00\r\n"
    )
    assert "revenue,0.00,15.75" in (await balances(acme, through="2023-11-30")).decode()


async def test_postings_as_csv_are_entries_in_order_of_time(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await life(acme)
    rows = table(await postings(acme))
    shown = [" ".join([row["kind"], row["account"], row["debit"], row["credit"]]) for row in rows[:4]]
    assert sorted(shown) == [
        "invoice deferred_revenue 0.00 29.99",
        "invoice receivable 45.74 0.00",
        "invoice revenue 0.00 15.75",
        "payment cash:stripe 44.24 0.00",
    ]
    assert (rows[0]["at"], rows[0]["document"]) == ("2023-11-14T22:13:20.000+00:00", "inv_1")
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)


async def test_csv_and_json_have_the_same_rows_whose_sums_are_the_trial_balance(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    for each in some(11, 40):
        await write(acme, each)
    rows = table(await postings(acme))
    assert rows == json.loads(await postings(acme, "json"))
    assert table(await balances(acme)) == json.loads(await balances(acme, "json"))
    for balance in await read_trial_balances(acme):
        for row in balance.rows:
            entries = [one for one in rows if (one["account"], one["currency"]) == (row.account, balance.currency)]
            left = sum(Decimal(one["debit"]) - Decimal(one["credit"]) for one in entries)
            assert left * 100 == row.debit - row.credit
    assert json.loads(await postings(globex, "json")) == json.loads(await balances(globex, "json")) == []
