import asyncio

import pytest

from tests import cast
from veloflux import identity, tenants
from veloflux.context import PLATFORM, Context
from veloflux.db import keys, streams
from veloflux.errors import AlreadyMember, CredentialsWrong, InputInvalid, LinkExpired
from veloflux.identity import User


async def link_token(ctx: Context) -> str:
    link = await tenants.new_setup_link(ctx)
    assert link
    assert link.startswith(f"{ctx.settings.console_url}/console/setup/")
    return link.rpartition("/")[2]


async def become(ctx: Context, token: str | None, name: str = "olivia", password: str = cast.PASSWORD) -> User:
    return await tenants.create_operator(
        cast.fresh(ctx), token, name=name.title(), email=cast.email(name), password=password
    )


async def test_the_link_makes_the_operator_once_and_then_there_is_none(ctx: Context) -> None:
    token = await link_token(ctx)
    assert await tenants.is_setup_token(ctx, token)
    olivia = await become(ctx, token)
    signed_in = await identity.log_in(cast.fresh(ctx), cast.email("olivia"), cast.PASSWORD)
    assert await tenants.platform_role(cast.acting(ctx, signed_in)) == "operator"
    assert await tenants.new_setup_link(ctx) is None
    assert await ctx.db.call("EXISTS", keys.setup(PLATFORM)) == 0
    assert not await tenants.is_setup_token(ctx, token)
    with pytest.raises(LinkExpired):
        await become(ctx, token, "omar")
    trail = await streams.after(ctx.db, PLATFORM, "", 10)
    assert [(event.name, event.actor) for event in trail[1:]] == [
        ("member.joined", olivia.id),
        ("operator.created", olivia.id),
    ]


async def test_used_by_many_at_the_same_time_the_link_makes_one_operator(ctx: Context) -> None:
    token = await link_token(ctx)
    names = ["olivia", "omar", "ortrud", "oskar"]
    ended = await asyncio.gather(*(become(ctx, token, name) for name in names), return_exceptions=True)
    [operator] = [one for one in ended if isinstance(one, User)]
    assert [type(one) for one in ended if one is not operator] == [LinkExpired] * 3
    assert await ctx.db.call("ZRANGE", keys.members(PLATFORM), 0, -1) == [operator.id]


async def test_a_new_link_voids_the_older_one(ctx: Context) -> None:
    old, new = await link_token(ctx), await link_token(ctx)
    with pytest.raises(LinkExpired):
        await become(ctx, old)
    assert await identity.find_by_email(ctx, identity.parse_email(cast.email("olivia"))) is None
    assert await become(ctx, new)


async def test_a_link_lives_an_hour_and_only_its_digest_is_kept(ctx: Context) -> None:
    token = await link_token(ctx)
    assert 3_590_000 < await ctx.db.call("PTTL", keys.setup(PLATFORM)) <= 3_600_000
    assert token not in await ctx.db.call("GET", keys.setup(PLATFORM))
    await ctx.db.call("DEL", keys.setup(PLATFORM))
    with pytest.raises(LinkExpired):
        await become(ctx, token)


async def test_after_a_crash_between_registration_and_membership_the_same_link_works_again(ctx: Context) -> None:
    token = await link_token(ctx)
    user = await identity.register(cast.fresh(ctx), name="Olivia", email=cast.email("olivia"), password=cast.PASSWORD)
    with pytest.raises(CredentialsWrong):
        await become(ctx, token, password="another password")
    assert (await become(ctx, token)).id == user.id
    assert await ctx.db.call("ZRANGE", keys.members(PLATFORM), 0, -1) == [user.id]


async def test_from_the_terminal_no_link_is_needed_and_a_link_is_void_afterwards(ctx: Context) -> None:
    token = await link_token(ctx)
    await become(ctx, None)
    with pytest.raises(LinkExpired):
        await become(ctx, token, "omar")
    await become(ctx, None, "omar")
    with pytest.raises(AlreadyMember):
        await become(ctx, None, "omar")
    assert await ctx.db.call("HGET", keys.tenant(PLATFORM), "owners") == "2"


@pytest.mark.parametrize("token", ["", "a" * 32, "a" * 31, "x" * 9_000, "\ud800" * 32])
async def test_a_token_of_no_link_registers_nobody(one_ctx: Context, token: str) -> None:
    await tenants.new_setup_link(one_ctx)
    with pytest.raises(LinkExpired):
        await become(one_ctx, token)
    assert await identity.find_by_email(one_ctx, identity.parse_email(cast.email("olivia"))) is None


async def test_a_password_that_is_refused_leaves_the_link_usable(ctx: Context) -> None:
    token = await link_token(ctx)
    with pytest.raises(InputInvalid):
        await become(ctx, token, password="short")
    assert await become(ctx, token)
