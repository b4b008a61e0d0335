"""What the routes are tried with: a real thing of a tenant for every parameter, query and field that names one.

A new route needs an entry here only when it has a parameter that none before it had; the tests say which. A name is
looked for in `FACTORIES` as `<operation>.<name>`, as `<segment of the path before it>/<name>`, then by itself; the
console's action has the operation of the API's route that does the same. Each factory makes a new thing of its side.
"""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import Any, NamedTuple

import msgspec

from tests import cast, customers
from tests.billing import brazil
from tests.billing.billed import billed
from tests.identity import links
from tests.identity.authenticator import Authenticator
from tests.tenants.signing_in import oidc_link
from veloflux import identity, limits, tenants
from veloflux.billing.invoices.link import token_of
from veloflux.billing.subscriptions.change import ChangeSubscription, change
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import JobDied
from veloflux.identity.ceremony import Credential
from veloflux.kit import clock, ids
from veloflux.limits.credits import grant_credit
from veloflux.limits.grant import Terms
from veloflux.limits.leases import list_reservations
from veloflux.plans import catalogue
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


async def _email_change(side: Side) -> str:
    await identity.request_email_change(side.inside, f"next@{side.name}.example", cast.PASSWORD)
    return (await links.of_email_change(side.inside, side.inside.actor.person))[0]


async def _oidc_link_of_a_newcomer(side: Side) -> str:
    return await oidc_link(side.inside, f"newcomer@{side.name}.example")


async def _oidc_link_of_the_owner(side: Side) -> str:
    return await oidc_link(side.inside, cast.email(side.name))


async def _passkey(side: Side) -> str:
    """Of a member, so that the owner goes on signing in with the password."""
    member = cast.acting(
        side.inside,
        await identity.log_in(cast.fresh(side.inside), cast.email(f"member-of-{side.name}"), cast.PASSWORD),
    )
    phone = Authenticator(side.inside.settings.console_url)
    options = await identity.begin_passkey(member)
    credential = msgspec.convert(phone.create(options), Credential)
    await identity.add_passkey(member, "Phone", credential)
    return phone.passkey


async def _role(side: Side) -> str:
    return (await tenants.create_role(side.inside, f"role_of_{side.name}", ["usage:read"])).name


async def _reservation(side: Side) -> str:
    return (await limits.reserve(side.inside.parts, side.tenant.id, limits.Question(meter="requests"))).id


async def _reservation_cursor(side: Side) -> str:
    for _ in range(2):
        await _reservation(side)
    return (await list_reservations(side.inside, limit=1)).next or ""


async def _grant(side: Side) -> str:
    return (await grant_credit(side.inside, Terms(meter="requests", amount=5))).id


async def _invoice(side: Side) -> str:
    return (await billed(side.inside)).invoice.id


async def _credit_note(side: Side) -> str:
    return (await billed(side.inside)).credit_note.id


async def _subscription(side: Side) -> str:
    return (await start(side.inside, Start(plan="free", main=False))).id


async def _trial(side: Side) -> str:
    return (await start(side.inside, Start(plan="free", main=False, trial_days=30))).id


async def _changing_subscription(side: Side) -> str:
    id_ = await _subscription(side)
    await change(side.inside, id_, ChangeSubscription(quantities={"base": 2}, when="period_end"))
    return id_


async def _invoice_link(side: Side) -> str:
    return token_of(side.inside.parts.secrets, side.inside.tenant, await _invoice(side))


async def _fiscal_document(side: Side) -> str:
    return await brazil.planted(side.inside)


async def _rejected_fiscal_document(side: Side) -> str:
    return await brazil.planted(side.inside, "rejected")


FACTORIES: dict[str, Factory] = {
    "actor": _member,
    "api_keys.revoke_leaked.prefix": _key_prefix,
    "auth.email_confirm.token": _email_change,
    "auth.email_refuse.token": _email_change,
    "auth.login.email": _email,
    "auth.password_reset_confirm.token": _reset,
    "auth.sso_join.token": _oidc_link_of_a_newcomer,
    "auth.sso_link.token": _oidc_link_of_the_owner,
    "auth.verify.token": _verification,
    "company": _tenant,
    "credit_note": _credit_note,
    "cursor": _cursor,
    "email/token": _email_change,
    "fiscal.cancel.invoice": _fiscal_document,
    "fiscal.pdf.invoice": _fiscal_document,
    "fiscal.retry.invoice": _rejected_fiscal_document,
    "fiscal.show.invoice": _fiscal_document,
    "fiscal.xml.invoice": _fiscal_document,
    "grant": _grant,
    "invitation": _invitation,
    "invitations.accept.token": _invitation_token,
    "invitations.join.token": _invitation_token,
    "invitations.open.token": _invitation_token,
    "invitations/token": _invitation_token,
    "invoice": _invoice,
    "invoices/token": _invoice_link,
    "job": _dead_job,
    "join/token": _oidc_link_of_a_newcomer,
    "key": _key,
    "limits.cursor": _reservation_cursor,
    "link/token": _oidc_link_of_the_owner,
    "message": _message,
    "owner": _tenant_id,
    "passkey": _passkey,
    "q": _email,
    "reservation": _reservation,
    "reservations.list.cursor": _reservation_cursor,
    "reset/token": _reset,
    "roles.change.name": _role,
    "roles.delete.name": _role,
    "roles/role": _role,
    "session": _session,
    "subscription": _subscription,
    "subscriptions.set_trial_end.subscription": _trial,
    "subscriptions.undo_change.subscription": _changing_subscription,
    "tenant": _tenant,
    "tenants.delete.confirm": _tenant,
    "tokens.revoke.token": _short_lived,
    "user": _member,
    "verify/token": _verification,
}

NO_ID: dict[str, Any] = {
    "audit.list.name": "tenant.created",
    "audit.name": "tenant.created",
    "challenge": "0" * 32,
    "coupons/coupon": "spring",
    "currency": "BRL",
    "current": cast.PASSWORD,
    "events.id_": "request-1",
    "events.list.id": "request-1",
    "events.list.type": "http.request",
    "events.live.id": "request-1",
    "events.live.type": "http.request",
    "events.outcome": "",
    "events.record.data": {"bytes": 512},
    "events.type_": "http.request",
    "feature": "",
    "invoices.create.items": [{"name": "Training", "price": "100"}],
    "ledger.balances.through": "2026-11-22",
    "ledger.through": "2026-11-22",
    "ledger.export_balances.through": "2026-11-22",
    "limits.address": "203.0.113.9",
    "limits.cost": "1",
    "limits.route": "GET /",
    "meter": "requests",
    "meters.add.event_type": "stored",
    "meters.add.name": "gb",
    "meters.add.unit": "GB",
    "meters.change.event_type": "http.request",
    "meters.change.name": "requests",
    "meters.change.unit": "count",
    "month": "2026-11",
    "plan": "free",
    "overrides/override": "feature:sso",
    "overrides.set.kind": "feature",
    "overrides.set.name": "sso",
    "overrides.set.value": True,
    "plans.apply.meters": msgspec.to_builtins(catalogue().meters),
    "plans.apply.plans": msgspec.to_builtins(catalogue().plans),
    "needed": "",
    "subscriptions.set_trial_end.at": clock.now_ms() + clock.DAY_MS,
    "next": "/console",
    "operator.create.token": "0" * 32,
    "shown": "dead",
    "setup/token": "0" * 32,
    "tenants.oidc.set.client_secret": "of the wall",
    "usage.day": "2026-11-22",
    "usage.group": "",
    "usage.read.from": "2026-11-22",
    "usage.read.to": "2026-11-22",
    "usage.read.zone": "UTC",
    "users.list.role": "support",
    "users.role": "support",
}
"""Text that names nothing of a tenant, where neither its choices nor its examples say what is meant."""

ENDING: dict[str, dict[str, str]] = {"events.live": {"seconds": "0"}, "usage.tail": {"--seconds": "0"}}
"""By operation or command: what is asked for so that its answer ends."""

WITHOUT_OWNER = frozenset(
    {
        "invoices.prove_withheld",
        "operator.create",
        "setup",
        "auth.passkey",
        "auth.second_factor",
        "auth.step_up",
        "overrides.remove",
        "passkeys.create",
        "passkeys.remove",
        "second_factor",
        "sso.callback",
        "subscriptions.add_item",
        "subscriptions.attach_coupon",
        "subscriptions.detach_coupon",
        "totp.confirm",
        "totp.remove",
    }
)
"""Operations that no single request here can do: the setup link is over as soon as there is an operator, and the others
need something of a device or a provider first. tests/web/test_openapi.py does them.
"""

OF_SOMEBODY_ELSE = {
    "invitation": "mallory",
    "invitations.accept": "mallory",
    "passkeys.rename": "member of Acme",
    "users.stop_impersonating": "support as a member of Acme",
}
"""Operations that neither an owner nor an operator does, but somebody else who is signed in."""

CONSOLE_FORMS: dict[str, dict[str, str]] = {
    "meters.add": {"aggregation": "count", "group_by": "", "places": "0"},
    "meters.change": {"aggregation": "count", "group_by": "", "places": "0"},
    "overrides.set": {"period": "month"},
    "subscriptions.set_trial_end": {"when": "now"},
    "tenants.set_clock": {"by": "real"},
    "plans.apply": {
        "id": "basic",
        "name": "Basic",
        "days_accepted": "35",
        "when_exceeded": "keep",
        "quotas": "requests 5 month",
        "rates": "",
        "features": "sso = true",
    },
    "api_keys.create": {"role": "viewer"},
    "invitations.create": {"role": "viewer"},
    "roles.change": {"permission:usage:read": "on"},
    "roles.create": {"permission:usage:read": "on"},
    "tenants.create": {
        "plan": "free",
        "zone": "UTC",
        "currency": "BRL",
        "language": "en",
        "mode": "live",
    },
    "tenants.set_zone": {"zone": "UTC"},
    "tenants.set_origins": {"origins": "https://app.example.com"},
    "tenants.oidc.set": {
        "domains": "example.com",
        "email_claim": "email",
        "groups_claim": "groups",
        "name_claim": "name",
        "roles": "engineering = admin",
        "scopes": "openid email profile",
    },
    "users.impersonate": {"minutes": "30"},
}
"""By operation: what a form of the console sends that the API's route of this name does not."""

COMMAND_WORDS = {
    "amount": "5",
    "anchor": "2026-01-31",
    "at": "now",
    "client_id": "veloflux",
    "cost": "1",
    "coupon": "spring",
    "currency": "BRL",
    "document": "DARF",
    "domain": "example.com",
    "email": "new@example.com",
    "file": "/dev/null",
    "issuer": "https://login.example.com",
    "item": "100=Training",
    "meter": "requests",
    "mode": "real",
    "name": "night_watch",
    "override": "feature:sso",
    "paid_on": "2026-11-20",
    "permission": "usage:read",
    "plan": "free",
    "reason": "Emitida em duplicidade",
    "role": "viewer",
    "value": "true",
    "values": "city=Recife",
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
