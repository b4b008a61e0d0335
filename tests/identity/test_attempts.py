"""What is guessed is slowed down, and nobody else with it."""

import asyncio
from typing import Literal

import msgspec
import pytest

from tests import tape
from tests.cast import PASSWORD, email, fresh, person
from veloflux import identity, tenants
from veloflux.context import Actor, Context
from veloflux.db import keys
from veloflux.errors import CredentialsWrong, TooManyAttempts, VeloFluxError
from veloflux.identity import attempts, passwords

HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"


def at(ctx: Context, address: str) -> Context:
    return fresh(ctx).acting(Actor(id="anonymous", address=address))


async def guess(ctx: Context, address: str = HERE, name: str = "ana", password: str = "a wrong guess") -> VeloFluxError:
    with pytest.raises((CredentialsWrong, TooManyAttempts)) as refused:
        await identity.log_in(at(ctx, address), email(name), password)
    return refused.value  # type: ignore[no-any-return]


async def sign_in(ctx: Context, address: str = HERE, name: str = "ana") -> identity.SignedIn:
    return await identity.log_in(at(ctx, address), email(name), PASSWORD)


async def pass_waits(ctx: Context) -> None:
    """Let every wait be over; the counts stay."""
    for found in await ctx.db.every_master("KEYS", "*attempts*"):
        for key in found:
            await ctx.db.call("HDEL", key, "until")


async def lock(ctx: Context, address: str = HERE, name: str = "ana") -> VeloFluxError:
    for _ in range(12):
        await guess(ctx, address, name)
        await pass_waits(ctx)
    await guess(ctx, address, name)
    return await guess(ctx, address, name)


@pytest.fixture
async def ana(ctx: Context) -> Context:
    return await person(ctx, "ana")


async def test_after_five_wrong_guesses_each_wait_is_longer_and_then_it_is_locked(ctx: Context, ana: Context) -> None:
    assert [type(await guess(ctx)) for _ in range(6)] == [CredentialsWrong] * 5 + [TooManyAttempts]
    waits = []
    for _ in range(6):
        waits.append((await guess(ctx)).extra["retry_after"])
        await pass_waits(ctx)
        assert isinstance(await guess(ctx), CredentialsWrong)
    assert waits == [2, 4, 8, 16, 32, 900]


async def test_a_wait_is_over_by_itself_and_what_was_refused_does_not_lengthen_it(ctx: Context, ana: Context) -> None:
    for _ in range(9):
        refused = await guess(ctx)
    assert refused.extra["retry_after"] <= 2
    await asyncio.sleep(2)
    assert await sign_in(ctx)


async def test_a_locked_account_is_not_locked_elsewhere(ctx: Context, ana: Context) -> None:
    assert (await lock(ctx)).extra["retry_after"] > 800
    with pytest.raises(TooManyAttempts):
        await sign_in(ctx)
    assert await sign_in(ctx, ELSEWHERE)
    with pytest.raises(TooManyAttempts):
        await sign_in(ctx)


async def test_a_success_clears_the_count_of_the_account_and_address(ctx: Context, ana: Context) -> None:
    for _ in range(3):
        assert [type(await guess(ctx)) for _ in range(4)] == [CredentialsWrong] * 4
        await sign_in(ctx)


async def test_guesses_at_once_are_no_more_than_guesses_in_turn(ctx: Context, ana: Context) -> None:
    answers = await asyncio.gather(*(guess(ctx) for _ in range(30)))
    assert sum(isinstance(one, CredentialsWrong) for one in answers) == attempts.FREE_HERE


async def test_what_is_refused_is_not_hashed(ctx: Context, ana: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    await lock(ctx)
    monkeypatch.setattr(passwords, "matches", None)
    assert isinstance(await guess(ctx), TooManyAttempts)


async def test_an_address_that_tries_many_accounts_is_refused_and_an_ipv6_network_is_one_address(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "FREE_OF_ADDRESS", 6)
    await person(one_ctx, "ana")
    for at_ in range(6):
        assert isinstance(await guess(one_ctx, f"2001:db8::{at_}", f"victim{at_}"), CredentialsWrong)
    with pytest.raises(TooManyAttempts):
        await sign_in(one_ctx, "2001:db8::ffff")
    assert await sign_in(one_ctx, "2001:db8:0:1::1")


async def test_log_ins_that_succeed_do_not_use_up_their_address(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "FREE_OF_ADDRESS", 3)
    await person(one_ctx, "ana")
    await guess(one_ctx, name="bob")
    for _ in range(5):
        await sign_in(one_ctx)
    of_address = keys.attempts_from(identity.sessions.FORM, attempts.place(one_ctx.parts, HERE))
    assert await one_ctx.db.call("HGET", of_address, "count") == "1"


async def test_an_attack_from_many_addresses_locks_the_account_but_not_where_its_person_was_before(
    ctx: Context, ana: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "FREE_ELSEWHERE", 8)
    await sign_in(ctx, HERE)
    answers = [type(await guess(ctx, f"192.0.2.{host}")) for host in range(12)]
    assert answers == [CredentialsWrong] * 8 + [TooManyAttempts] * 4
    with pytest.raises(TooManyAttempts):
        await sign_in(ctx, ELSEWHERE)
    assert await sign_in(ctx, HERE)
    with pytest.raises(TooManyAttempts):
        await sign_in(ctx, ELSEWHERE)


async def test_no_account_is_answered_like_one_in_words_limits_and_round_trips(
    ctx: Context, ana: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    call = ctx.db._nodes.call
    monkeypatch.setattr(ctx.db._nodes, "call", lambda key, *args: (calls.append(args[0]), call(key, *args))[1])
    told = []
    for host, name in enumerate(("ana", "nobody")):
        address = f"198.51.100.{host}"
        answers = []
        for _ in range(8):
            calls.clear()
            refused = await guess(ctx, address, name)
            answers.append((type(refused), str(refused), refused.extra, [one for one in calls if one != "EVAL"]))
        told.append(answers)
    assert told[0] == told[1]


async def test_a_known_address_is_kept_as_a_keyed_digest_and_only_the_latest_hundred_are(
    ctx: Context, ana: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity.sessions, "PLACES_KEPT", 3)
    for host in range(6):
        await sign_in(ctx, f"192.0.2.{host}")
    known = await ctx.db.call("ZRANGE", keys.known_places(ana.actor.person), 0, -1)
    assert attempts.place(ctx.parts, "192.0.2.5") in known
    assert len(known) == 3 + 2
    assert not any("192" in one for one in known)


async def test_counts_end_by_themselves(ctx: Context, ana: Context) -> None:
    await lock(ctx)
    for found in await ctx.db.every_master("KEYS", "*attempts*"):
        for key in found:
            assert 800_000 < await ctx.db.call("PTTL", key) <= 3_600_000


async def test_a_form_and_a_subject_of_ones_own_are_counted_by_themselves(one_ctx: Context) -> None:
    here = at(one_ctx, HERE)
    for subject in (attempts.nobody("a"), attempts.nobody("b")):
        for _ in range(attempts.FREE_HERE):
            await attempts.admit(here, "reset_password", subject)
        with pytest.raises(TooManyAttempts):
            await attempts.admit(here, "reset_password", subject)
        await attempts.admit(here, "log_in", subject)


async def test_the_setup_of_an_operator_is_no_way_to_guess_a_password(one_ctx: Context) -> None:
    await person(one_ctx, "ana")
    for _ in range(6):
        with pytest.raises((CredentialsWrong, TooManyAttempts)) as refused:
            await tenants.create_operator(
                at(one_ctx, HERE), None, name="Ana", email=email("ana"), password="a wrong guess"
            )
    assert isinstance(refused.value, TooManyAttempts)
    assert msgspec.json.encode(refused.value.extra) == b'{"retry_after":2}'


@pytest.mark.parametrize("fate", ["loses_the_answer", "does_not_reach_redis"])
async def test_who_knows_the_password_is_not_slowed_down_by_answers_that_get_lost(
    ctx: Context, ana: Context, fate: Literal["loses_the_answer", "does_not_reach_redis"]
) -> None:
    assert isinstance(await guess(ctx, ELSEWHERE), CredentialsWrong)
    for count in range(5):  # the two counts, and three that take back; then the session begins
        with tape.cut(ctx.db, count, fate) as cut:
            await sign_in(ctx, f"203.0.113.{count}")
        assert cut.struck
    kept = [await ctx.db.call("HGET", key, "count") for key in await attempts_kept(ctx)]
    assert sorted(kept) == ["0"] * 5 + ["1"] * 3  # in its three counts stands the wrong guess alone


async def attempts_kept(ctx: Context) -> list[str]:
    return [key for found in await ctx.db.every_master("KEYS", "*attempts*") for key in found]
