"""A forgotten password, from the asking to the new one, by the real worker."""

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
from veloflux.db import keys, streams
from veloflux.errors import CredentialsWrong, InputInvalid, LinkExpired, NotAuthenticated

NEW = "a better horse battery staple"


@pytest.fixture
async def ana(ctx: Context) -> Context:
    return await person(ctx, "ana")


async def ask(ctx: Context, name: str = "ana") -> None:
    await identity.request_password_reset(fresh(ctx), email(name))


async def reset(ctx: Context, token: str, password: str = NEW) -> None:
    await identity.reset_password(fresh(ctx), token, password)


async def tokens(ctx: Context, ana: Context) -> list[str]:
    return await links.of_reset(ctx, ana.actor.person)


async def test_the_link_in_the_mail_sets_a_new_password_and_ends_all_sessions(ctx: Context, ana: Context) -> None:
    old = await identity.log_in(fresh(ctx), email("ana"), PASSWORD)
    await ask(ctx)
    await work(ctx)
    [mail] = await mails(ctx)
    assert (mail.to, mail.subject) == ("ana@example.com", "Set a new password")
    await reset(ctx, link_in(mail, "/console/reset/"))
    with pytest.raises(NotAuthenticated):
        await identity.authenticate(ctx.parts, old.token)
    with pytest.raises(CredentialsWrong):
        await identity.log_in(fresh(ctx), email("ana"), PASSWORD)
    new = await identity.log_in(fresh(ctx), email("ana"), NEW)
    assert new.person.id == ana.actor.person
    assert [session.id for session in await identity.list_sessions(ana)] == [new.person.session]
    await work(ctx)
    assert {mail.subject for mail in await mails(ctx)} == {"Set a new password", "Your password was changed"}


async def test_asking_for_an_address_without_an_account_does_the_same_calls_and_writes_nothing(
    ctx: Context, ana: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with calls_of(ctx, monkeypatch) as known:
        await ask(ctx)
    await work(ctx)
    before = await contents(ctx.db)
    with calls_of(ctx, monkeypatch) as unknown:
        await ask(ctx, "nobody")
    after = await contents(ctx.db)
    assert unknown == known
    assert len(known) >= 3
    assert _lasting(after) == _lasting(before)


def _lasting(found: dict[str, str]) -> dict[str, str]:
    """Without what workers write, and the counts by which nobody floods a mailbox, whether it has an account or not."""
    moving = (keys.workers(), keys.poll_lease())
    return {key: value for key, value in found.items() if key not in moving and ":attempts:" not in key}


async def test_using_one_link_voids_it_and_the_others(ctx: Context, ana: Context) -> None:
    for _ in range(3):
        await ask(ctx)
    first, second, third = await tokens(ctx, ana)
    await reset(ctx, second)
    for token in (first, second, third):
        with pytest.raises(LinkExpired):
            await reset(ctx, token, PASSWORD)
    assert await identity.log_in(fresh(ctx), email("ana"), NEW)


async def test_of_two_who_use_links_at_once_one_does(ctx: Context, ana: Context) -> None:
    for _ in range(2):
        await ask(ctx)
    both = await tokens(ctx, ana)
    passwords = [f"{NEW} {number}" for number in range(6)]
    ended = await asyncio.gather(
        *(reset(ctx, both[number % 2], password) for number, password in enumerate(passwords)), return_exceptions=True
    )
    [won] = [password for password, end in zip(passwords, ended, strict=True) if end is None]
    assert {type(end) for end in ended if end is not None} == {LinkExpired}
    assert await identity.log_in(fresh(ctx), email("ana"), won)


async def test_a_link_lives_an_hour(ctx: Context, ana: Context) -> None:
    await ask(ctx)
    [key] = [key for key in await contents(ctx.db) if ":reset_link:" in key]
    assert 0 < await ctx.db.call("PTTL", key) <= timedelta(hours=1) / timedelta(milliseconds=1)
    [token] = await tokens(ctx, ana)
    await ctx.db.call("PEXPIRE", key, 0)
    with pytest.raises(LinkExpired):
        await reset(ctx, token)


async def test_a_password_that_is_refused_leaves_the_link_usable(ctx: Context, ana: Context) -> None:
    await ask(ctx)
    [token] = await tokens(ctx, ana)
    with pytest.raises(InputInvalid):
        await reset(ctx, token, "short")
    await reset(ctx, token)


async def test_a_person_who_is_not_active_gets_no_link_and_can_use_none(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    await ask(one_ctx)
    await one_ctx.db.call("HSET", keys.user(ana.actor.person), "status", "disabled")
    await ask(one_ctx)
    [token] = await tokens(one_ctx, ana)
    with pytest.raises(LinkExpired):
        await reset(one_ctx, token)


@pytest.mark.parametrize("token", ["", "0", "a.b.c", "x" * 10_000, "}.{.0", "\ud800"])
async def test_a_token_of_another_form_is_refused(one_ctx: Context, token: str) -> None:
    with pytest.raises(LinkExpired):
        await reset(one_ctx, token)


async def test_a_token_with_another_person_or_mac_is_refused(one_ctx: Context) -> None:
    ana, bob = await person(one_ctx, "ana"), await person(one_ctx, "bob")
    await ask(one_ctx)
    [token] = await tokens(one_ctx, ana)
    user, link, mac = token.split(".")
    for forged in (f"{bob.actor.person[4:]}.{link}.{mac}", f"{user}.{link}.{mac[::-1]}"):
        with pytest.raises(LinkExpired):
            await reset(one_ctx, forged)


async def test_the_trail_says_that_it_happened_and_keeps_neither_password_nor_token(one_ctx: Context) -> None:
    ana = (await person(one_ctx, "ana")).actor.person
    await ask(one_ctx)
    [token] = await links.of_reset(one_ctx, ana)
    await reset(one_ctx, token)
    await work(one_ctx)
    *_, asked, changed = await streams.after(one_ctx.db, ana, "", 100)
    assert (asked.name, asked.actor, asked.data) == (
        "password_reset.requested",
        "anonymous",
        {"link": f"lnk_{token.split('.')[1]}"},
    )
    assert (changed.name, changed.actor, changed.data) == ("user.password_changed", ana, {"user": ana})
    assert changed.changes[ana] == {"password_hash": ["***", "***"], "epoch": ["1", "2"]}
    assert await keys_holding(one_ctx.db, token.rpartition(".")[2]) == set()
    assert await keys_holding(one_ctx.db, NEW) == set()


@pytest.mark.parametrize("name", ["", "nobody"])
async def test_what_is_no_address_is_refused(one_ctx: Context, name: str) -> None:
    with pytest.raises(InputInvalid):
        await identity.request_password_reset(one_ctx, name)
