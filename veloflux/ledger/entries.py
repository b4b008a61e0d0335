"""What each document does to the ledger: one function a document, giving its balanced posting. Pure.

Amounts are whole minor units and positive unless a function says otherwise; times are epoch ms by the tenant's clock.
The accounts are told in `posting.py`. Whoever writes a document writes its posting in the same commit (`journal.py`).
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from veloflux.kit import ids
from veloflux.ledger.posting import Entry, Kind, Posted, Posting, posting


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What an amount that is billed, or credited, consists of: `revenue` is earned already (usage, arrears, one-off),
    `deferred` is for a service to come. Single parts may be negative: a credit for the rest of a former price."""

    revenue: int = 0
    deferred: int = 0
    taxes: Mapping[str, int] = msgspec.field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.revenue + self.deferred + sum(self.taxes.values())

    def amounts(self) -> dict[str, int]:
        """By account, as debits."""
        taxes = {f"tax:{tax}": amount for tax, amount in self.taxes.items()}
        return {"revenue": self.revenue, "deferred_revenue": self.deferred, **taxes}

    def released(self, amount: int) -> "Parts":
        """The same after some of what was deferred became revenue.

        >>> Parts(deferred=900, taxes={"iss": 45}).released(300)
        Parts(revenue=300, deferred=600, taxes={'iss': 45})
        """
        return msgspec.structs.replace(self, revenue=self.revenue + amount, deferred=self.deferred - amount)

    def share(self, amount: int) -> "Parts":
        """What an amount of them consists of, in proportion; the units that remain go where most was cut off.

        >>> Parts(revenue=1000, deferred=2000, taxes={"iss": 150}).share(100)
        Parts(revenue=32, deferred=63, taxes={'iss': 5})

        :raises ValueError: it is more than there is.
        """
        if not 0 <= amount <= self.total:
            raise ValueError(f"{amount} is no part of {self.total}")
        cut = [divmod(part * amount, self.total or 1) for part in (self.revenue, self.deferred, *self.taxes.values())]
        left = amount - sum(whole for whole, _ in cut)
        first = sorted(range(len(cut)), key=lambda at: -cut[at][1])[:left]
        revenue, deferred, *taxes = (whole + (at in first) for at, (whole, _) in enumerate(cut))
        return Parts(revenue=revenue, deferred=deferred, taxes=dict(zip(self.taxes, taxes, strict=True)))


class Received(NamedTuple):
    """Money that came to a provider of payments, who keeps `fee` of it; in minor units."""

    provider: str
    currency: str
    amount: int
    fee: int = 0


def invoice_issued(
    invoice: str, at: int, currency: str, parts: Parts, *, withheld: int = 0, credit: int = 0
) -> Posting:
    """An invoice is final. What the tenant withholds and what its wallet pays is not receivable.

    >>> parts = Parts(revenue=1575, deferred=2999, taxes={"iss": 229})
    >>> shown(invoice_issued("inv_1", 0, "BRL", parts, withheld=69, credit=500))
    'receivable 4234, withheld_tax 69, credit 500, revenue -1575, deferred_revenue -2999, tax:iss -229'

    :raises ValueError: withheld and credit are more than the invoice, or one of them is negative.
    """
    due = parts.total - withheld - credit
    _refuse_negative(due, withheld, credit)
    debits = {"receivable": due, "withheld_tax": withheld, "credit": credit}
    return posting("invoice", invoice, at, currency, debits | _credits(parts.amounts()))


def invoice_paid(payment: str, at: int, currency: str, settled: int, received: Received, *, credit: int = 0) -> Posting:
    """A payment settles receivables; what came beyond them goes to the wallet. In another currency than the invoice's
    both sides meet in `exchange_difference`.

    >>> shown(invoice_paid("pay_1", 0, "BRL", 4234, Received("stripe", "BRL", 4234, fee=169)))
    'cash:stripe 4065, fees 169, receivable -4234'
    >>> shown(invoice_paid("pay_2", 0, "USD", 1000, Received("bank", "BRL", 5432)))
    'receivable -1000, exchange_difference 1000, cash:bank 5432 BRL, exchange_difference -5432 BRL'

    :raises ValueError: in the invoice's currency, more or less came than is settled and credited.
    """
    _refuse_negative(settled, credit, received.fee, received.amount - received.fee)
    paid = Entry("receivable", currency, -settled), Entry("credit", currency, -credit)
    return _money_in("payment", payment, at, received, *paid)


def topped_up(payment: str, at: int, currency: str, amount: int, received: Received) -> Posting:
    """A tenant pays money into its wallet.

    >>> shown(topped_up("pay_3", 0, "BRL", 10000, Received("pix", "BRL", 10000, fee=99)))
    'cash:pix 9901, fees 99, credit -10000'

    :raises ValueError: as `invoice_paid`.
    """
    _refuse_negative(amount, received.fee, received.amount - received.fee)
    return _money_in("top_up", payment, at, received, Entry("credit", currency, -amount))


def gifted(gift: str, at: int, currency: str, amount: int) -> Posting:
    """Credit that nobody paid for comes to the wallet. What we give a customer lowers the price of what it buys, so it
    is taken from revenue (IFRS 15.70, ASC 606-10-32-25); what is not used returns there.

    >>> shown(gifted("pay_4", 0, "BRL", 500))
    'revenue 500, credit -500'
    """
    return _moved("gift", gift, at, currency, amount, to="revenue", source="credit")


def credit_applied(invoice: str, at: int, currency: str, amount: int, of: str = "") -> Posting:
    """The wallet pays, in part or whole, an invoice that is open already; `of` tells several times apart.

    >>> shown(credit_applied("inv_1", 0, "BRL", 700))
    'credit 700, receivable -700'
    """
    return _moved("credit_applied", invoice, at, currency, amount, to="credit", source="receivable", of=of)


def wallet_ended(
    document: str, at: int, currency: str, amount: int, kind: Literal["wallet_expired", "wallet_voided"]
) -> Posting:
    """What is left of a credit cannot be used any more: it is ours, without a service to come.

    >>> shown(wallet_ended("crd_1", 0, "BRL", 300, "wallet_expired"))
    'credit 300, revenue -300'
    """
    return _moved(kind, document, at, currency, amount, to="credit", source="revenue")


def refunded(
    refund: str, at: int, currency: str, amount: int, provider: str, *, credit: int = 0, fee: int = 0
) -> Posting:
    """Money goes back to the tenant: `credit` of it is taken from its wallet (where a credit note had put it), the rest
    is given without one. `fee` is what the provider takes for it.

    >>> shown(refunded("ref_1", 0, "BRL", 1000, "stripe", credit=800, fee=5))
    'credit 800, refunds 200, fees 5, cash:stripe -1005'

    :raises ValueError: more is taken from the wallet than goes back.
    """
    _refuse_negative(amount - credit, credit, fee)
    amounts = {"credit": credit, "refunds": amount - credit, "fees": fee, f"cash:{provider}": -amount - fee}
    return posting("refund", refund, at, currency, amounts)


def credit_note_issued(
    note: str, at: int, currency: str, parts: Parts, *, receivable: int = 0, withheld: int = 0
) -> Posting:
    """A credit note takes back what was billed: `receivable` of it from an open invoice, `withheld` from the tax that
    is withheld of it, the rest goes to the wallet. Of an invoice that is credited in proportion, `parts` is
    `Parts.share` of it.

    >>> part = Parts(revenue=1000, deferred=2000, taxes={"iss": 150}).share(315)
    >>> shown(credit_note_issued("crn_1", 0, "BRL", part, receivable=200))
    'revenue 100, deferred_revenue 200, tax:iss 15, receivable -200, credit -115'

    :raises ValueError: more is taken from the invoice than is credited.
    """
    to_wallet = parts.total - receivable - withheld
    _refuse_negative(to_wallet, receivable, withheld)
    credits_ = {"receivable": receivable, "withheld_tax": withheld, "credit": to_wallet}
    return posting("credit_note", note, at, currency, parts.amounts() | _credits(credits_))


def voided(former: Posted, at: int) -> Posting:
    """The exact reversal of a posting: of an invoice, of each release of it, of a payment that bounced.

    >>> issued = invoice_issued("inv_1", 0, "BRL", Parts(revenue=100))
    >>> shown(voided(issued, 5))
    'receivable -100, revenue 100'
    """
    entries = tuple(entry._replace(amount=-entry.amount) for entry in former.entries)
    id_ = ids.derived("pst", former.document, "void", former.id)
    return Posting(id=id_, at=at, document=former.document, kind="void", entries=entries)


def written_off(invoice: str, at: int, currency: str, amount: int) -> Posting:
    """A receivable is given up.

    >>> shown(written_off("inv_1", 0, "BRL", 4234))
    'bad_debt 4234, receivable -4234'
    """
    return _moved("write_off", invoice, at, currency, amount, to="bad_debt", source="receivable")


def recovered(document: str, at: int, currency: str, amount: int, of: str = "") -> Posting:
    """Some of a receivable that was given up is paid, or credited, after all: by this document.

    >>> shown(recovered("pay_1", 0, "BRL", 100))
    'receivable 100, bad_debt -100'
    """
    return _moved("recovery", document, at, currency, amount, to="receivable", source="bad_debt", of=of)


def withheld_proven(invoice: str, at: int, currency: str, amount: int, proof: str = "") -> Posting:
    """The tenant proves that it paid what it withheld; `proof` tells several of one invoice apart.

    >>> shown(withheld_proven("inv_1", 0, "BRL", 69))
    'withheld_tax_proven 69, withheld_tax -69'
    """
    to, source = "withheld_tax_proven", "withheld_tax"
    return _moved("withheld_proven", invoice, at, currency, amount, to=to, source=source, of=proof)


def revenue_released(invoice: str, at: int, currency: str, amount: int, before: str) -> Posting:
    """What was deferred is earned, as `deferral.release_due` says; one release of an invoice a time and a state of what
    is deferred, which `before` says. A negative amount takes revenue back: of a credit for the rest of a former price.

    >>> shown(revenue_released("inv_1", 0, "BRL", 33, "0 of 100"))
    'deferred_revenue 33, revenue -33'
    """
    amounts = {"deferred_revenue": amount, "revenue": -amount}
    return posting("release", invoice, at, currency, amounts, of=f"{at} {before}")


def shown(each: Posted) -> str:
    """The entries in one line, each but those in the first one's currency with its own; for docstrings and logs.

    >>> shown(written_off("inv_1", 0, "BRL", 5))
    'bad_debt 5, receivable -5'
    """
    first = each.entries[0].currency if each.entries else ""
    return ", ".join(
        f"{account} {amount}" + (f" {currency}" if currency != first else "")
        for account, currency, amount in each.entries
    )


def _money_in(kind: Kind, document: str, at: int, came: Received, *paid: Entry) -> Posting:
    """`paid` are credits, all in one currency."""
    currency, owed = paid[0].currency, {entry.account: entry.amount for entry in paid}
    cash = {f"cash:{came.provider}": came.amount - came.fee, "fees": came.fee}
    if came.currency == currency:
        return posting(kind, document, at, currency, cash | owed)
    exchanged = {"exchange_difference": -sum(owed.values())}
    other = cash | {"exchange_difference": -came.amount}
    there = [Entry(account, came.currency, amount) for account, amount in other.items()]
    return posting(kind, document, at, currency, owed | exchanged, *there)


def _moved(
    kind: Kind, document: str, at: int, currency: str, amount: int, *, to: str, source: str, of: str = ""
) -> Posting:
    _refuse_negative(amount)
    return posting(kind, document, at, currency, {to: amount, source: -amount}, of=of)


def _credits(amounts: Mapping[str, int]) -> dict[str, int]:
    return {account: -amount for account, amount in amounts.items()}


def _refuse_negative(*amounts: int) -> None:
    if min(amounts) < 0:
        raise ValueError(f"An amount is negative: {amounts}")
