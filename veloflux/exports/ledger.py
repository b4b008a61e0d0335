"""The ledger of a tenant for accountants: every entry of every posting, and the trial balance, in major units."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from veloflux.context import Context
from veloflux.exports.formats import Format, encoded
from veloflux.kit.money import major
from veloflux.ledger import TrialBalance, every_posting, read_trial_balances

Books = Literal["postings", "balances"]


class EntryRow(msgspec.Struct, frozen=True):
    """One entry of a posting; `at` is a time in UTC, the amounts are in major units."""

    tenant: str
    posting: str
    at: str
    document: str
    kind: str
    account: str
    currency: str
    debit: Decimal
    credit: Decimal


class BalanceRow(msgspec.Struct, frozen=True):
    """One account in one currency, in major units."""

    tenant: str
    currency: str
    account: str
    debit: Decimal
    credit: Decimal


def export_postings(ctx: Context, form: Format) -> AsyncIterator[bytes]:
    """All postings, the oldest first, a row an entry, as pieces of one document."""
    return encoded(_entry_rows(ctx), EntryRow, form)


async def export_balances(ctx: Context, form: Format, through: str = "") -> AsyncIterator[bytes]:
    """The trial balance as it is now, or at the end of a day of the tenant's zone; read before the first piece.

    :raises InputInvalid: that is no date.
    """
    assert ctx.scope
    balances = await read_trial_balances(ctx, through)
    return encoded(_balance_rows(ctx.scope.slug, balances), BalanceRow, form)


async def _entry_rows(ctx: Context) -> AsyncIterator[EntryRow]:
    assert ctx.scope
    async for each in every_posting(ctx.db, ctx.tenant):
        at = datetime.fromtimestamp(each.at / 1000, UTC).isoformat(timespec="milliseconds")
        for account, currency, amount in each.entries:
            sides = major(max(amount, 0), currency), major(max(-amount, 0), currency)
            yield EntryRow(ctx.scope.slug, each.id, at, each.document, each.kind, account, currency, *sides)


async def _balance_rows(tenant: str, balances: Sequence[TrialBalance]) -> AsyncIterator[BalanceRow]:
    for balance in balances:
        for row in balance.rows:
            sides = (major(side, balance.currency) for side in (row.debit, row.credit))
            yield BalanceRow(tenant, balance.currency, row.account, *sides)
