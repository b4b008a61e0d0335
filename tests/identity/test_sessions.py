import asyncio

import msgspec
import pytest

from tests.cast import PASSWORD, acting, email, fresh, person
from tests.whole_database import keys_holding
from veloflux import identity
from veloflux.context import Context, Parts
from veloflux.db import keys, streams
from veloflux.errors import AccountDisabled, CredentialsWrong, NotAuthenticated, NotFound
from veloflux.identity import SignedIn, passwords
from veloflux.kit import clock

HOSTILE = [
    "",
    ".",
    "a.b",
    "vf_live_0_x",
    "0" * 26 + "." + "a" * 32,
    "x" * 10_000,
    "a}:b{." + "a" * 32,
    "usr_1." + "a" * 32,
]
HOSTILE += ["\u0661" * 26 + "." + "a" * 32, "a" * 26 + "." + "a" * 32 + "\n", "\ud800." + "a" * 32]


@pytest.fixture
async def ana(ctx: Context) -> Context:
    return await person(ctx, "ana")


async def log_in(ctx: Context, name: str = "ana") -> SignedIn:
    return await identity.log_in(fresh(ctx), email(name), PASSWORD)


async def test_a_token_is_the_person_who_logged_in(ctx: Context, ana: Context) -> None:
    signed_in = await log_in(ctx)
    known = await identity.authenticate(ctx.parts, signed_in.token)
    assert known.person == signed_in.person
    assert (known.id, known.name, known.email, known.language) == (ana.actor.person, "Ana", email("ana"), "en")
    actor = known.actor("203.0.113.7")
    assert (actor.id, actor.person, actor.session) == (known.id, known.id, known.session)


async def test_authentication_is_one_round_trip(ctx: Context, ana: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in, calls = await log_in(ctx), []
    await identity.authenticate(ctx.parts, signed_in.token)
    call = ctx.db._nodes.call
    monkeypatch.setattr(ctx.db._nodes, "call", lambda *args: (calls.append(args), call(*args))[1])
    await identity.authenticate(ctx.parts, signed_in.token)
    assert len(calls) == 1


@pytest.mark.parametrize("token", HOSTILE)
async def test_a_token_of_another_form_is_nobodys(one_parts: Parts, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        await identity.authenticate(one_parts, token)


async def test_a_token_with_another_secret_or_another_person_is_nobodys(ctx: Context, ana: Context) -> None:
    bia = await person(ctx, "bia")
    user, _, secret = (await log_in(ctx)).token.partition(".")
    for token in (f"{user}.{secret[:-1]}{'a' if secret[-1] != 'a' else 'b'}", f"{bia.actor.person[4:]}.{secret}"):
        with pytest.raises(NotAuthenticated):
            await identity.authenticate(ctx.parts, token)


async def test_wrong_password_and_unknown_address_are_answered_alike_and_both_hash(
    ctx: Context, ana: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, sentences, verify = [], [], passwords._hasher.verify
    hasher = type("Spy", (), {"verify": lambda _, stored, given: (compared.append(stored), verify(stored, given))[1]})()
    monkeypatch.setattr(passwords, "_hasher", hasher)
    for address in (email("ana"), email("nobody")):
        with pytest.raises(CredentialsWrong) as refused:
            await identity.log_in(fresh(ctx), address, "another password")
        sentences.append(str(refused.value))
    assert sentences[0] == sentences[1]
    assert [stored == passwords.NOBODYS for stored in compared] == [False, True]


async def test_a_disabled_person_can_neither_log_in_nor_use_a_session(ctx: Context, ana: Context) -> None:
    signed_in = await log_in(ctx)
    await ctx.db.call("HSET", keys.user(ana.actor.person), "status", "disabled")
    with pytest.raises(NotAuthenticated):
        await identity.authenticate(ctx.parts, signed_in.token)
    with pytest.raises(AccountDisabled):
        await log_in(ctx)
    with pytest.raises(CredentialsWrong):  # who does not know the password does not hear of it
        await identity.log_in(ctx, "ana@example.com", "not the password")


async def test_another_epoch_ends_every_session_at_once(ctx: Context, ana: Context) -> None:
    tokens = [(await log_in(ctx)).token for _ in range(3)]
    await ctx.db.call("HINCRBY", keys.user(ana.actor.person), "epoch", 1)
    for token in tokens:
        with pytest.raises(NotAuthenticated):
            await identity.authenticate(ctx.parts, token)
    assert await identity.authenticate(ctx.parts, (await log_in(ctx)).token)


async def test_logging_out_ends_this_session_and_no_other(ctx: Context, ana: Context) -> None:
    first, second = await log_in(ctx), await log_in(ctx)
    await identity.log_out(acting(ctx, first))
    await identity.log_out(acting(ctx, first))
    with pytest.raises(NotAuthenticated):
        await identity.authenticate(ctx.parts, first.token)
    assert (await identity.authenticate(ctx.parts, second.token)).session == second.person.session
    assert first.person.session not in {session.id for session in await identity.list_sessions(acting(ctx, second))}


async def test_one_of_several_requests_that_end_a_session_ends_it(ctx: Context, ana: Context) -> None:
    session = (await log_in(ctx)).person.session
    ended = await asyncio.gather(*(identity.end_session(ana, session) for _ in range(5)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["NoneType"] + ["NotFound"] * 4
    names = [event.name for event in await streams.after(ctx.db, ana.actor.person, "", 100)]
    assert names.count("session.ended") == 1


async def test_nobody_ends_the_session_of_another_person(ctx: Context, ana: Context) -> None:
    bia, signed_in = await person(ctx, "bia"), await log_in(ctx)
    for session in (signed_in.person.session, "ses_0", "", "a}b"):
        with pytest.raises(NotFound):
            await identity.end_session(bia, session)
    assert await identity.authenticate(ctx.parts, signed_in.token)


async def test_a_session_ends_at_its_absolute_end_however_much_it_is_used(ctx: Context, ana: Context) -> None:
    signed_in = await log_in(ctx)
    key = keys.session(ana.actor.person, signed_in.person.session)
    await ctx.db.call("HSET", key, "ends_at", clock.now_ms() - 1)
    with pytest.raises(NotAuthenticated):
        await identity.authenticate(ctx.parts, signed_in.token)


async def test_use_renews_the_idle_time_at_most_once_a_minute_and_not_past_the_end(ctx: Context, ana: Context) -> None:
    signed_in = await log_in(ctx)
    key = keys.session(ana.actor.person, signed_in.person.session)
    await ctx.db.call("PEXPIRE", key, 1_000_000)
    await identity.authenticate(ctx.parts, signed_in.token)
    assert await ctx.db.call("PTTL", key) <= 1_000_000
    seen_at = clock.now_ms() - 61_000
    await ctx.db.call("HSET", key, "seen_at", seen_at)
    await identity.authenticate(ctx.parts, signed_in.token)
    assert await ctx.db.call("PTTL", key) > 13 * clock.DAY_MS
    assert int(await ctx.db.call("HGET", key, "seen_at")) > seen_at
    await ctx.db.call("HSET", key, "seen_at", seen_at, "ends_at", clock.now_ms() + 500_000)
    await identity.authenticate(ctx.parts, signed_in.token)
    assert await ctx.db.call("PTTL", key) <= 500_000


async def test_sessions_are_listed_newest_first_and_long_past_ones_are_forgotten(ctx: Context, ana: Context) -> None:
    await log_in(ctx)
    settings = msgspec.structs.replace(ctx.settings, session_absolute_s=60)
    brief = msgspec.structs.replace(ctx, parts=msgspec.structs.replace(ctx.parts, settings=settings))
    index = keys.sessions(ana.actor.person)
    [old, _] = await ctx.db.call("ZRANGE", index, 0, -1)
    await ctx.db.call("ZADD", index, clock.now_ms() - 61_000, old)
    latest = await log_in(brief)
    assert old not in await ctx.db.call("ZRANGE", index, 0, -1)
    assert (await identity.list_sessions(ana))[0].id == latest.person.session


async def test_neither_password_nor_token_is_kept_anywhere(ctx: Context, ana: Context) -> None:
    signed_in = await log_in(ctx)
    assert await keys_holding(ctx.db, PASSWORD) == set()
    assert await keys_holding(ctx.db, signed_in.token.partition(".")[2]) == set()
    assert await keys_holding(ctx.db, email("ana")) == {keys.user(ana.actor.person)}
    assert await keys_holding(ctx.db, signed_in.person.session) != set()
