"""The port to whoever collects money: what it is asked, and what it can answer.

A charge has an id of ours. Asked again with it, a provider does not charge again, but says what became of it: so its
answer can be lost, and asked for as often as needed.
"""

from typing import Protocol

import msgspec


class Charged(msgspec.Struct, frozen=True, kw_only=True):
    """The money is there: `amount` minor units of a currency, of which the provider keeps `fee`; `reference` is its own
    name of it."""

    amount: int
    currency: str
    fee: int = 0
    reference: str = ""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """It could not be collected, and is not by this charge any more."""

    reason: str


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """It is not known yet."""


Answer = Charged | Refused | Pending


class AnswerLost(Exception):
    """The provider was asked, and did not answer: whether it charged is not known."""


class PaymentProvider(Protocol):
    """`name` names the account of the ledger that has its money, in lower case."""

    name: str

    async def charge(self, tenant: str, id_: str, invoice: str, amount: int, currency: str) -> Answer:
        """Collect minor units for an invoice of a tenant, by a charge of ours.

        :raises AnswerLost: ask again, with the same id.
        """
