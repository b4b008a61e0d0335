"""What a thousand users, sessions, tenants, members and API keys take of Redis, with all that a use case writes.

That is the documents, their indexes and names, the trail, and for a day what makes a commit repeatable.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from bench.report import Row
from bench.stage import stage, used_memory
from veloflux import identity, tenants
from veloflux.context import Actor, Context
from veloflux.tenants import invitations

NUMBER = 1_000
AT_ONCE = 16
Given = TypeVar("Given")
Made = TypeVar("Made")
PASSWORD = "correct horse battery staple"


async def measure() -> list[Row]:
    async with stage() as target:
        ctx, nobody = target.ctx, Context(parts=target.ctx.parts)
        people = [f"p{at}@example.com" for at in range(NUMBER)]
        taken = Taken(ctx)
        users = await taken.by("user", people, lambda email: _register(nobody, email))
        sessions = await taken.by("session", people, lambda email: identity.log_in(nobody, email, PASSWORD))
        made = await taken.by("tenant", people, lambda email: tenants.create_tenant(ctx, f"Tenant of {email}"))
        rooms = [ctx.within(tenants.scope_of(tenant), tenants.EVERYTHING) for tenant in made]
        asked = list(zip(rooms, people, strict=True))
        invited = await taken.by("invitation", asked, lambda one: tenants.invite(one[0], one[1], "member"))
        accepting = list(zip(rooms, sessions, invited, strict=True))
        await taken.by("member", accepting, lambda one: _accept(*one))
        await taken.by("API key", users, lambda user: tenants.create_api_key(ctx, f"of {user.id}"))
        return taken.rows


class Taken:
    """A row for each kind of thing: how much larger Redis is after a thousand of them."""

    def __init__(self, ctx: Context) -> None:
        self.rows: list[Row] = []
        self._ctx = ctx

    async def by(self, what: str, given: Sequence[Given], make: Callable[[Given], Awaitable[Made]]) -> list[Made]:
        before = await used_memory(self._ctx)
        made: list[Made] = []
        for at in range(0, len(given), AT_ONCE):
            made += await asyncio.gather(*(make(one) for one in given[at : at + AT_ONCE]))
        kib = (await used_memory(self._ctx) - before) / 1024 * 1000 / len(given)
        self.rows.append(Row(what=f"memory of a thousand of: {what}", script="memory.py", figure=kib, unit="KiB"))
        return made


async def _register(ctx: Context, email: str) -> identity.User:
    return await identity.register(ctx, name="Ana Souza", email=email, password=PASSWORD)


async def _accept(ctx: Context, signed_in: identity.SignedIn, invitation: tenants.Invitation) -> tenants.Tenant:
    person: Actor = signed_in.person.actor("203.0.113.7")
    token = invitations.token_of(ctx.parts.secrets, ctx.tenant, invitation.id)
    return await tenants.accept_invitation(msgspec.structs.replace(ctx, actor=person, scope=None), token)
