"""From signing up to the account, by the real worker; and what whoever signs up cannot find out."""

import asyncio
from datetime import timedelta

import pytest

from tests.cast import PASSWORD, email, fresh, person
from tests.identity import links
from tests.identity.calls import calls_of
from tests.identity.mails import link_in, mails, work
from tests.whole_database import contents, keys_holding
from veloflux import identity
from veloflux.context import Context
from veloflux.db import keys, names
from veloflux.db.jobs import Job
from veloflux.errors import AlreadyDone, CredentialsWrong, InputInvalid, LinkExpired, NameTaken
from veloflux.identity import Language, store
from veloflux.identity.links import token_of
from veloflux.transaction import Transaction

PLANTED = ("Ana Souza", "ana@example.com", PASSWORD)
NAMES = {"en": "Confirm your e-mail address", "pt-BR": "Confirme seu endereço de e-mail"}


async def start(ctx: Context, name: str = "ana", language: Language = "en") -> None:
    account = {"name": "Ana Souza", "email": email(name), "password": PASSWORD}
    await identity.start_registration(fresh(ctx), **account, language=language)  # type: ignore[arg-type]


async def confirm(ctx: Context, token: str) -> identity.User:
    return await identity.confirm_registration(fresh(ctx), token)


@pytest.mark.parametrize("language", ["en", "pt-BR"])
async def test_the_link_in_the_mail_makes_the_account_and_before_it_there_is_none(
    ctx: Context, language: Language
) -> None:
    await start(ctx, language=language)
    with pytest.raises(CredentialsWrong):
        await identity.log_in(fresh(ctx), email("ana"), PASSWORD)
    await work(ctx)
    [mail] = await mails(ctx)
    assert (mail.to, mail.subject) == ("ana@example.com", NAMES[language])
    user = await confirm(ctx, link_in(mail, "/console/verify/"))
    assert (user.name, user.email, user.language) == ("Ana Souza", "ana@example.com", language)
    signed_in = await identity.log_in(fresh(ctx), email("ana"), PASSWORD)
    assert signed_in.person.id == user.id
    await work(ctx)
    assert await ctx.db.call("ZRANGE", keys.users(), 0, -1) == [user.id]


async def people(ctx: Context) -> set[str]:
    """Of whom anything is kept, but for the counts of messages, which are of a mailbox."""
    found = [key for key in await contents(ctx.db) if key.startswith("vf:user:") and ":attempts:mail" not in key]
    return {keys.owner_in(key) for key in found}


async def test_the_owner_of_a_taken_address_is_told_and_nothing_is_kept(ctx: Context) -> None:
    owner = (await person(ctx, "ana")).actor.person
    await start(ctx)
    await work(ctx)
    [mail] = await mails(ctx)
    assert (mail.to, mail.subject) == ("ana@example.com", "You have an account already")
    assert "/console/sign-in" in mail.text
    assert "/console/forgot-password" in mail.text
    assert await people(ctx) == {owner}


async def test_a_new_and_a_taken_address_take_the_same_calls(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    await person(ctx, "ana")
    with calls_of(ctx, monkeypatch) as taken:
        await start(ctx, "ana")
    with calls_of(ctx, monkeypatch) as new:
        await start(ctx, "bob")
    assert len(taken) >= 3
    assert new == taken


async def test_of_two_who_confirm_by_one_link_at_once_one_does_and_the_account_is_whole(ctx: Context) -> None:
    await start(ctx)
    token = await links.of_registration(ctx)
    ended = await asyncio.gather(*(confirm(ctx, token) for _ in range(5)), return_exceptions=True)
    [user] = [one for one in ended if isinstance(one, identity.User)]
    assert {type(one).__name__ for one in ended if one is not user} <= {"AlreadyDone", "ChangedMeanwhile"}
    assert await identity.find_by_email(ctx, identity.parse_email(email("ana"))) == user


async def test_a_link_used_before_says_so(one_ctx: Context) -> None:
    await start(one_ctx)
    token = await links.of_registration(one_ctx)
    await confirm(one_ctx, token)
    with pytest.raises(AlreadyDone, match="confirmed before"):
        await confirm(one_ctx, token)


async def test_a_link_is_over_after_a_day_and_nothing_is_left_then(one_ctx: Context) -> None:
    await start(one_ctx)
    token = await links.of_registration(one_ctx)
    [user] = await people(one_ctx)
    left_ms = await one_ctx.db.call("PTTL", keys.registration(user))
    assert 0 < left_ms <= timedelta(days=1) / timedelta(milliseconds=1)
    await work(one_ctx)
    await one_ctx.db.call("PEXPIRE", keys.registration(user), 0)
    with pytest.raises(LinkExpired):
        await confirm(one_ctx, token)
    await make_due(one_ctx, user)
    await work(one_ctx)
    kept = {key for key in await contents(one_ctx.db) if user in key}
    assert {key for key in kept if ":done:" not in key} == set()


async def test_what_is_forgotten_after_a_day_is_never_a_person(one_ctx: Context) -> None:
    await start(one_ctx)
    user = await confirm(one_ctx, await links.of_registration(one_ctx))
    await work(one_ctx)
    await make_due(one_ctx, user.id)
    await work(one_ctx)
    assert await identity.read_user(one_ctx.db, user.id) == user
    assert await one_ctx.db.call("EXISTS", keys.events(user.id), keys.data_key(user.id, user.id)) == 2
    assert await one_ctx.db.call("EXISTS", keys.jobs(user.id)) == 0


async def make_due(ctx: Context, user: str) -> None:
    """Let the day pass for the job that forgets."""
    [job] = await ctx.db.call("ZRANGE", keys.jobs(user), 0, -1)
    await ctx.db.call("ZADD", keys.due(user), 0, f"{user}/{job}")


async def test_an_address_that_got_an_account_meanwhile_is_taken(ctx: Context) -> None:
    await start(ctx)
    token = await links.of_registration(ctx)
    await person(ctx, "ana")
    with pytest.raises(NameTaken):
        await confirm(ctx, token)


async def test_of_two_registrations_of_one_address_the_first_that_is_confirmed_counts(ctx: Context) -> None:
    tokens = []
    for _ in range(2):
        await start(ctx)
        tokens.append(await links.of_registration(ctx))
    assert tokens[0] != tokens[1]
    user = await confirm(ctx, tokens[1])
    with pytest.raises(NameTaken):
        await confirm(ctx, tokens[0])
    assert await identity.find_by_email(ctx, identity.parse_email(email("ana"))) == user


async def test_a_confirmation_that_stopped_after_the_claim_is_done_by_opening_the_link_again(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start(one_ctx)
    token = await links.of_registration(one_ctx)
    user = f"usr_{token.partition('.')[0]}"
    registration = await store.find_registration(one_ctx.db, user)
    assert registration
    claim = await names._claim(one_ctx.db, store.email_name(registration.email_digest), user)
    assert not claim.confirmed
    monkeypatch.setattr(names, "PENDING_MS", 0)
    assert (await confirm(one_ctx, token)).id == user


@pytest.mark.parametrize("token", ["", "0", "a.b.c", "x" * 10_000, "}.{.0", "\ud800", "0" * 26 + "." + "0" * 26 + "."])
async def test_a_token_of_another_form_is_refused(one_ctx: Context, token: str) -> None:
    with pytest.raises(LinkExpired):
        await confirm(one_ctx, token)


async def test_a_token_that_was_not_made_for_this_is_refused(one_ctx: Context) -> None:
    await start(one_ctx)
    token = await links.of_registration(one_ctx)
    user, registration, mac = token.split(".")
    wrong = token_of(one_ctx.parts.secrets, "reset", f"usr_{user}", f"reg_{registration}")
    for forged in (wrong, f"{user}.{registration}.{mac[::-1]}", f"{user}.{user}.{mac}"):
        with pytest.raises(LinkExpired):
            await confirm(one_ctx, forged)


@pytest.mark.parametrize(
    "wrong", [{"email": "nobody"}, {"password": "short"}, {"name": ""}], ids=["email", "password", "name"]
)
async def test_a_registration_that_is_refused_leaves_nothing(one_ctx: Context, wrong: dict[str, str]) -> None:
    account = {"name": "Ana", "email": email("ana"), "password": PASSWORD} | wrong
    with pytest.raises(InputInvalid):
        await identity.start_registration(one_ctx, **account)  # type: ignore[arg-type]
    assert await one_ctx.db.every_master("DBSIZE") == [0]


async def test_what_somebody_typed_lies_in_the_registration_alone_and_the_token_nowhere(one_ctx: Context) -> None:
    await start(one_ctx)
    token = await links.of_registration(one_ctx)
    user = f"usr_{token.partition('.')[0]}"
    await work(one_ctx)
    for planted in PLANTED[:2]:
        assert await keys_holding(one_ctx.db, planted) == {keys.registration(user)}
    assert await keys_holding(one_ctx.db, token.rpartition(".")[2]) == set()
    assert await keys_holding(one_ctx.db, PASSWORD) == set()
    await confirm(one_ctx, token)
    for planted in PLANTED[:2]:
        assert await keys_holding(one_ctx.db, planted) == {keys.user(user)}


async def test_a_link_that_was_used_before_its_mail_was_written_is_not_sent(one_ctx: Context) -> None:
    await start(one_ctx)
    user = await confirm(one_ctx, await links.of_registration(one_ctx))
    job = Job(id="job_1", owner=user.id, kind="send_verification", payload={}, run_at=0, created_at=0)
    await identity.send_verification(one_ctx, job, Transaction(one_ctx, user.id))
    assert await mails(one_ctx) == []
