"""The trial balance and the pages of postings, of a ledger whose numbers were worked by hand."""

import pytest

from tests.customers import customer
from tests.ledger.books import life, some, write
from veloflux.context import Context
from veloflux.errors import CursorInvalid, InputInvalid
from veloflux.kit import page
from veloflux.ledger import TrialBalance, read_trial_balances
from veloflux.ledger.entries import Received, invoice_paid, topped_up
from veloflux.ledger.posting import balances_of
from veloflux.ledger.trial_balance import list_postings

AT = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC, 19:13:20 in São Paulo
MIDNIGHT = 1_700_017_200_000  # 2023-11-15 00:00 in São Paulo

Row = tuple[str, int, int]


def rows(balances: list[TrialBalance]) -> dict[str, list[Row]]:
    for balance in balances:
        assert balance.debit == balance.credit == sum(row.debit for row in balance.rows)
    return {balance.currency: [(row.account, row.debit, row.credit) for row in balance.rows] for balance in balances}


@pytest.mark.parametrize(
    ("name", "through", "expected"),
    [
        ("before anything", "2023-11-13", {}),
        (
            "invoiced and paid",
            "2023-11-14",
            [("cash:stripe", 4_424, 0), ("deferred_revenue", 0, 2_999), ("fees", 150, 0), ("revenue", 0, 1_575)],
        ),
        ("released", "2023-12-31", [("cash:stripe", 4_424, 0), ("fees", 150, 0), ("revenue", 0, 4_574)]),
        ("credited", "", [("cash:stripe", 4_424, 0), ("credit", 0, 574), ("fees", 150, 0), ("revenue", 0, 4_000)]),
    ],
)
async def test_what_accounts_held(one_ctx: Context, name: str, through: str, expected: list[Row]) -> None:
    acme = await customer(one_ctx)
    await life(acme)
    assert rows(await read_trial_balances(acme, through)) == ({"USD": expected} if expected else {}), name


async def test_currencies_balance_each_for_itself(ctx: Context) -> None:
    acme = await customer(ctx)
    await write(acme, invoice_paid("pay_1", AT, "USD", 2_000, Received("bank", "BRL", 10_000)))
    assert rows(await read_trial_balances(acme)) == {
        "BRL": [("cash:bank", 10_000, 0), ("exchange_difference", 0, 10_000)],
        "USD": [("exchange_difference", 2_000, 0), ("receivable", 0, 2_000)],
    }


async def test_a_day_ends_at_midnight_of_the_tenants_zone(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    last, first = (topped_up(f"pay_{at}", at, "BRL", 5, Received("pix", "BRL", 5)) for at in (MIDNIGHT - 1, MIDNIGHT))
    await write(acme, last, first)
    assert [rows(await read_trial_balances(acme, day))["BRL"][0] for day in ("2023-11-14", "2023-11-15")] == [
        ("cash:pix", 5, 0),
        ("cash:pix", 10, 0),
    ]


@pytest.mark.parametrize("day", ["yesterday", "2023-02-30", "9999-12-31", "2023-11-14T00:00:00Z"])
async def test_what_is_no_day_is_refused(one_ctx: Context, day: str) -> None:
    acme = await customer(one_ctx)
    with pytest.raises(InputInvalid, match="is no date"):
        await read_trial_balances(acme, day)


async def test_balances_now_are_those_through_a_day_that_is_far(ctx: Context) -> None:
    acme = await customer(ctx)
    documents = some(3, 80)
    await write(acme, *documents[:10])
    for each in documents[10:]:
        await write(acme, each)
    now = rows(await read_trial_balances(acme))
    assert now == rows(await read_trial_balances(acme, "2099-12-31"))
    assert sum(map(len, now.values())) == len(balances_of(documents))


async def test_pages_have_every_posting_once_newest_first(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    documents = some(5, 60)
    for each in documents:
        await write(acme, each)
    found, cursor = [], ""
    while True:
        listed = await list_postings(acme, cursor, 7)
        assert len(listed.items) <= 7
        found += listed.items
        if listed.next is None:
            break
        cursor = listed.next
    expected = sorted(((each.at, each.id) for each in documents), reverse=True)
    assert [(each.at, each.id) for each in found] == expected
    assert (await list_postings(globex)).items == []


@pytest.mark.parametrize("text", ["", "5", "x pst_1", "9999999999999 pst_1", "-5 pst_1", "5 "])
async def test_a_cursor_of_somebodys_invention_is_refused(one_ctx: Context, text: str) -> None:
    acme = await customer(one_ctx)
    with pytest.raises(CursorInvalid):
        await list_postings(acme, page.encode(text) or "?")
