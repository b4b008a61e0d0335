"""What the routes are tried with: a real thing of a tenant for every parameter, query and field that names one.

A new route needs an entry here only when it has a parameter that none before it had; the tests say which. A name is
looked for in `FACTORIES` as `<operation>.<name>`, as `<segment of the path before it>/<name>`, then by itself; the
console's action has the operation of the API's route that does the same. Each factory makes a new thing of its side.
"""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import Any, NamedTuple

from tests import cast, customers
from tests.identity import links
from veloflux import identity, tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import JobDied
from veloflux.kit import clock, ids
from veloflux.tenants import Tenant
from veloflux.transaction import Transaction


class Side(NamedTuple):
    """One of the two tenants; `inside` is the context of its owner there, who is called `name`."""

    name: str
    tenant: Tenant
    inside: Context
    member: str


Factory = Callable[[Side], Awaitable[str]]


async def _tenant(side: Side) -> str:
    return side.tenant.slug


async def _tenant_id(side: Side) -> str:
    return side.tenant.id


async def _member(side: Side) -> str:
    return side.member


async def _key(side: Side) -> str:
    return (await customers.key(side.inside)).key.id


async def _short_lived(side: Side) -> str:
    return (await tenants.create_token(side.inside, ["usage:read"])).shown.id


async def _key_prefix(side: Side) -> str:
    return (await customers.key(side.inside)).key.prefix


async def _invitation(side: Side) -> str:
    return (await tenants.invite(side.inside, f"invited-{ids.new('n')[2:]}@{side.name}.example", "viewer")).id


async def _invitation_token(side: Side) -> str:
    """For somebody who has an account: the owner of neither side."""
    return cast.token(side.inside, (await tenants.invite(side.inside, cast.email("mallory"), "viewer")).id)


async def _session(side: Side) -> str:
    signed_in = await identity.log_in(cast.fresh(side.inside), cast.email(side.name), cast.PASSWORD)
    return signed_in.person.session


async def _dead_job(side: Side) -> str:
    tx = Transaction(side.inside, side.tenant.id)
    job = tx.enqueue("nothing", {}, run_at=clock.now_ms() + clock.DAY_MS)
    tx.event(JobDied(job=job, kind="nothing", attempts=8))
    await tx.commit()
    await side.inside.db.call("HSET", keys.job(side.tenant.id, job), "state", "dead")
    return job


async def _message(side: Side) -> str:
    message, id_ = EmailMessage(), ids.new("job")
    message["To"], message["Subject"] = cast.email(side.name), side.tenant.name
    message.set_content(f"To {side.name}")
    await side.inside.parts.mailer.send(id_, message)
    return id_


async def _cursor(side: Side) -> str:
    await _key(side)
    await _key(side)
    return (await tenants.list_api_keys(side.inside, limit=1)).next or ""


async def _verification(side: Side) -> str:
    new = {"name": "New", "email": f"new@{side.name}.example", "password": cast.PASSWORD}
    await identity.start_registration(cast.fresh(side.inside), **new)
    return await links.of_registration(side.inside)


async def _reset(side: Side) -> str:
    await identity.request_password_reset(cast.fresh(side.inside), cast.email(side.name))
    return (await links.of_reset(side.inside, side.inside.actor.person))[-1]


async def _email(side: Side) -> str:
    return cast.email(side.name)


FACTORIES: dict[str, Factory] = {
    "actor": _member,
    "api_keys.revoke_leaked.prefix": _key_prefix,
    "auth.login.email": _email,
    "auth.password_reset_confirm.token": _reset,
    "auth.verify.token": _verification,
    "cursor": _cursor,
    "invitation": _invitation,
    "invitations.accept.token": _invitation_token,
    "invitations/token": _invitation_token,
    "job": _dead_job,
    "key": _key,
    "message": _message,
    "owner": _tenant_id,
    "reset/token": _reset,
    "session": _session,
    "tenant": _tenant,
    "tenants.delete.confirm": _tenant,
    "tokens.revoke.token": _short_lived,
    "user": _member,
    "verify/token": _verification,
}

NO_ID: dict[str, Any] = {
    "audit.list.name": "tenant.created",
    "audit.name": "tenant.created",
    "events.record.data": {"bytes": 512},
    "meter": "requests",
    "month": "2026-11",
    "next": "/console",
    "operator.create.token": "0" * 32,
    "shown": "dead",
    "setup/token": "0" * 32,
}
"""Text that names nothing of a tenant, where neither its choices nor its examples say what is meant."""

WITHOUT_OWNER = frozenset({"operator.create", "setup"})
"""Operations that nobody can do here: the setup link is over as soon as there is an operator."""

OF_SOMEBODY_ELSE = {"invitations.accept": "mallory", "invitation": "mallory"}
"""Operations that neither an owner nor an operator does, but somebody else who is signed in."""

CONSOLE_FORMS: dict[str, dict[str, str]] = {
    "api_keys.create": {"role": "viewer"},
    "invitations.create": {"role": "viewer"},
    "tenants.create": {
        "plan": "free",
        "zone": "UTC",
        "currency": "BRL",
        "language": "en",
        "mode": "live",
    },
}
"""By operation: what a form of the console sends that the API's route of this name does not."""

COMMAND_WORDS = {
    "email": "new@example.com",
    "file": "/dev/null",
    "meter": "requests",
    "mode": "real",
    "permission": "usage:read",
    "role": "viewer",
}
"""Arguments of commands that are no ids; see test_commands.py."""


def factory_of(operation: str, name: str, before: str = "") -> Factory | None:
    """The factory of a parameter that stands behind the segment `before` of its path."""
    found = (FACTORIES.get(key) for key in (f"{operation}.{name}", f"{before}/{name}", name))
    return next((factory for factory in found if factory), None)


def plain_value(operation: str, name: str, before: str = "") -> Any:
    """A value that names nothing, or None."""
    found = (NO_ID.get(key) for key in (f"{operation}.{name}", f"{before}/{name}", name))
    return next((value for value in found if value is not None), None)
