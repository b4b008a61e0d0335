"""Whose account is it whom a tenant's provider knows? The e-mail address says, not the provider.

first sign-in ──link opened within an hour──> no account yet: it is made    ──> linked
   ├────────────────────────────────────────> an account: its owner, signed in, confirms ──> linked
   └──an hour──> forgotten
A provider can claim any address, so nothing that it says opens an account or tells that there is one. The token
`<tenant>.<link>.<mac>` is derived, as that of an invitation; the link's id, from the identity and the address.
"""

import re
from pathlib import Path

import msgspec

from veloflux.context import Context, Secrets
from veloflux.db import keys
from veloflux.db.jobs import Job
from veloflux.errors import InputInvalid, LinkExpired, NameTaken, PermissionDenied
from veloflux.events import OidcLinked, OidcLinkRequested
from veloflux.identity import (
    NAME_MAX,
    EmailAddress,
    User,
    as_themselves,
    create,
    email_digest,
    find_by_email,
    parse_email,
    read_user,
)
from veloflux.kit import clock, crypto, ids
from veloflux.kit.text import one_line
from veloflux.notifications import compose, delete_message
from veloflux.tenants import store
from veloflux.tenants.model import Tenant
from veloflux.tenants.oidc_model import OidcIdentity, OidcLink
from veloflux.transaction import Transaction, decide

LIFE_MS = clock.HOUR_MS
SEND_OIDC_LINK = "send_oidc_link"
MAILS = Path(__file__).parent / "mails"
MAC_DIGITS = 40
TOKEN = re.compile(r"([0-9a-z]{1,26})\.([0-9a-z]{26})\.([0-9a-f]{40})")


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody, as the provider knows them."""

    identity: str
    email: EmailAddress
    name: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder of a link sees before it is confirmed."""

    tenant: Tenant
    email: str
    has_account: bool


async def request_link(ctx: Context, profile: Profile) -> None:
    """Have a link sent to the address; once within an hour for the same identity and address."""
    link = OidcLink(
        id=ids.derived("lnk", profile.identity, email_digest(ctx, profile.email)),
        identity=profile.identity,
        user=ids.new("usr"),
        email=profile.email.text,
        name=_name(profile),
        created_at=clock.now_ms(),
    )
    if await store.find_oidc_link(ctx.db, ctx.tenant, link.id):
        return
    tx = Transaction(ctx, ctx.tenant)
    tx.create(keys.oidc_link(ctx.tenant, link.id), link)
    tx.expire(keys.oidc_link(ctx.tenant, link.id), LIFE_MS)
    tx.enqueue(SEND_OIDC_LINK, {"link": link.id})
    tx.event(OidcLinkRequested(link=link.id))
    await tx.commit()


async def open_oidc_link(ctx: Context, token: str) -> Asked:
    """What a link leads to.

    :raises LinkExpired: it is none, was used, or an hour has passed.
    """
    tenant, link = await _pending(ctx, token)
    owner = await find_by_email(ctx, parse_email(link.email))
    return Asked(tenant=tenant, email=link.email, has_account=owner is not None and owner.id != link.user)


async def join_by_oidc_link(ctx: Context, token: str) -> Tenant:
    """Create the account of the address that a link was sent to, without a password, and link it.

    :raises NameTaken: the address has an account; its owner signs in and confirms. :raises LinkExpired: see `Asked`.
    """
    tenant, link = await _pending(ctx, token)
    address = parse_email(link.email)
    user = await find_by_email(ctx, address)
    if user is None:
        user = User(
            id=link.user,
            name=link.name,
            email=address.text,
            email_digest=email_digest(ctx, address),
            password_hash="",
            language=tenant.language,
            created_at=clock.now_ms(),
        )
        await create(ctx, user)
    elif user.id != link.user:  # else: it was made by this link, and the link not yet used up
        raise NameTaken("There is an account with this e-mail address already; sign in with it", field="email")
    account = user
    await decide(lambda: _link(as_themselves(ctx, account), token, account.id))
    return tenant


async def confirm_oidc_link(ctx: Context, token: str) -> Tenant:
    """Link the signed-in person, whose address it was sent to.

    :raises PermissionDenied: it was sent to another address. :raises LinkExpired: see `open_oidc_link`.
    """
    tenant, link = await _pending(ctx, token)
    user = await read_user(ctx.db, ctx.actor.person)
    if ctx.actor.via or not crypto.equal(user.email_digest, email_digest(ctx, parse_email(link.email))):
        raise PermissionDenied("This link is for the account of another e-mail address; sign in with that one")
    await decide(lambda: _link(ctx, token, user.id))
    return tenant


async def send_oidc_link(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Write to the address; not any more if the link was used meanwhile, or is over."""
    tenant = await store.find_tenant(ctx.db, job.owner)
    link = await store.find_oidc_link(ctx.db, job.owner, job.payload["link"])
    if tenant is None or link is None:
        return
    message = compose(
        ctx.settings,
        job.id,
        to=link.email,
        template=MAILS / f"oidc_link.{tenant.language}.txt",
        tenant=tenant.name,
        link=f"{ctx.settings.console_url}/console/sso/link/{token_of(ctx.parts.secrets, tenant.id, link.id)}",
    )
    await ctx.parts.mailer.send(job.id, message)
    if await store.find_oidc_link(ctx.db, job.owner, link.id) is None:  # forgotten meanwhile, as its person was erased
        await delete_message(ctx, job.id)


def token_of(secrets: Secrets, tenant: str, link: str) -> str:
    """The token of a link; always the same."""
    return f"{ids.bare(tenant)}.{ids.bare(link)}.{_mac(secrets, tenant, link)}"


def _name(profile: Profile) -> str:
    """The name that the provider gives, or the first part of the address where it gives none that can be shown."""
    try:
        return one_line(profile.name, "A name", NAME_MAX)
    except InputInvalid:
        return profile.email.text.partition("@")[0]


async def _pending(ctx: Context, token: str) -> tuple[Tenant, OidcLink]:
    parsed = TOKEN.fullmatch(token)
    if parsed is None:
        raise _over()
    tenant_id, id_ = f"ten_{parsed[1]}", f"lnk_{parsed[2]}"
    if not crypto.equal(_mac(ctx.parts.secrets, tenant_id, id_), parsed[3]):
        raise _over()
    tenant = await store.find_tenant(ctx.db, tenant_id)
    link = await store.find_oidc_link(ctx.db, tenant_id, id_)
    if tenant is None or tenant.status != "active" or link is None:
        raise _over()
    return tenant, link


async def _link(ctx: Context, token: str, user: str) -> None:
    tenant, link = await _pending(ctx, token)
    before = await store.find_oidc_identity(ctx.db, tenant.id, link.identity)
    identity = OidcIdentity(id=link.identity, user=user, linked_at=clock.now_ms())
    key = keys.oidc_identity(tenant.id, identity.id)
    tx = Transaction(ctx, tenant.id)
    if before:  # of an account that is gone
        tx.change(key, before, msgspec.structs.replace(before, user=user, linked_at=identity.linked_at))
    else:
        tx.create(key, identity)
        tx.rank(keys.oidc_identities(tenant.id), identity.id, identity.linked_at)
    tx.expect(keys.oidc_link(tenant.id, link.id), "version", str(link.version))
    tx.delete(keys.oidc_link(tenant.id, link.id))
    tx.event(OidcLinked(identity=identity.id, user=user))
    await tx.commit()


def _mac(secrets: Secrets, tenant: str, link: str) -> str:
    return crypto.derive(secrets.of("oidc", "link"), tenant, link).hex()[:MAC_DIGITS]


def _over() -> LinkExpired:
    return LinkExpired("This link is not valid (any more); sign in by your company again")
