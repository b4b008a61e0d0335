"""Whom tests are about: at Acme alice is the owner and bob a member; at Globex carol is the owner; a stranger is signed
up and belongs nowhere."""

import asyncio
from typing import NamedTuple

import msgspec

from veloflux import identity, tenants
from veloflux.context import Context
from veloflux.identity import SignedIn, User, passwords, sessions, store
from veloflux.kit import clock, ids
from veloflux.tenants import Tenant, invitations

PASSWORD = "correct horse battery staple"
_hashes: list[str] = []
"""PASSWORD's, made once: a hash is slow by intent, and most tests are not about it."""


class Cast(NamedTuple):
    alice: Context
    bob: Context
    carol: Context
    stranger: Context
    acme: Tenant
    globex: Tenant


async def assemble(ctx: Context) -> Cast:
    """Everybody signed up and signed in, in contexts without a tenant."""
    alice, bob, carol, stranger = await asyncio.gather(
        *(person(ctx, name) for name in ("alice", "bob", "carol", "mallory"))
    )
    acme, globex = await asyncio.gather(tenants.create_tenant(alice, "Acme"), tenants.create_tenant(carol, "Globex"))
    await join(await within(alice, acme), bob, "member")
    return Cast(alice, bob, carol, stranger, acme, globex)


async def person(ctx: Context, name: str) -> Context:
    """Somebody new, signed in."""
    await account(ctx, name)
    return acting(ctx, await sign_in(ctx, name))


async def operator(ctx: Context, name: str = "olivia") -> Context:
    """An operator, signed in."""
    await tenants.create_operator(ctx, None, name=name.title(), email=email(name), password=PASSWORD)
    return acting(ctx, await sign_in(ctx, name))


async def account(ctx: Context, name: str) -> User:
    """Somebody new, as `identity.register` makes them."""
    if not _hashes:
        _hashes.append(await passwords.hashed(ctx.settings, PASSWORD))
    user = User(
        id=ids.new("usr"),
        name=name.title(),
        email=email(name),
        email_digest=store.email_digest(ctx, identity.parse_email(email(name))),
        password_hash=_hashes[0],
        created_at=clock.now_ms(),
    )
    await identity.create(fresh(ctx), user)
    return user


async def sign_in(ctx: Context, name: str) -> SignedIn:
    """A session as `identity.log_in` starts it for whoever gives the right password."""
    user = await store.find_by_email(ctx, identity.parse_email(email(name)))
    assert user
    return await sessions.open_session(sessions.acting_as(fresh(ctx), user), user, ("password",))


async def within(ctx: Context, tenant: Tenant, permission: str = "tenant:read") -> Context:
    """Somebody's context in a tenant, with what their role there allows."""
    return await tenants.authorise(ctx, tenant.id, permission)


async def join(inviting: Context, invited: Context, role: str) -> None:
    """Invite somebody into the tenant of a context, and let them accept."""
    someone = await identity.read_user(invited.db, invited.actor.person)
    invitation = await tenants.invite(inviting, someone.email, role)
    await tenants.accept_invitation(invited, token(inviting, invitation.id))


def token(ctx: Context, invitation: str) -> str:
    """What stands in the link of an invitation."""
    return invitations.token_of(ctx.parts.secrets, ctx.tenant, invitation)


def email(name: str) -> str:
    return f"{name}@example.com"


def fresh(ctx: Context) -> Context:
    """Nobody's request."""
    return Context(parts=ctx.parts, request=ids.new("req"))


def acting(ctx: Context, signed_in: SignedIn) -> Context:
    return fresh(ctx).acting(signed_in.person.actor("203.0.113.7"))


def bearer(signed_in: SignedIn) -> str:
    return msgspec.json.encode(signed_in.token).decode()
