"""An authenticator app is added, used, and taken away."""

import asyncio
import doctest

import pytest

from tests.cast import PASSWORD, acting, email, fresh, person
from tests.identity.apps import App, challenged, finish, with_app
from tests.identity.mails import mails, work
from tests.whole_database import keys_holding
from veloflux import identity
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import (
    AlreadyDone,
    CredentialsWrong,
    InputInvalid,
    NotFound,
    SecondFactorNeeded,
    SecondFactorWrong,
    TooManyAttempts,
)
from veloflux.identity import totp_codes
from veloflux.identity.attempts import FREE_HERE
from veloflux.identity.factors_model import FactorAnswer


@pytest.fixture
async def ana(ctx: Context) -> Context:
    return await person(ctx, "ana")


async def test_it_counts_once_a_code_of_it_was_given_and_the_person_is_told(ctx: Context, ana: Context) -> None:
    enrolment = await identity.enrol_totp(ana)
    assert await identity.log_in(fresh(ctx), email("ana"), PASSWORD)
    with pytest.raises(SecondFactorWrong):
        await identity.confirm_totp(ana, "000000")
    codes = await identity.confirm_totp(ana, App(enrolment.secret).code())
    assert len(set(codes)) == 10
    assert (await identity.read_factors(ctx.db, ana.actor.person)).methods == ["totp", "recovery_code"]
    await challenged(ctx, "ana")
    await work(ctx)
    assert "A new way to prove who you are was added" in [mail.subject for mail in await mails(ctx)]


async def test_the_secret_is_shown_once_and_lies_sealed(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    enrolment = await identity.enrol_totp(ana)
    assert f"secret={enrolment.secret}" in enrolment.uri
    codes = await identity.confirm_totp(ana, App(enrolment.secret).code())
    for planted in (enrolment.secret, codes[0], codes[0].replace("-", "")):
        assert await keys_holding(one_ctx.db, planted) == set()
    assert await one_ctx.db.call("EXISTS", keys.totp_pending(ana.actor.person)) == 0


async def test_no_code_is_good_twice_not_even_at_once(ctx: Context, ana: Context) -> None:
    app, _ = await with_app(ana)
    code = app.code()
    challenges = [await challenged(ctx, "ana") for _ in range(2)]
    ended = await asyncio.gather(*(finish(ctx, one, code) for one in challenges), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ended) == ["SecondFactorWrong", "SignedIn"]


async def test_the_code_that_confirmed_it_does_not_sign_in(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    app = App((await identity.enrol_totp(ana)).secret)
    code = app.code()
    await identity.confirm_totp(ana, code)
    with pytest.raises(SecondFactorWrong):
        await finish(one_ctx, await challenged(one_ctx, "ana"), code)


async def test_guesses_are_limited(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    app, _ = await with_app(ana)
    for _ in range(FREE_HERE):
        with pytest.raises(SecondFactorWrong):
            await identity.step_up(ana, FactorAnswer(code="000000"))
    with pytest.raises(TooManyAttempts):
        await identity.step_up(ana, FactorAnswer(code=app.code()))


async def test_a_second_one_is_refused_and_one_that_was_not_confirmed_is_replaced(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    with pytest.raises(NotFound):
        await identity.confirm_totp(ana, "123456")
    forgotten = App((await identity.enrol_totp(ana)).secret)
    app = App((await identity.enrol_totp(ana)).secret)
    with pytest.raises(SecondFactorWrong):
        await identity.confirm_totp(ana, forgotten.code())
    await identity.confirm_totp(ana, app.code())
    raised = acting(one_ctx, await finish(one_ctx, await challenged(one_ctx, "ana"), app.code()))
    with pytest.raises(AlreadyDone):
        await identity.enrol_totp(raised)


async def test_it_is_removed_by_the_password_or_a_code_and_the_recovery_codes_with_it(
    one_ctx: Context,
) -> None:
    ana = await person(one_ctx, "ana")
    app, codes = await with_app(ana)
    raised = acting(one_ctx, await finish(one_ctx, await challenged(one_ctx, "ana"), app.code()))
    with pytest.raises(InputInvalid):
        await identity.remove_totp(raised)
    with pytest.raises(CredentialsWrong):
        await identity.remove_totp(raised, password="not the password")
    with pytest.raises(SecondFactorWrong):
        await identity.remove_totp(raised, code="nothing-of-mine")
    await identity.remove_totp(raised, code=codes[0])
    with pytest.raises(NotFound):
        await identity.remove_totp(raised, password=PASSWORD)
    assert (await identity.read_factors(one_ctx.db, ana.actor.person)).recovery_codes is None
    assert await identity.log_in(fresh(one_ctx), email("ana"), PASSWORD)
    await with_app(ana)


async def test_a_session_made_without_it_cannot_take_it_away(one_ctx: Context) -> None:
    ana, old = await person(one_ctx, "ana"), await identity.log_in(fresh(one_ctx), email("ana"), PASSWORD)
    await with_app(ana)
    elsewhere = acting(one_ctx, old)
    with pytest.raises(SecondFactorNeeded):
        await identity.remove_totp(elsewhere, password=PASSWORD)
    with pytest.raises(SecondFactorNeeded):
        await identity.make_recovery_codes(elsewhere)


async def test_when_the_persons_key_is_gone_so_is_the_app(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    app, _ = await with_app(ana)
    challenge = await challenged(one_ctx, "ana")
    await one_ctx.db.call("DEL", keys.data_key(ana.actor.person, ana.actor.person))
    one_ctx.parts.data_keys._known.clear()
    with pytest.raises(SecondFactorWrong):
        await finish(one_ctx, challenge, app.code())


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６", "287083"])  # noqa: RUF001
def test_what_is_no_code_of_now_is_not_accepted(code: str) -> None:
    assert totp_codes.accepted("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", code, 59_000, 0) is None


@pytest.mark.parametrize(("now", "is_good"), [(29_000, True), (59_000, True), (89_999, True), (90_000, False)])
def test_a_code_is_good_one_step_around_its_own(now: int, is_good: bool) -> None:
    assert (totp_codes.accepted("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287082", now, 0) == 1) == is_good


def test_the_examples_are_true() -> None:
    assert doctest.testmod(totp_codes).failed == 0
