"""Signing in by a tenant's own provider. Why it opens that tenant alone: docs/adr/0017.

asked ──> at the provider ──> back with a code ──> ID token checked, address and role allowed
  ├── linked before ──> member with that role, session of half a day for this tenant
  └── first time ─────> the address gets a link (oidc_links.py); whether it has an account, nobody learns
"""

import contextlib
from typing import Any

from veloflux.context import PLATFORM, Context
from veloflux.errors import InputInvalid, LastOwner, NotFound, SignInRefused, Unavailable
from veloflux.events import MemberRoleMapped
from veloflux.identity import SignedIn, User, as_themselves, find_users, oidc, parse_email, start_via
from veloflux.identity.oidc.flow import LIFE_MS, nonce_of
from veloflux.kit import ids
from veloflux.tenants import oidc_links, store
from veloflux.tenants.find import scope_of
from veloflux.tenants.members import give_role, join
from veloflux.tenants.model import Member, Tenant
from veloflux.tenants.oidc_connection import client_of
from veloflux.tenants.oidc_links import Profile
from veloflux.tenants.oidc_model import OidcConnection, SignInAnswer
from veloflux.tenants.slug import SLUG
from veloflux.transaction import Transaction, decide


async def begin_sso(ctx: Context, slug: str) -> oidc.Started:
    """Where to send a browser that wants to sign in by a tenant's provider.

    :raises NotFound: no such tenant, or none that can be signed in to so. :raises ProviderUnusable: it is away.
    """
    tenant = await store.find_by_slug(ctx.db, slug) if SLUG.fullmatch(slug) else None
    connection = _open(tenant, await store.find_oidc(ctx.db, tenant.id if tenant else None))
    provider = await oidc.discover(ctx.settings, connection.issuer)
    assert tenant
    return oidc.begin(ctx.parts.secrets, provider, client_of(ctx, tenant.id, connection), connection.scopes)


async def finish_sso(
    ctx: Context, tenant_id: str, answer: SignInAnswer, browser: str
) -> tuple[Tenant, SignedIn | None]:
    """Let in whom the provider sent back. None: the first time, and a link was sent to their address.

    :param browser: the secret that `begin_sso` gave.
    :raises SignInRefused: with why. :raises NotFound: no such tenant. :raises ProviderUnusable: the provider's fault.
    """
    tenant = await store.find_tenant(ctx.db, tenant_id) if ids.is_id(tenant_id, "ten") else None
    connection = _open(tenant, await store.find_oidc(ctx.db, tenant.id if tenant else None))
    assert tenant
    ctx = ctx.within(scope_of(tenant))
    claims = await _claims(ctx, connection, answer, browser)
    profile, role = profile_of(connection, claims), role_of(connection, claims)
    linked = await store.find_oidc_identity(ctx.db, tenant.id, profile.identity)
    user = (await find_users(ctx.db, [linked.user])).get(linked.user) if linked else None
    if user is None or user.status == "erased":
        await oidc_links.request_link(ctx, profile)
        return tenant, None
    if user.status != "active":
        raise SignInRefused("This account cannot be used; ask whoever runs this installation")
    await admit(ctx, user, role)
    return tenant, await start_via(ctx, user, tenant.id)


async def admit(ctx: Context, user: User, role: str) -> None:
    """Make a person a member with a role, or give the member this role; the last owner stays owner."""
    ctx = as_themselves(ctx, user)
    await decide(lambda: _admit(ctx, user.id, role))
    with contextlib.suppress(Unavailable):  # the worker does it again
        await store.project_membership(ctx.db, ctx.tenant, user.id)


def profile_of(connection: OidcConnection, claims: oidc.Claims) -> Profile:
    """Whom the claims are about.

    :raises SignInRefused: without a verified address of an allowed domain.
    """
    email = claims.get(connection.email_claim)
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise SignInRefused("The provider does not vouch for your e-mail address; ask your company to have it verified")
    try:
        address = parse_email(email)
    except InputInvalid:
        raise SignInRefused("The provider gives no e-mail address that can be used") from None
    if address.same.rpartition("@")[2] not in connection.domains:
        raise SignInRefused("Addresses of this domain may not sign in here; ask your company which one may")
    name = claims.get(connection.name_claim)
    identity = ids.derived("idn", connection.issuer, claims["sub"])
    return Profile(identity=identity, email=address, name=name if isinstance(name, str) else "")


def role_of(connection: OidcConnection, claims: oidc.Claims) -> str:
    """The role of the first mapped group that somebody is in, in the order of the mapping.

    :raises SignInRefused: of none, and there is no role for everybody else.
    """
    said: Any = claims.get(connection.groups_claim)
    groups = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    role = next((role for group, role in connection.roles.items() if group in groups), connection.default_role)
    if not role:
        raise SignInRefused("None of your groups may sign in here; ask your company for access")
    return role


def _open(tenant: Tenant | None, connection: OidcConnection | None) -> OidcConnection:
    is_open = tenant and tenant.id != PLATFORM and tenant.status == "active" and connection and connection.enabled
    if not connection or not is_open:
        raise NotFound("There is no company sign-in of this name; ask your company for it, or use your password")
    return connection


async def _claims(ctx: Context, connection: OidcConnection, answer: SignInAnswer, browser: str) -> oidc.Claims:
    secrets, client = ctx.parts.secrets, client_of(ctx, ctx.tenant, connection)
    used = oidc.take_state(secrets, client, answer.state, browser)
    if not await store.mark_oidc_state(ctx.db, ctx.tenant, used, LIFE_MS):
        raise SignInRefused("This sign-in was finished before. Begin again")
    if answer.error == "access_denied":
        raise SignInRefused("You or your company declined this sign-in. Begin again, or use your password")
    if answer.error:
        raise SignInRefused("Your company's provider could not sign you in. Begin again; if it stays so, tell them")
    provider = await oidc.discover(ctx.settings, connection.issuer)
    if answer.iss != provider.issuer and (answer.iss or provider.authorization_response_iss_parameter_supported):
        raise SignInRefused("This answer came from another provider. Begin again")
    token = await oidc.redeem(ctx.parts, provider, client, code=answer.code, state=answer.state)
    return await oidc.verified(ctx.settings, provider, client.id, nonce_of(secrets, answer.state), token)


async def _admit(ctx: Context, user: str, role: str) -> None:
    member = await store.find_member(ctx.db, ctx.tenant, user)
    tx = Transaction(ctx, ctx.tenant)
    if member is None:
        join(tx, user, role)
    elif member.role == role or not await _give(ctx, tx, member, role):
        return
    await tx.commit()


async def _give(ctx: Context, tx: Transaction, member: Member, role: str) -> bool:
    """Change a member's role; False: it is the last owner's, who stays."""
    tenant = await store.find_tenant(ctx.db, ctx.tenant)
    assert tenant
    try:
        give_role(tx, tenant, member, role)
    except LastOwner:
        return False
    tx.event(MemberRoleMapped(user=member.id, role=role))
    return True
