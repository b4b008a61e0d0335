"""Passkeys: a second factor, and the only one."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.cast import PASSWORD, acting, email, fresh, person
from tests.identity.authenticator import Authenticator
from tests.identity.mails import mails, work
from veloflux import identity
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import (
    AlreadyDone,
    Conflict,
    CredentialsWrong,
    NotFound,
    SecondFactorRequired,
    SecondFactorWrong,
    SignInExpired,
)
from veloflux.identity import webauthn_challenges
from veloflux.identity.factors_model import FactorAnswer
from veloflux.identity.model import SignedIn
from veloflux.kit import clock


@pytest.fixture
async def ana(ctx: Context) -> Context:
    return await person(ctx, "ana")


async def with_passkey(person: Context, **kind: Any) -> Authenticator:
    made = Authenticator(person.settings.console_url, **kind)
    await identity.add_passkey(person, "Phone", made.create(await identity.begin_passkey(person)))
    return made


async def log_in(ctx: Context, made: Authenticator) -> SignedIn:
    options = await identity.begin_passkey_log_in(fresh(ctx))
    return await identity.log_in_by_passkey(fresh(ctx), made.get(options))


async def asked(ctx: Context) -> dict[str, Any]:
    with pytest.raises(SecondFactorRequired) as required:
        await identity.log_in(fresh(ctx), email("ana"), PASSWORD)
    return required.value.extra


async def test_it_signs_in_alone_and_is_both_factors(ctx: Context, ana: Context) -> None:
    phone = await with_passkey(ana)
    signed_in = await log_in(ctx, phone)
    assert (signed_in.person.id, signed_in.person.factors) == (ana.actor.person, ("passkey",))
    [passkey] = (await identity.read_factors(ctx.db, ana.actor.person)).passkeys
    assert (passkey.name, passkey.sign_count, passkey.used_at is None) == ("Phone", 1, False)
    await work(ctx)
    assert "A new way to prove who you are was added" in [mail.subject for mail in await mails(ctx)]


async def test_it_is_a_second_factor_bound_to_its_sign_in(one_ctx: Context) -> None:
    phone = await with_passkey(await person(one_ctx, "ana"), verifies=False)
    first, second = await asked(one_ctx), await asked(one_ctx)
    assert first["methods"] == ["passkey", "recovery_code"]
    signed = phone.get(first["passkey"])
    with pytest.raises(SecondFactorWrong):
        await identity.finish_log_in(fresh(one_ctx), second["challenge"], FactorAnswer(credential=signed))
    done = await identity.finish_log_in(fresh(one_ctx), first["challenge"], FactorAnswer(credential=signed))
    assert done.person.factors == ("password", "passkey")
    with pytest.raises(SignInExpired):
        await identity.finish_log_in(fresh(one_ctx), first["challenge"], FactorAnswer(credential=signed))


async def test_one_that_does_not_verify_its_user_is_not_enough_alone(one_ctx: Context) -> None:
    phone = await with_passkey(await person(one_ctx, "ana"), verifies=False)
    with pytest.raises(CredentialsWrong):
        await log_in(one_ctx, phone)


async def test_an_answer_is_good_once_even_of_one_that_does_not_count(ctx: Context, ana: Context) -> None:
    phone = await with_passkey(ana)
    signed = []
    for _ in range(2):
        phone.count = -1
        signed.append(phone.get(await identity.begin_passkey_log_in(fresh(ctx))))
    ended = await asyncio.gather(
        *(identity.log_in_by_passkey(fresh(ctx), one) for one in (signed[0], signed[0])), return_exceptions=True
    )
    assert sorted(type(end).__name__ for end in ended) == ["CredentialsWrong", "SignedIn"]
    assert await identity.log_in_by_passkey(fresh(ctx), signed[1])


async def test_a_copy_is_refused_by_its_count_and_the_owner_is_told(ctx: Context, ana: Context) -> None:
    phone = await with_passkey(ana)
    for _ in range(2):
        await log_in(ctx, phone)
    phone.count -= 1
    with pytest.raises(CredentialsWrong):
        await log_in(ctx, phone)
    await work(ctx)
    assert "A passkey of yours seems to be copied" in [mail.subject for mail in await mails(ctx)]


async def test_another_origin_is_refused(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    elsewhere = Authenticator("https://evil.example")
    with pytest.raises(SecondFactorWrong):
        await identity.add_passkey(ana, "Phone", elsewhere.create(await identity.begin_passkey(ana)))
    phone = await with_passkey(ana)
    phone.origin = "https://evil.example"
    with pytest.raises(CredentialsWrong):
        await log_in(one_ctx, phone)


async def test_a_challenge_of_long_ago_or_of_another_session_is_refused(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await person(one_ctx, "ana")
    phone = Authenticator(one_ctx.settings.console_url)
    options = await identity.begin_passkey(ana)
    other = acting(one_ctx, await identity.log_in(fresh(one_ctx), email("ana"), PASSWORD))
    with pytest.raises(SecondFactorWrong):
        await identity.add_passkey(other, "Phone", phone.create(options))
    now = clock.now_ms()
    monkeypatch.setattr(clock, "now_ms", lambda: now + webauthn_challenges.LIFE_MS + 1000)
    with pytest.raises(SecondFactorWrong):
        await identity.add_passkey(ana, "Phone", phone.create(options))


@pytest.mark.parametrize(
    "credential", [{}, {"response": 1}, {"response": {"userHandle": "dXNyXzA", "clientDataJSON": "e30"}}]
)
async def test_what_is_no_credential_is_refused(one_ctx: Context, credential: dict[str, Any]) -> None:
    with pytest.raises(CredentialsWrong):
        await identity.log_in_by_passkey(fresh(one_ctx), credential)
    with pytest.raises(SecondFactorWrong):
        await identity.add_passkey(await person(one_ctx, "ana"), "Phone", credential)


async def test_a_passkey_is_of_one_person_and_added_once(one_ctx: Context) -> None:
    ana, bob = await person(one_ctx, "ana"), await person(one_ctx, "bob")
    phone = await with_passkey(ana)
    with pytest.raises(AlreadyDone):
        await identity.add_passkey(raised(ana), "Phone", phone.create(await identity.begin_passkey(raised(ana))))
    [passkey] = (await identity.read_factors(one_ctx.db, ana.actor.person)).passkeys
    for touch in (identity.remove_passkey(bob, passkey.id), identity.rename_passkey(bob, passkey.id, "Mine")):
        with pytest.raises(NotFound):
            await touch
    await identity.rename_passkey(ana, passkey.id, "Telephone")
    assert (await identity.read_factors(one_ctx.db, ana.actor.person)).passkeys[0].name == "Telephone"
    await identity.remove_passkey(raised(ana), passkey.id)
    with pytest.raises(CredentialsWrong):
        await log_in(one_ctx, phone)
    assert await identity.log_in(fresh(one_ctx), email("ana"), PASSWORD)


async def test_the_last_way_in_stays_even_when_two_are_removed_at_once(ctx: Context, ana: Context) -> None:
    for _ in range(2):
        await with_passkey(raised(ana))
    await ctx.db.call("HSET", keys.user(ana.actor.person), "password_hash", "")
    found = (await identity.read_factors(ctx.db, ana.actor.person)).passkeys
    ended = await asyncio.gather(
        *(identity.remove_passkey(raised(ana), one.id) for one in found), return_exceptions=True
    )
    assert sorted(type(end).__name__ for end in ended) == ["Conflict", "NoneType"]
    [left] = (await identity.read_factors(ctx.db, ana.actor.person)).passkeys
    with pytest.raises(Conflict):
        await identity.remove_passkey(raised(ana), left.id)


async def test_a_session_is_raised_by_it(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    old = await identity.log_in(fresh(one_ctx), email("ana"), PASSWORD)
    with pytest.raises(Conflict):
        await identity.begin_step_up(ana)
    phone = await with_passkey(ana)
    session = acting(one_ctx, old)
    await identity.step_up(session, FactorAnswer(credential=phone.get(await identity.begin_step_up(session))))
    assert (await identity.authenticate(one_ctx.parts, old.token)).factors == ("password", "passkey")


def raised(ana: Context) -> Context:
    """The same session after it was raised, as the next request sees it."""
    return ana.acting(msgspec.structs.replace(ana.actor, factors=("passkey",)))
