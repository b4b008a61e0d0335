"""A posting of the ledger: what one document does to the accounts of a tenant, in balanced entries. Pure.

Amounts are whole minor units, a debit positive, a credit negative; the entries of a posting sum to zero in each
currency. A posting is never changed: what was wrong is reversed by another one.

| account | what it holds | grows by |
|---|---|---|
| `receivable` | what the tenant is to pay | debit |
| `withheld_tax` | tax that the tenant withheld; its proof is awaited | debit |
| `withheld_tax_proven` | withheld tax that is proven: a credit with the tax authority | debit |
| `cash:<provider>` | money that a provider of payments holds for us, or by hand | debit |
| `fees` | what providers keep for themselves | debit |
| `refunds` | money given back without a credit note | debit |
| `bad_debt` | receivables that are given up | debit |
| `exchange_difference` | the two sides of a payment in another currency, and what remains of them | either |
| `credit` | the tenant's wallet: what we owe it | credit |
| `deferred_revenue` | billed in advance, not earned yet | credit |
| `revenue` | earned | credit |
| `tax:<tax>` | a tax that we collected and owe | credit |
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from veloflux.kit import ids

Kind = Literal[
    "invoice",
    "payment",
    "credit_applied",
    "refund",
    "credit_note",
    "void",
    "write_off",
    "recovery",
    "top_up",
    "gift",
    "wallet_expired",
    "wallet_voided",
    "withheld_proven",
    "release",
]
ACCOUNT = re.compile(
    r"receivable|withheld_tax|withheld_tax_proven|fees|refunds|bad_debt|exchange_difference"
    r"|credit|deferred_revenue|revenue|(cash|tax):[a-z][a-z0-9_]{0,59}"
)
CURRENCY = re.compile("[A-Z]{3}")


class Entry(NamedTuple):
    """`amount` in minor units of the currency: a debit is positive, a credit negative."""

    account: str
    currency: str
    amount: int


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """A posting as it was read, which somebody may have tampered with. `at` in epoch ms by the tenant's clock."""

    id: str
    at: int
    document: str
    kind: Kind
    entries: tuple[Entry, ...]


class Posting(Posted, frozen=True, kw_only=True):
    """A posting to be written.

    :raises ValueError: an account or currency that there is not, an entry of nothing, or entries that do not balance.
    """

    def __post_init__(self) -> None:
        for account, currency, amount in self.entries:
            if not ACCOUNT.fullmatch(account) or not CURRENCY.fullmatch(currency):
                raise ValueError(f"{account!r} in {currency!r} is no account of the ledger")
            if not amount:
                raise ValueError(f"An entry of {account} has no amount")
        if wrong := unbalanced(self.entries):
            raise ValueError(f"The entries of {self.document} do not sum to zero: {wrong}")


def posting(
    kind: Kind, document: str, at: int, currency: str, amounts: Mapping[str, int], *more: Entry, of: str = ""
) -> Posting:
    """A posting of amounts by account in one currency, and of entries in others; what is zero is left out.

    Its id follows from the document, the kind and `of`, what tells several of one kind apart: it cannot come twice.

    >>> posting("write_off", "inv_1", 0, "BRL", {"bad_debt": 5, "receivable": -5, "fees": 0}).entries
    (Entry(account='bad_debt', currency='BRL', amount=5), Entry(account='receivable', currency='BRL', amount=-5))

    :raises ValueError: see `Posting`.
    """
    entries = [Entry(account, currency, amount) for account, amount in amounts.items()]
    return Posting(
        id=ids.derived("pst", document, kind, of),
        at=at,
        document=document,
        kind=kind,
        entries=tuple(entry for entry in (*entries, *more) if entry.amount),
    )


def unbalanced(entries: Iterable[Entry]) -> dict[str, int]:
    """The currencies whose entries do not sum to zero, with their sums.

    >>> unbalanced([Entry("cash:bank", "BRL", 5), Entry("credit", "BRL", -5), Entry("fees", "USD", 1)])
    {'USD': 1}
    """
    sums: Counter[str] = Counter()
    for _, currency, amount in entries:
        sums[currency] += amount
    return {currency: total for currency, total in sums.items() if total}


def balances_of(postings: Iterable[Posted]) -> dict[tuple[str, str], int]:
    """The sum of each account and currency; those of zero are left out.

    >>> balances_of([posting("write_off", "inv_1", 0, "BRL", {"bad_debt": 5, "receivable": -5})])
    {('bad_debt', 'BRL'): 5, ('receivable', 'BRL'): -5}
    """
    sums: Counter[tuple[str, str]] = Counter()
    for each in postings:
        for account, currency, amount in each.entries:
            sums[account, currency] += amount
    return {place: total for place, total in sums.items() if total}


def decoded(id_: str, text: str) -> Posted:
    """A posting from its id and the text that the ledger keeps.

    :raises ValueError: the text is none of ours.
    """
    written: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    return msgspec.convert(written | {"id": id_}, Posted)


def encoded(each: Posted) -> str:
    """The text of a posting, without its id, which names the field.

    >>> encoded(posting("write_off", "inv_1", 7, "BRL", {"bad_debt": 5, "receivable": -5}))
    '{"at":7,"document":"inv_1","kind":"write_off","entries":[["bad_debt","BRL",5],["receivable","BRL",-5]]}'
    """
    parts = {"at": each.at, "document": each.document, "kind": each.kind, "entries": each.entries}
    return msgspec.json.encode(parts).decode()
