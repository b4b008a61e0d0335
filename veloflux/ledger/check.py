"""Proves the ledger of a tenant, or of all: postings sum to zero, balances equal their sums, and what documents say.

Whoever could write past the commits could make it wrong; nobody else can. So whatever is found is a fault of ours or
somebody's hand in Redis, is told with its place, and is mended by people: nothing here writes but the last result.
"""

import re
from collections.abc import AsyncIterator, Mapping

import msgspec

from veloflux import tenants
from veloflux.context import Context
from veloflux.db.client import Db
from veloflux.db.jobs import Job
from veloflux.kit import clock
from veloflux.ledger import store
from veloflux.ledger.posting import ACCOUNT, Posted, balances_of, decoded, unbalanced
from veloflux.ledger.store import POSTINGS, Account, Books, balances_in, month_of, read_books
from veloflux.transaction import Transaction, decide

INTEGER = re.compile(r"-?[0-9]{1,18}")
Says = Mapping[str, Mapping[str, int]]
"""What documents say that accounts hold: account -> currency -> minor units. Accounts that are not here are not
compared; a currency that is not here is zero."""


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong: of whom, where in the ledger, and what."""

    tenant: str
    place: str
    problem: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. `drift` counts the figures that disagree: zero, always."""

    at: int
    tenants: int
    postings: int
    wrong: tuple[Wrong, ...]

    @property
    def drift(self) -> int:
        return len(self.wrong)


async def check_ledgers(ctx: Context, _job: Job, _tx: Transaction) -> None:
    """The job `check_ledgers`: of every tenant, once a day; what it found is what the metric tells."""
    found = await check_all(ctx)
    await store.keep_check(
        ctx.db, {"at": found.at, "tenants": found.tenants, "postings": found.postings, "drift": found.drift}
    )


async def check_all(ctx: Context) -> Checked:
    """The ledgers of all tenants that are not deleted.

    :raises ChangedMeanwhile: see `check_ledger`.
    """
    found = [each async for each in every_check(ctx)]
    return together(found)


async def every_check(ctx: Context) -> AsyncIterator[Checked]:
    """The same, tenant by tenant."""
    for archived in (False, True):
        async for tenant in tenants.every_tenant(ctx, archived=archived):
            yield await check_ledger(ctx.db, tenant)


async def check_ledger(db: Db, tenant: str, says: Says | None = None) -> Checked:
    """One tenant's ledger, as it is at one moment; with what its documents say, if that is known.

    :raises ChangedMeanwhile: something was posted to it during each of five attempts.
    """
    books = await decide(lambda: read_books(db, tenant))
    found = _of_books(books) | against_documents(_readable(books), says or {})
    number = sum(map(len, books.months.values()))
    wrong = tuple(Wrong(tenant=tenant, place=place, problem=problem) for place, problem in found.items())
    return Checked(at=clock.now_ms(), tenants=1, postings=number, wrong=wrong)


def together(found: list[Checked]) -> Checked:
    """The checks of several tenants as one."""
    return Checked(
        at=clock.now_ms(),
        tenants=len(found),
        postings=sum(each.postings for each in found),
        wrong=tuple(wrong for each in found for wrong in each.wrong),
    )


def against_documents(balances: Mapping[Account, int], says: Says) -> dict[str, str]:
    """What is wrong by place: where the documents say something else than an account holds.

    >>> against_documents({Account("receivable", "BRL"): 5, Account("credit", "BRL"): -3}, {"receivable": {"BRL": 7}})
    {'documents of receivable|BRL': 'they say 7, the balance is 5'}
    """
    said = {Account(name, currency): amount for name, by in says.items() for currency, amount in by.items()}
    held = {account: amount for account, amount in balances.items() if account.name in says}
    return {
        f"documents of {account.field}": f"they say {said.get(account, 0)}, the balance is {held.get(account, 0)}"
        for account in sorted(held.keys() | said.keys())
        if held.get(account, 0) != said.get(account, 0)
    }


def _of_books(books: Books) -> dict[str, str]:
    """What is wrong by place."""
    wrong: dict[str, str] = {}
    postings = []
    for month, texts in books.months.items():
        for id_, text in texts.items():
            try:
                posted = decoded(id_, text)
            except ValueError:
                wrong[f"posting {id_} of {month}"] = "it cannot be read"
                continue
            postings.append(posted)
            if problem := _of_posting(posted, month):
                wrong[f"posting {id_} of {month}"] = problem
    return wrong | _of_balances(books, postings)


def _of_posting(posted: Posted, month: str) -> str:
    if month_of(posted.at) != month:
        return f"its time is in {month_of(posted.at)}"
    if strange := [entry.account for entry in posted.entries if not ACCOUNT.fullmatch(entry.account)]:
        return f"there is no account {strange[0]!r}"
    sums = unbalanced(posted.entries)
    return ", ".join(f"its entries in {currency} sum to {amount}" for currency, amount in sums.items())


def _of_balances(books: Books, postings: list[Posted]) -> dict[str, str]:
    number = sum(map(len, books.months.values()))
    sums = {Account(*place).field: amount for place, amount in balances_of(postings).items()} | {POSTINGS: number}
    fields = dict.fromkeys([*books.fields, *sums])
    held = {field: books.fields.get(field, "0") for field in fields}
    return {
        f"balance {field}": f"it is {held[field]}, its postings sum to {sums.get(field, 0)}"
        for field in fields
        if held[field] != str(sums.get(field, 0))
    }


def _readable(books: Books) -> dict[Account, int]:
    """Without balances that are no numbers, which are told as wrong already."""
    return balances_in({field: value for field, value in books.fields.items() if INTEGER.fullmatch(value)})
