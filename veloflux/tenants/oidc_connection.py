"""A tenant's connection to its sign-in provider: who it is, and which role follows from what it says.

Whoever sets it decides who gets which role, so that they must have themselves all that it gives; the secret is never
shown, and never sent to another provider than the one that it was given for.
"""

import re

import msgspec

from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid
from veloflux.events import OidcConnectionRemoved, OidcConnectionSet
from veloflux.identity import oidc, parse_email
from veloflux.kit import clock, crypto, ids
from veloflux.tenants import holders, store
from veloflux.tenants.oidc_model import OidcConnection, OidcReport, OidcTerms
from veloflux.tenants.permissions import require_grantable, require_role
from veloflux.transaction import Transaction, decide

TEXT_MAX = 200
MANY = 50
CLAIM = re.compile(r"[!-~]{1,200}")


async def show_oidc(ctx: Context) -> OidcConnection | None:
    """The tenant's connection."""
    return await store.find_oidc(ctx.db, ctx.tenant)


async def set_oidc(ctx: Context, terms: OidcTerms, client_secret: str = "") -> OidcConnection:
    """Make the connection, or put another one in its place; "" keeps the secret that it has.

    :raises InputInvalid: a value is not acceptable, or the secret is missing for another issuer or client.
    :raises PermissionDenied: it gives, or gave, a role that may more than the actor. :raises Conflict: the platform's.
    """
    if ctx.tenant == PLATFORM:
        raise Conflict("Operators sign in by their own means; the platform's tenant has no provider")
    checked = _checked(ctx, terms)
    if len(client_secret) > TEXT_MAX:
        raise InputInvalid(f"A client secret has at most {TEXT_MAX} characters", field="client_secret")
    return await decide(lambda: _set(ctx, checked, client_secret))


async def remove_oidc(ctx: Context) -> None:
    """End signing in by the provider; again changes nothing.

    :raises PermissionDenied: it gives a role that may more than the actor.
    """
    await decide(lambda: _remove(ctx))


async def try_oidc(ctx: Context) -> OidcReport:
    """Ask the provider what it says of itself, now.

    :raises Conflict: the tenant has no connection. :raises ProviderUnusable: with what is wrong.
    """
    connection = await show_oidc(ctx)
    if connection is None:
        raise Conflict("This tenant has no sign-in provider yet; set it first")
    oidc.forget()
    provider = await oidc.discover(ctx.settings, connection.issuer)
    found = await oidc.keys_of(ctx.settings, provider)
    return OidcReport(
        issuer=provider.issuer,
        authorization_endpoint=provider.authorization_endpoint,
        token_endpoint=provider.token_endpoint,
        keys=len(found.keys),
        redirect_uri=redirect_uri(ctx, ctx.tenant),
    )


def redirect_uri(ctx: Context, tenant: str) -> str:
    """Where the provider sends people back to: one address a tenant, so that no provider answers for another's."""
    return f"{ctx.settings.console_url}/console/sso/callback/{tenant}"


def client_of(ctx: Context, tenant: str, connection: OidcConnection) -> oidc.Client:
    """As whom the tenant asks its provider."""
    return oidc.Client(
        tenant=tenant,
        issuer=connection.issuer,
        id=connection.client_id,
        secret=crypto.unseal(_secret_key(ctx), connection.client_secret) or "",
        redirect_uri=redirect_uri(ctx, tenant),
    )


def _checked(ctx: Context, terms: OidcTerms) -> OidcTerms:
    oidc.check_url(ctx.settings, terms.issuer)
    if "?" in terms.issuer:
        raise InputInvalid("An issuer has no query", field="issuer")
    for field in ("client_id", "email_claim", "name_claim", "groups_claim"):
        if not CLAIM.fullmatch(getattr(terms, field)):
            raise InputInvalid("Give 1 to 200 printable ASCII characters without blanks", field=field)
    if "openid" not in terms.scopes or len(terms.scopes) > MANY or not all(map(CLAIM.fullmatch, terms.scopes)):
        raise InputInvalid("The scopes are words, and openid is one of them", field="scopes")
    if len(terms.roles) > MANY or not all(1 <= len(group) <= TEXT_MAX for group in terms.roles):
        raise InputInvalid(f"Map at most {MANY} groups, of at most {TEXT_MAX} characters each", field="roles")
    if not 1 <= len(terms.domains) <= MANY:
        raise InputInvalid(f"Name 1 to {MANY} domains of addresses that may sign in", field="domains")
    for field, role in [("roles", role) for role in terms.roles.values()] + [("default_role", terms.default_role)]:
        _check_role(ctx, field, role)
    return msgspec.structs.replace(terms, domains=tuple(_domain(text) for text in terms.domains))


def _check_role(ctx: Context, field: str, role: str) -> None:
    if field == "default_role" and not role:
        return
    try:
        require_role(ctx, role)
    except InputInvalid as error:
        raise InputInvalid(str(error), field=field) from None


def _domain(text: str) -> str:
    """A domain as addresses have it."""
    try:
        return parse_email(f"a@{text.strip()}").same.partition("@")[2]
    except InputInvalid:
        raise InputInvalid(f"{text[:60]!r} is not a domain such as example.com", field="domains") from None


async def _set(ctx: Context, terms: OidcTerms, client_secret: str) -> OidcConnection:
    old = await show_oidc(ctx)
    fields = msgspec.structs.asdict(terms)
    if old and not client_secret:
        if (old.issuer, old.client_id) != (terms.issuer, terms.client_id):
            raise InputInvalid("Another issuer or client needs its own secret", field="client_secret")
        sealed = old.client_secret
    else:
        sealed = crypto.seal(_secret_key(ctx), client_secret)
    new = OidcConnection(
        id=old.id if old else ids.new("idp"),
        client_secret=sealed,
        created_at=old.created_at if old else clock.now_ms(),
        **fields,
    )
    for role in sorted(new.granted | (old.granted if old else set())):
        require_grantable(ctx, role)
    tx = Transaction(ctx, ctx.tenant)
    holders.guard(ctx, tx)
    if old:
        new = tx.change(keys.oidc(ctx.tenant), old, msgspec.structs.replace(new, version=old.version))
    else:
        tx.create(keys.oidc(ctx.tenant), new)
    for role in sorted((old.granted if old else set()) - new.granted):
        holders.release(tx, role, new.id)
    for role in sorted(new.granted):
        holders.hold(tx, role, new.id)
    tx.event(OidcConnectionSet(connection=new.id))
    await tx.commit()
    return new


async def _remove(ctx: Context) -> None:
    old = await show_oidc(ctx)
    if old is None:
        return
    for role in sorted(old.granted):
        require_grantable(ctx, role)
    tx = Transaction(ctx, ctx.tenant)
    tx.remove(keys.oidc(ctx.tenant), old)
    for role in sorted(old.granted):
        holders.release(tx, role, old.id)
    tx.event(OidcConnectionRemoved(connection=old.id))
    await tx.commit()


def _secret_key(ctx: Context) -> bytes:
    return ctx.parts.secrets.of("oidc", "client-secret")
