"""The ledger as it lies in Redis: a hash of postings a month, and the balances, which each posting's commit changes
with it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.db.commit import Commit
from veloflux.errors import ChangedMeanwhile
from veloflux.kit import period
from veloflux.ledger.posting import Posted, Posting, balances_of, decoded, encoded

POSTINGS = "postings"
MONTHS_A_YEAR = 12
MONTHS_AT_A_TIME = 12


class Account(NamedTuple):
    """An account in one currency."""

    name: str
    currency: str

    @property
    def field(self) -> str:
        """How it stands among the balances."""
        return f"{self.name}|{self.currency}"


class Books(NamedTuple):
    """All that a tenant's ledger holds at one moment, as it is written: by month the texts of postings by their id, the
    fields of the balances."""

    months: Mapping[str, Mapping[str, str]]
    fields: Mapping[str, str]


def post(tx: Commit, posting: Posting) -> None:
    """Let a commit of the tenant write a posting and change the balances; it refuses one that is written already.

    :raises ChangedMeanwhile: when the commit is done, and there is a posting of this id.
    """
    month = month_of(posting.at)
    key, balances = keys.ledger(tx.owner, month), keys.balances(tx.owner)
    tx.expect(key, posting.id, None)
    tx.put(key, {posting.id: encoded(posting)})
    tx.rank(keys.ledger_months(tx.owner), month, _number(month))
    tx.add(balances, POSTINGS, 1)
    for place, amount in balances_of([posting]).items():
        tx.add(balances, Account(*place).field, amount)


def month_of(at: int) -> str:
    """The UTC month whose hash has a posting of a time (epoch ms).

    >>> month_of(1431831600000)
    '2015-05'
    """
    return period.utc_day(at).isoformat()[:7]


async def read_balances(db: Db, tenant: str) -> dict[Account, int]:
    """What each account holds now, in minor units; those of zero are left out."""
    return balances_in(_pairs(await db.call("HGETALL", keys.balances(tenant))))


def balances_in(fields: Mapping[str, str]) -> dict[Account, int]:
    """The accounts among the fields of the balances.

    >>> balances_in({"postings": "2", "receivable|BRL": "5", "credit|BRL": "0"})
    {Account(name='receivable', currency='BRL'): 5}
    """
    named = {Account(*field.split("|", 1)): int(value) for field, value in fields.items() if "|" in field}
    return {account: amount for account, amount in named.items() if amount}


async def months(db: Db, tenant: str, until: str = "") -> list[str]:
    """The months with postings, the newest first; up to one of them, if it is said."""
    last = _number(until) if until else "+inf"
    return list(await db.call("ZRANGE", keys.ledger_months(tenant), last, "-inf", "BYSCORE", "REV"))


async def read_month(db: Db, tenant: str, month: str) -> list[Posted]:
    """The postings of a month, the newest first; of one moment by their ids."""
    texts = _pairs(await db.bulk.call("HGETALL", keys.ledger(tenant, month)))
    return sorted((decoded(id_, text) for id_, text in texts.items()), key=lambda one: (one.at, one.id), reverse=True)


async def every_posting(db: Db, tenant: str, until: str = "") -> AsyncIterator[Posted]:
    """All postings, the oldest first; up to a month."""
    for month in reversed(await months(db, tenant, until)):
        for posted in reversed(await read_month(db, tenant, month)):
            yield posted


async def postings_of(db: Db, tenant: str, document: str, since: int) -> list[Posted]:
    """All of a document, of which the first one is of a time (epoch ms)."""
    listed = [month for month in await months(db, tenant) if month >= month_of(since)]
    found = [posted for month in listed for posted in await read_month(db, tenant, month)]
    return [posted for posted in found if posted.document == document]


async def read_books(db: Db, tenant: str) -> Books:
    """All of it, as it was at one moment.

    :raises ChangedMeanwhile: something was posted while it was read.
    """
    fields, listed = await asyncio.gather(_fields(db, tenant), months(db, tenant))
    found: dict[str, Mapping[str, str]] = {}
    for at in range(0, len(listed), MONTHS_AT_A_TIME):
        found |= await _texts(db, tenant, listed[at : at + MONTHS_AT_A_TIME])
    # Each commit that posts counts up: as long as the number stands, nothing came between the reads.
    if await db.call("HGET", keys.balances(tenant), POSTINGS) != fields.get(POSTINGS):
        raise ChangedMeanwhile("Something was posted while the ledger was read; repeat")
    return Books(found, fields)


class LastCheck(NamedTuple):
    """When all ledgers were last checked (epoch ms, 0: never), and how many figures disagreed."""

    at: int
    drift: int


async def keep_check(db: Db, found: Mapping[str, int]) -> None:
    """Remember what a check of all ledgers found."""
    await db.call("HSET", keys.ledger_check(), *(part for pair in found.items() for part in pair))


async def last_check(db: Db) -> LastCheck:
    """What the last check of all ledgers found."""
    at, drift = await db.call("HMGET", keys.ledger_check(), "at", "drift")
    return LastCheck(int(at or 0), int(drift or 0))


async def _texts(db: Db, tenant: str, some: Sequence[str]) -> dict[str, Mapping[str, str]]:
    rows = await asyncio.gather(*(db.bulk.call("HGETALL", keys.ledger(tenant, month)) for month in some))
    return dict(zip(some, map(_pairs, rows), strict=True))


async def _fields(db: Db, tenant: str) -> dict[str, str]:
    return _pairs(await db.call("HGETALL", keys.balances(tenant)))


def _number(month: str) -> int:
    return int(month[:4]) * MONTHS_A_YEAR + int(month[5:]) - 1


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
