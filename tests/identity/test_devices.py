"""What a person sees of their sessions, ends of them, and is told of."""

import asyncio

import pytest

from tests.cast import PASSWORD, acting, email, fresh, person
from tests.worker.working import nothing_due, until, working
from veloflux import identity, notifications
from veloflux.context import Actor, Context
from veloflux.db import keys, streams
from veloflux.db.jobs import Job
from veloflux.errors import NotAuthenticated
from veloflux.transaction import Transaction
from veloflux.worker import TABLES


async def sign_in(ctx: Context, address: str = "203.0.113.7", device: str = "Firefox on Linux") -> identity.SignedIn:
    at = fresh(ctx).acting(Actor(id="anonymous", address=address, device=device))
    return await identity.log_in(at, email("ana"), PASSWORD)


async def is_open(ctx: Context, signed_in: identity.SignedIn) -> bool:
    try:
        return bool(await identity.authenticate(ctx.parts, signed_in.token))
    except NotAuthenticated:
        return False


async def mails(ctx: Context) -> list[notifications.OutboxMessage]:
    async with working(ctx.parts, TABLES):
        await until(lambda: nothing_due(ctx))
    return (await notifications.list_messages(ctx)).items


@pytest.fixture
async def ana(ctx: Context) -> Context:
    return await person(ctx, "ana")


async def test_a_session_says_from_where_and_with_what_it_was_opened_and_the_trail_masks_it(
    ctx: Context, ana: Context
) -> None:
    await sign_in(ctx)
    latest = (await identity.list_sessions(ana))[0]
    assert (latest.device, latest.address) == ("Firefox on Linux", "203.0.113.7")
    event = (await streams.after(ctx.db, ana.actor.person, "", 100))[-1]
    assert event.changes[latest.id]["address"] == [None, "***"]
    assert "203.0.113.7" not in str(event)


async def test_all_others_end_at_once_and_this_one_stays(ctx: Context, ana: Context) -> None:
    here, *others = [await sign_in(ctx) for _ in range(4)]
    await identity.end_sessions(acting(ctx, here), "others")
    assert [await is_open(ctx, one) for one in (here, *others)] == [True, False, False, False]
    assert [one.id for one in await identity.list_sessions(acting(ctx, here))] == [here.person.session]
    assert await is_open(ctx, await sign_in(ctx))


async def test_all_end_at_once_with_this_one(ctx: Context, ana: Context) -> None:
    open_ = [await sign_in(ctx) for _ in range(3)]
    await identity.end_sessions(acting(ctx, open_[0]), "all")
    assert [await is_open(ctx, one) for one in open_] == [False] * 3
    assert await identity.list_sessions(ana) == []
    [event] = [one for one in await streams.after(ctx.db, ana.actor.person, "", 100) if "sessions_" in one.name]
    assert (event.name, event.data["kept"]) == ("user.sessions_ended", "")


async def test_of_two_that_end_each_other_at_the_same_time_at_most_one_stays_and_none_comes_back(
    ctx: Context, ana: Context
) -> None:
    left, right = await sign_in(ctx), await sign_in(ctx)
    ended = await asyncio.gather(
        *(identity.end_sessions(acting(ctx, one), "others") for one in (left, right)), return_exceptions=True
    )
    stays = [await is_open(ctx, one) for one in (left, right)]
    assert sorted(stays) == [False, True]
    assert [one is None for one in ended] == stays


async def test_a_session_that_is_over_does_not_keep_itself(ctx: Context, ana: Context) -> None:
    here = await sign_in(ctx)
    await identity.end_sessions(acting(ctx, here), "all")
    with pytest.raises(NotAuthenticated):
        await identity.end_sessions(acting(ctx, here), "others")
    assert not await is_open(ctx, here)


async def test_a_sign_in_from_elsewhere_or_with_something_else_is_mailed_once(ctx: Context, ana: Context) -> None:
    assert await mails(ctx) == []
    await sign_in(ctx)
    [first] = await mails(ctx)
    assert (first.to, first.subject) == (email("ana"), "New sign-in to your account")
    assert "Firefox on Linux" in first.text
    assert f"{ctx.settings.console_url}/console/account" in first.text
    await sign_in(ctx)
    assert await mails(ctx) == [first]
    await sign_in(ctx, device="Chrome on Windows")
    await sign_in(ctx, address="198.51.100.9")
    assert len(await mails(ctx)) == 3


async def test_the_first_sign_in_of_all_is_not_mailed_and_a_thief_who_is_quick_is(one_ctx: Context) -> None:
    await identity.register(fresh(one_ctx), name="Ana", email=email("ana"), password=PASSWORD, language="pt-BR")
    await sign_in(one_ctx)
    assert await mails(one_ctx) == []
    thief = await sign_in(one_ctx, address="192.0.2.66", device="")
    await identity.log_out(acting(one_ctx, thief))
    [mail] = await mails(one_ctx)
    assert mail.subject == "Nova entrada na sua conta"
    assert "um dispositivo desconhecido" in mail.text


async def test_the_job_run_again_writes_no_second_message(one_ctx: Context) -> None:
    ana = (await person(one_ctx, "ana")).actor.person
    payload = {"device": "curl", "at": "1431857100000"}
    job = Job(id="job_1", owner=ana, kind="send_new_device", payload=payload, run_at=0, created_at=0)
    for _ in range(2):
        await identity.send_new_device(one_ctx, job, Transaction(one_ctx, ana))
    [message] = (await notifications.list_messages(one_ctx)).items
    assert "curl, 2015-05-17 10:05 (UTC)" in message.text
    await one_ctx.db.call("DEL", keys.user(ana))
    await identity.send_new_device(one_ctx, job, Transaction(one_ctx, ana))
