"""A person changes the password, knowing the present one."""

import asyncio

import pytest

from tests.cast import PASSWORD, acting, email, fresh, person
from tests.identity import links
from tests.identity.mails import mails, work
from tests.whole_database import keys_holding
from veloflux import identity
from veloflux.context import Context
from veloflux.db import streams
from veloflux.errors import CredentialsWrong, InputInvalid, LinkExpired, NotAuthenticated, TooManyAttempts
from veloflux.identity.attempts import FREE_HERE

NEW = "a better horse battery staple"


@pytest.fixture
async def ana(ctx: Context) -> Context:
    return await person(ctx, "ana")


async def test_it_ends_the_other_sessions_and_not_this_one_and_the_person_is_told(ctx: Context, ana: Context) -> None:
    here, elsewhere = [await identity.log_in(fresh(ctx), email("ana"), PASSWORD) for _ in range(2)]
    await identity.change_password(acting(ctx, here), PASSWORD, NEW)
    assert (await identity.authenticate(ctx.parts, here.token)).id == ana.actor.person
    with pytest.raises(NotAuthenticated):
        await identity.authenticate(ctx.parts, elsewhere.token)
    assert [session.id for session in await identity.list_sessions(ana)] == [here.person.session]
    with pytest.raises(CredentialsWrong):
        await identity.log_in(fresh(ctx), email("ana"), PASSWORD)
    assert await identity.log_in(fresh(ctx), email("ana"), NEW)
    await work(ctx)
    [mail] = await mails(ctx)
    assert (mail.to, mail.subject) == ("ana@example.com", "Your password was changed")


async def test_who_holds_a_session_cannot_guess_the_password_with_it(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    for _ in range(FREE_HERE):
        with pytest.raises(CredentialsWrong):
            await identity.change_password(ana, "not the password", NEW)
    with pytest.raises(TooManyAttempts):
        await identity.change_password(ana, PASSWORD, NEW)


async def test_with_another_present_password_nothing_changes(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    with pytest.raises(CredentialsWrong) as refused:
        await identity.change_password(ana, "not the present one", NEW)
    assert refused.value.extra["field"] == "current"
    assert await identity.log_in(fresh(one_ctx), email("ana"), PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
async def test_a_password_that_cannot_be_is_refused(one_ctx: Context, password: str) -> None:
    with pytest.raises(InputInvalid):
        await identity.change_password(await person(one_ctx, "ana"), PASSWORD, password)


async def test_of_two_sessions_that_change_it_at_once_one_does_and_the_other_is_over(
    ctx: Context, ana: Context
) -> None:
    both = [await identity.log_in(fresh(ctx), email("ana"), PASSWORD) for _ in range(2)]
    changed = [f"{NEW} {number}" for number in range(2)]
    ended = await asyncio.gather(
        *(
            identity.change_password(acting(ctx, one), PASSWORD, password)
            for one, password in zip(both, changed, strict=True)
        ),
        return_exceptions=True,
    )
    [won] = [number for number, end in enumerate(ended) if end is None]
    assert isinstance(ended[1 - won], NotAuthenticated | CredentialsWrong)
    assert await identity.log_in(fresh(ctx), email("ana"), changed[won])
    assert await identity.authenticate(ctx.parts, both[won].token)
    with pytest.raises(NotAuthenticated):
        await identity.authenticate(ctx.parts, both[1 - won].token)


async def test_it_voids_the_links_that_were_sent_before(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    await identity.request_password_reset(fresh(one_ctx), email("ana"))
    [token] = await links.of_reset(one_ctx, ana.actor.person)
    await identity.change_password(ana, PASSWORD, NEW)
    with pytest.raises(LinkExpired):
        await identity.reset_password(fresh(one_ctx), token, PASSWORD)


async def test_the_trail_says_it_without_the_password(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    await identity.change_password(ana, PASSWORD, NEW)
    *_, event = await streams.after(one_ctx.db, ana.actor.person, "", 100)
    assert (event.name, event.actor) == ("user.password_changed", ana.actor.person)
    assert event.changes[ana.actor.person] == {"password_hash": ["***", "***"], "epoch": ["1", "2"]}
    assert event.changes[ana.actor.session] == {"epoch": ["1", "2"]}
    assert await keys_holding(one_ctx.db, NEW) == set()
