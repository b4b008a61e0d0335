"""A person, and the sessions by which a person is known."""

from typing import Literal

import msgspec

from veloflux.context import Actor
from veloflux.db.documents import Entity, Owned, Personal, Secret
from veloflux.kit.pace import Standing

Language = Literal["pt-BR", "en"]


class User(Entity, frozen=True, kw_only=True):
    """`epoch` ends all sessions that carry another one. `email_digest` is the person's global name.

    `erase_at` is set from the wish to be erased until it is fulfilled or taken back; who is `erased` has but an id.
    """

    name: Personal
    email: Personal
    email_digest: Personal
    password_hash: Secret
    status: Literal["active", "disabled", "erased"] = "active"
    epoch: int = 1
    language: Language = "en"
    erase_at: int | None = None
    created_at: int


class Registration(Entity, frozen=True, kw_only=True):
    """Who signed up and has not yet proved the address; it lies under the id that the person will have."""

    name: Personal
    email: Personal
    email_digest: Personal
    password_hash: Secret
    language: Language = "en"
    created_at: int


class ResetLink(Entity, frozen=True, kw_only=True):
    """Lets set a new password, as long as the person's session epoch and address are still these."""

    epoch: int
    email_digest: Secret


class EmailChange(Entity, frozen=True, kw_only=True):
    """The address that a person wants, as long as the session epoch is still this one; `confirmed` says by whom."""

    email: Secret
    email_digest: Secret
    epoch: int
    confirmed: tuple[Literal["prove", "approve"], ...] = ()


class Session(Entity, frozen=True, kw_only=True):
    """One log-in, with the factors that were proved for it. Times in epoch ms; it ends at `ends_at`, or before, without
    use.

    The trail does not show its address: it has it already, as that of who logged in. `impersonator` is who acts by
    it as the person, or "". `via` is the tenant whose provider let the person in: it opens that one alone; "" is a
    log-in by the person's own means.
    """

    epoch: int
    via: str = ""
    device: Owned = ""
    address: Secret = ""
    factors: tuple[str, ...] = ("password",)
    created_at: int
    seen_at: int
    ends_at: int
    impersonator: str = ""
    impersonation: str = ""


class Impersonation(Entity, frozen=True, kw_only=True):
    """An operator's time as a person, in epoch ms; `impersonator` is a person's id, or `cli:<os user>`."""

    impersonator: str
    reason: Owned
    session: str
    created_at: int
    ends_at: int


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who a session token is. `via`: the only tenant that the session opens, whose provider let the person in;
    `impersonator`: who acts as the person by it."""

    id: str
    name: str
    email: str
    language: Language
    session: str
    factors: tuple[str, ...] = ("password",)
    via: str = ""
    impersonator: str = ""
    impersonation: str = ""

    def actor(self, address: str = "") -> Actor:
        """This person, acting from an address."""
        return Actor(
            id=self.id,
            person=self.id,
            session=self.session,
            address=address,
            factors=self.factors,
            via=self.via,
            impersonator=self.impersonator,
            impersonation=self.impersonation,
        )


class Caller(Person, frozen=True, kw_only=True):
    """A person, and how far the calls of the session are used up."""

    standing: Standing

    @property
    def person(self) -> Person:
        """The person alone, as answers show it."""
        return Person(**{name: getattr(self, name) for name in Person.__struct_fields__})

    def actor(self, address: str = "") -> Actor:
        """This person, acting from an address."""
        return msgspec.structs.replace(self.person.actor(address), standing=self.standing)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a person who has just come into being."""

    id: str
    name: str
    email: str


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The token is shown this once; only a digest of it is kept."""

    token: str
    person: Person
    ends_at: int
