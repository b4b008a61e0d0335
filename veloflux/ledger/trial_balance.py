"""The trial balance: what each account holds, in two columns that are equal; and the pages of postings behind it."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import msgspec

from veloflux.context import Context
from veloflux.errors import CursorInvalid, InputInvalid
from veloflux.kit import page, period
from veloflux.kit.clock import LATEST
from veloflux.kit.page import LIMIT, LIMIT_MAX, Page
from veloflux.ledger import store
from veloflux.ledger.posting import Posted, balances_of
from veloflux.ledger.store import Account


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What an account holds, in the column of its side; the other is 0. In minor units."""

    account: str
    debit: int
    credit: int


class TrialBalance(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts in one currency, by name, and the sums of both columns, which are equal."""

    currency: str
    rows: Sequence[Row]
    debit: int
    credit: int


def trial_balances(balances: Mapping[Account, int]) -> list[TrialBalance]:
    """One for each currency, in alphabetical order.

    >>> [found] = trial_balances({Account("receivable", "BRL"): 105, Account("revenue", "BRL"): -100,
    ...     Account("tax:iss", "BRL"): -5})
    >>> [(row.account, row.debit, row.credit) for row in found.rows], (found.debit, found.credit)
    ([('receivable', 105, 0), ('revenue', 0, 100), ('tax:iss', 0, 5)], (105, 105))
    """
    rows: dict[str, list[Row]] = {}
    for (name, currency), amount in sorted(balances.items()):
        rows.setdefault(currency, []).append(Row(account=name, debit=max(amount, 0), credit=max(-amount, 0)))
    return [
        TrialBalance(
            currency=currency, rows=of, debit=sum(row.debit for row in of), credit=sum(row.credit for row in of)
        )
        for currency, of in sorted(rows.items())
    ]


async def read_trial_balances(ctx: Context, through: str = "") -> list[TrialBalance]:
    """As it is now; or as it was at the end of a day of the tenant's zone (`2026-11-22`).

    :raises InputInvalid: that is no date.
    """
    if not through:
        return trial_balances(await store.read_balances(ctx.db, ctx.tenant))
    until = _end_of(ctx, through)
    every = store.every_posting(ctx.db, ctx.tenant, store.month_of(until))
    sums = balances_of([posted async for posted in every if posted.at < until])
    return trial_balances({Account(*place): amount for place, amount in sums.items()})


async def list_postings(ctx: Context, cursor: str = "", limit: int = LIMIT) -> Page[Posted]:
    """The postings of a tenant, the newest first.

    :raises CursorInvalid: the cursor is not one of ours.
    """
    after = _place(cursor) if cursor else None
    limit = min(max(limit, 1), LIMIT_MAX)
    found: list[Posted] = []
    for month in await store.months(ctx.db, ctx.tenant, store.month_of(after[0]) if after else ""):
        rows = await store.read_month(ctx.db, ctx.tenant, month)
        found += [row for row in rows if after is None or (row.at, row.id) < after]
        if len(found) > limit:
            break
    return _page(found, limit)


def _page(found: Sequence[Posted], limit: int) -> Page[Posted]:
    shown = found[:limit]
    return Page(shown, page.encode(f"{shown[-1].at} {shown[-1].id}") if len(found) > limit else None)


def _place(cursor: str) -> tuple[int, str]:
    at, _, posting = page.decode(cursor).partition(" ")
    if not page.NUMBER.fullmatch(at) or not posting or int(at) >= LATEST:
        raise CursorInvalid("This cursor is not one that an earlier page gave")
    return int(at), posting


def _end_of(ctx: Context, day: str) -> int:
    assert ctx.scope
    try:
        return period.day_start(date.fromisoformat(day) + timedelta(days=1), ctx.scope.zone)
    except (ValueError, OverflowError):
        raise InputInvalid(f"{day[:40]!r} is no date, like 2026-11-22", field="through") from None
