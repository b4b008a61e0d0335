"""The first argument of every use case: who acts, for which tenant, when, and on what.

`Parts` are what a process has one of; a `Context` is made for each request, command or job.
"""

import functools
import os
import pwd
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Protocol

import msgspec

from veloflux.db.client import Db
from veloflux.db.data_keys import DataKeys
from veloflux.db.wake import Waker
from veloflux.kit import clock, crypto, ids
from veloflux.kit.fiscal import FiscalProvider
from veloflux.kit.pace import Standing
from veloflux.kit.payments import PaymentProvider
from veloflux.settings import Settings

PLATFORM = "ten_0"
"""The reserved tenant whose members are the operators."""


class Secrets:
    """Keys for one purpose each, derived from the installation's secret."""

    def __init__(self, installation: bytes) -> None:
        self._installation = installation

    @functools.cache  # noqa: B019  one instance a process
    def of(self, *purpose: str) -> bytes:
        return crypto.derive(self._installation, *purpose)


class Mailer(Protocol):
    """The port that e-mails leave by, at least once: the same id is the same message."""

    async def send(self, id_: str, message: EmailMessage) -> None: ...


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Built once by `wiring.build`. `sandbox_payments` collects the invoices of sandbox tenants, `fiscal` issues fiscal
    documents; None: nobody does."""

    settings: Settings
    db: Db
    secrets: Secrets
    data_keys: DataKeys
    wake: Waker
    mailer: Mailer
    sandbox_payments: PaymentProvider | None = None
    fiscal: FiscalProvider | None = None


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is what the trail shows: `usr_…`, `key_…`, `cli:<os user>`, `worker`, `anonymous`.

    `device` is what a person logs in with, in a few words. `person` is whose data key seals the address: the person, or
    "" when there is none to protect. `session` is the session that a person acts by, `factors` what they proved for
    it, and `via` the only tenant that it opens, if it was that tenant's provider who let them in; `tenant` and `role`
    are those of an API key that acts, and `permissions` what it has of the role's (None: all). `impersonator` is who
    acts as the person, by `impersonation`. `origin` is that of the page that asks with a bearer token, if it is another
    one than this server's; `subject` whom a tenant's token was made for. `standing` is how far its calls are used up.
    """

    id: str
    address: str = ""
    device: str = ""
    person: str = ""
    session: str = ""
    via: str = ""
    tenant: str = ""
    role: str = ""
    permissions: frozenset[str] | None = None
    factors: tuple[str, ...] = ()
    impersonator: str = ""
    impersonation: str = ""
    origin: str = ""
    subject: str = ""
    standing: Standing | None = None

    @property
    def addressed(self) -> str:
        """The person whose address it is, or "" when it is nobody's."""
        if not self.impersonator:
            return self.person
        return self.impersonator if ids.is_id(self.impersonator, "usr") else ""


ANONYMOUS = Actor(id="anonymous")
WORKER = Actor(id="worker")


def at_terminal() -> Actor:
    """Who sits at the terminal: the name of the OS user, or its number where it has none."""
    try:
        return Actor(id=f"cli:{pwd.getpwuid(os.getuid()).pw_name}")
    except KeyError:
        return Actor(id=f"cli:{os.getuid()}")


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant that a request may touch, and what of it every use case needs.

    `version` is its document's; `roles` has the permissions of the roles that the tenant made itself.
    """

    id: str
    slug: str
    zone: str
    clock: str = ""
    version: int = 0
    roles: Mapping[str, frozenset[str]] = msgspec.field(default_factory=dict)


class Context(msgspec.Struct, frozen=True, kw_only=True):
    parts: Parts
    actor: Actor = ANONYMOUS
    request: str = msgspec.field(default_factory=lambda: ids.new("req"))
    scope: Scope | None = None
    permissions: frozenset[str] = frozenset()
    moment: int | None = None

    @property
    def db(self) -> Db:
        return self.parts.db

    @property
    def settings(self) -> Settings:
        return self.parts.settings

    @property
    def tenant(self) -> str:
        """Id of the tenant; only where a use case is for one."""
        assert self.scope, "this use case needs a tenant"
        return self.scope.id

    def now(self) -> int:
        """Epoch ms by the tenant's clock."""
        if self.moment is not None:
            return self.moment
        return clock.apply(self.scope.clock if self.scope else "", clock.now_ms())

    def at(self, moment: int) -> "Context":
        """The same, at a time of the tenant's clock: what was due earlier is done as if it were done then."""
        return msgspec.structs.replace(self, moment=moment)

    def acting(self, actor: Actor) -> "Context":
        return msgspec.structs.replace(self, actor=actor)

    def within(self, scope: Scope, permissions: frozenset[str] = frozenset()) -> "Context":
        return msgspec.structs.replace(self, scope=scope, permissions=permissions)
