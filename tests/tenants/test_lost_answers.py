"""What people do while Redis' connections break every few milliseconds: answers get lost, and people try again."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests import cast
from veloflux import identity, tenants
from veloflux.context import Context
from veloflux.db import client, keys, names, streams
from veloflux.errors import AlreadyDone, AlreadyMember, Conflict, CredentialsWrong, NameTaken, Unavailable

PEOPLE = [f"p{number}" for number in range(8)]


@asynccontextmanager
async def breaking_connections(ctx: Context) -> AsyncIterator[list[int]]:
    """While the body runs, every connection to every master ends again and again; gives how many ended. After it, those
    that ended last have been opened again."""
    ended: list[int] = []
    over = asyncio.Event()
    other = await client.connect(ctx.db.url)

    async def disturb() -> None:
        while not over.is_set():
            ended.extend(await other.every_master("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
            await asyncio.sleep(0.01)

    task = asyncio.create_task(disturb())
    try:
        yield ended
    finally:
        over.set()
        await task
        await other.close()
        await insist(lambda: ctx.db.every_master("PING"))


async def insist(act: Callable[[], Awaitable[object]], *done: type[Conflict]) -> None:
    """Try again as long as Redis is away; an error that says that it was done before is as good."""
    async with asyncio.timeout(60):
        while True:
            try:
                await act()
                return
            except Unavailable:
                await asyncio.sleep(0.01)
            except done:
                return


async def test_every_invitation_makes_one_member_and_one_event(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    people = await asyncio.gather(*(cast.person(ctx, name) for name in PEOPLE))
    tokens = [cast.token(alice, (await tenants.invite(alice, cast.email(name), "owner")).id) for name in PEOPLE]
    async with breaking_connections(ctx) as ended:
        await asyncio.gather(
            *(
                insist(lambda who=who, token=token: tenants.accept_invitation(who, token), AlreadyDone, AlreadyMember)
                for who, token in zip(people, tokens, strict=True)
            )
        )
    assert sum(ended) > 0
    joined = Counter(
        event.data["user"]
        for event in await streams.after(ctx.db, scene.acme.id, "", 1_000)
        if event.name == "member.joined"
    )
    assert all(joined[who.actor.person] == 1 for who in people)
    assert await ctx.db.call("HGET", keys.tenant(scene.acme.id), "owners") == str(len(people) + 1)


async def test_every_address_gets_one_account_and_none_is_stranded(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "PENDING_MS", 100)

    async def sign_up(name: str) -> None:
        with contextlib.suppress(NameTaken):
            await identity.register(cast.fresh(ctx), name=name, email=cast.email(name), password=cast.PASSWORD)
        try:
            await identity.log_in(cast.fresh(ctx), cast.email(name), cast.PASSWORD)
        except CredentialsWrong:  # the address is held by an attempt of which nothing is known yet; nobody guesses on
            await asyncio.sleep(names.PENDING_MS / 1000)
            raise Unavailable from None

    async with breaking_connections(ctx) as ended:
        await asyncio.gather(*(insist(lambda name=name: sign_up(name)) for name in PEOPLE))
    assert sum(ended) > 0
    for name in PEOPLE:
        user = await identity.find_by_email(ctx, identity.parse_email(cast.email(name)))
        assert user
        registered = [one.name for one in await streams.after(ctx.db, user.id, "", 100)]
        assert registered.count("user.registered") == 1
