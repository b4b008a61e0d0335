"""The port of fiscal documents (in Brazil NFS-e): what a provider is asked, and what it may answer.

A provider takes a declaration (DPS) and gives, at once or hours later, a document with a number of the city's. Whoever
implements it keeps three promises:

- The id is the identity. Issued again with the same id, there is still one document, and the answer is about that one;
  of a rejected id another declaration is accepted. Cancelled again, it is still cancelled once.
- `status` finds what `issue` began, even if nobody got the answer of `issue`.
- Whatever goes wrong on the way, a time-out of at most 20 seconds too, is `FiscalProviderAway`: nothing or everything
  may have happened, and who asked finds out by `status`.
"""

from typing import Protocol

import msgspec

from veloflux.errors import FiscalProviderAway

__all__ = [
    "Accepted",
    "Answer",
    "Cancelled",
    "Declaration",
    "FiscalProvider",
    "FiscalProviderAway",
    "Party",
    "Processing",
    "Rejected",
    "Share",
]


class Party(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who sells or buys. A tax id is a CNPJ or CPF without punctuation, a country two letters of ISO 3166."""

    name: str = ""
    tax_id: str = ""
    email: str = ""
    country: str = ""
    postal_code: str = ""
    street: str = ""
    number: str = ""
    complement: str = ""
    district: str = ""
    city: str = ""
    state: str = ""


class Share(msgspec.Struct, frozen=True):
    """A tax, or what the buyer withholds: `amount` in minor units, `percent` a decimal text."""

    name: str
    percent: str
    base: int
    amount: int


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """What is declared of one invoice. Amounts in minor units of `currency`; the buyer pays `gross` less `withheld`.

    `service` is the code of what was sold, in Brazil of the list of Lei Complementar 116/2003; `competence` the day
    whose month the tax belongs to (ISO 8601), `issued_at` the moment of the invoice, in epoch ms.
    """

    seller: Party
    buyer: Party
    service: str
    description: str
    competence: str
    issued_at: int
    currency: str
    gross: int
    taxes: tuple[Share, ...] = ()
    withheld: tuple[Share, ...] = ()


class Accepted(msgspec.Struct, frozen=True):
    """There is a document: the city's number, and the code by which anybody can verify it."""

    number: str
    verification: str


class Rejected(msgspec.Struct, frozen=True):
    """There is no document, or it is not cancelled: a stable code, and a sentence for people."""

    code: str
    reason: str


class Processing(msgspec.Struct, frozen=True):
    """The answer is not known yet."""


class Cancelled(msgspec.Struct, frozen=True):
    """There was a document, and it does not hold any more."""

    number: str
    verification: str


Answer = Accepted | Rejected | Processing | Cancelled


class FiscalProvider(Protocol):
    """Every method may raise `FiscalProviderAway`."""

    async def issue(self, id_: str, declaration: Declaration) -> Answer:
        """Let there be a document with this id."""

    async def status(self, id_: str) -> Answer | None:
        """What became of it; None: it is not known here."""

    async def cancel(self, id_: str, reason: str, at: int) -> Cancelled | Rejected | Processing:
        """Take an accepted document back, at `at` (epoch ms); `reason` has 15 to 255 characters. Rejected: it holds."""

    async def pdf(self, id_: str) -> bytes:
        """An accepted or cancelled document, for people."""

    async def xml(self, id_: str) -> bytes:
        """An accepted or cancelled document as the city signed it: the one that counts."""
