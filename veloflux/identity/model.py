"""A person, and the sessions by which a person is known."""

from typing import Literal

import msgspec

from veloflux.context import Actor
from veloflux.db.documents import Entity, Personal, Secret

Language = Literal["pt-BR", "en"]


class User(Entity, frozen=True, kw_only=True):
    """`epoch` ends all sessions that carry another one. `email_digest` is the person's global name."""

    name: Personal
    email: Personal
    email_digest: Personal
    password_hash: Secret
    status: Literal["active", "disabled"] = "active"
    epoch: int = 1
    language: Language = "en"
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
    """Lets set a new password, as long as the person's session epoch is still this one."""

    epoch: int


class Session(Entity, frozen=True, kw_only=True):
    """One log-in. Times in epoch ms; it ends at `ends_at`, or before, without use.

    The trail does not show its address: it has it already, as that of who logged in. `via` is the tenant whose
    provider let the person in: it opens that one alone; "" is a log-in by the person's own means.
    """

    epoch: int
    via: str = ""
    device: str = ""
    address: Secret = ""
    created_at: int
    seen_at: int
    ends_at: int


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who a session token is. `via`: the only tenant that the session opens, whose provider let the person in."""

    id: str
    name: str
    email: str
    language: Language
    session: str
    via: str = ""

    def actor(self, address: str = "") -> Actor:
        """This person, acting from an address."""
        return Actor(id=self.id, person=self.id, session=self.session, via=self.via, address=address)


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
