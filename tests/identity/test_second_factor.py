"""A sign-in's second step, recovery codes, and a session that is raised."""

import asyncio

import pytest

from tests.cast import PASSWORD, acting, email, fresh, person
from tests.identity import links
from tests.identity.apps import App, challenged, finish, with_app
from tests.identity.mails import mails, work
from tests.whole_database import keys_holding
from veloflux import identity
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, CredentialsWrong, LinkExpired, SecondFactorRequired, SecondFactorWrong
from veloflux.identity import sign_in_challenges
from veloflux.identity.factors_model import FactorAnswer
from veloflux.identity.sign_in_challenges import LIFE_MS, REFUSED_MOST


@pytest.fixture
async def ana(ctx: Context) -> Context:
    return await person(ctx, "ana")


async def test_the_right_password_asks_for_it_and_then_the_session_says_both(ctx: Context, ana: Context) -> None:
    app, _ = await with_app(ana)
    with pytest.raises(SecondFactorRequired) as asked:
        await identity.log_in(fresh(ctx), email("ana"), PASSWORD)
    assert asked.value.extra["methods"] == ["totp", "recovery_code"]
    signed_in = await finish(ctx, asked.value.extra["challenge"], app.code())
    assert signed_in.person.factors == ("password", "totp")
    assert (await identity.authenticate(ctx.parts, signed_in.token)).factors == ("password", "totp")
    assert (await identity.list_sessions(ana))[0].factors == ("password", "totp")
    with pytest.raises(CredentialsWrong):
        await identity.log_in(fresh(ctx), email("ana"), "a wrong password")


async def test_a_challenge_is_good_once_for_five_minutes_and_is_kept_as_a_digest(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    app, codes = await with_app(ana)
    challenge = await challenged(one_ctx, "ana")
    key = keys.sign_in_challenge(ana.actor.person, sign_in_challenges._id(challenge.partition(".")[2]))
    assert LIFE_MS - 60_000 < await one_ctx.db.call("PTTL", key) <= LIFE_MS
    assert await keys_holding(one_ctx.db, challenge.partition(".")[2]) == set()
    await finish(one_ctx, challenge, app.code())
    with pytest.raises(LinkExpired):
        await finish(one_ctx, challenge, codes[0])


async def test_after_five_wrong_answers_a_challenge_is_over(one_ctx: Context) -> None:
    app, _ = await with_app(await person(one_ctx, "ana"))
    challenge = await challenged(one_ctx, "ana")
    for _ in range(REFUSED_MOST):
        with pytest.raises(SecondFactorWrong):
            await finish(one_ctx, challenge, "000000")
    with pytest.raises(LinkExpired):
        await finish(one_ctx, challenge, app.code())


@pytest.mark.parametrize("token", ["", "0.0", "x" * 99, "0" * 26 + "." + "0" * 32])
async def test_what_is_no_challenge_is_refused(one_ctx: Context, token: str) -> None:
    with pytest.raises(LinkExpired):
        await finish(one_ctx, token, "123456")


async def test_a_challenge_is_of_one_person(one_ctx: Context) -> None:
    bobs, _ = await with_app(await person(one_ctx, "bob"))
    await with_app(await person(one_ctx, "ana"))
    anas, of_bob = await challenged(one_ctx, "ana"), await challenged(one_ctx, "bob")
    with pytest.raises(SecondFactorWrong):
        await finish(one_ctx, anas, bobs.code())
    crossed = of_bob.partition(".")[0] + "." + anas.partition(".")[2]
    with pytest.raises(LinkExpired):
        await finish(one_ctx, crossed, bobs.code())


async def test_a_new_password_ends_waiting_sign_ins_and_leaves_the_second_factor(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    app, _ = await with_app(ana)
    before = await challenged(one_ctx, "ana")
    await identity.request_password_reset(fresh(one_ctx), email("ana"))
    [token] = await links.of_reset(one_ctx, ana.actor.person)
    await identity.reset_password(fresh(one_ctx), token, PASSWORD)
    with pytest.raises(LinkExpired):
        await finish(one_ctx, before, app.code())
    assert await finish(one_ctx, await challenged(one_ctx, "ana"), app.code())


async def test_a_recovery_code_is_good_once_however_it_is_typed_and_its_owner_is_told(
    ctx: Context, ana: Context
) -> None:
    _, codes = await with_app(ana)
    typed = codes[0].upper().replace("-", " ")
    challenges = [await challenged(ctx, "ana") for _ in range(2)]
    ended = await asyncio.gather(*(finish(ctx, one, typed) for one in challenges), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ended) == ["SecondFactorWrong", "SignedIn"]
    [signed_in] = [end for end in ended if isinstance(end, identity.SignedIn)]
    assert signed_in.person.factors == ("password", "recovery_code")
    left = (await identity.read_factors(ctx.db, ana.actor.person)).recovery_codes
    assert left
    assert len(left.digests) == 9
    await work(ctx)
    assert [mail.subject for mail in await mails(ctx)].count("A recovery code was used") == 1


async def test_new_recovery_codes_void_those_before(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    with pytest.raises(Conflict):
        await identity.make_recovery_codes(ana)
    app, before = await with_app(ana)
    raised = acting(one_ctx, await finish(one_ctx, await challenged(one_ctx, "ana"), app.code()))
    after = await identity.make_recovery_codes(raised)
    with pytest.raises(SecondFactorWrong):
        await finish(one_ctx, await challenged(one_ctx, "ana"), before[1])
    assert await finish(one_ctx, await challenged(one_ctx, "ana"), after[1])


async def test_a_session_is_raised_by_a_code_and_only_that_one(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    here, elsewhere = [await identity.log_in(fresh(one_ctx), email("ana"), PASSWORD) for _ in range(2)]
    app: App
    app, _ = await with_app(ana)
    with pytest.raises(SecondFactorWrong):
        await identity.step_up(acting(one_ctx, here), FactorAnswer(code="000000"))
    await identity.step_up(acting(one_ctx, here), FactorAnswer(code=app.code()))
    assert (await identity.authenticate(one_ctx.parts, here.token)).factors == ("password", "totp")
    assert (await identity.authenticate(one_ctx.parts, elsewhere.token)).factors == ("password",)


async def test_a_session_from_before_sessions_knew_factors_was_made_with_the_password(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    signed_in = await identity.log_in(fresh(one_ctx), email("ana"), PASSWORD)
    await one_ctx.db.call("HDEL", keys.session(ana.actor.person, signed_in.person.session), "factors")
    assert (await identity.authenticate(one_ctx.parts, signed_in.token)).factors == ("password",)
