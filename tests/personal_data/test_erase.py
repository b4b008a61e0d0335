"""A person's wish to be erased: who may have it, how it is taken back, and a crash at each step of its fulfilment."""

import asyncio
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest

from tests import cast, whole_database
from tests.cast import PASSWORD
from tests.identity.mails import mails, work
from tests.personal_data.erasing import crash_once, erase, without_grace
from tests.personal_data.planting import plant, traces_in
from tests.worker.working import until
from veloflux import identity, notifications, personal_data, tenants
from veloflux.context import Context, Mailer
from veloflux.db import keys
from veloflux.errors import (
    Conflict,
    CredentialsWrong,
    LastOwner,
    NotAuthenticated,
    NotFound,
    TooManyAttempts,
    VeloFluxError,
)
from veloflux.identity import User
from veloflux.kit import clock
from veloflux.notifications import OutboxFolder
from veloflux.personal_data import erase as steps
from veloflux.worker import TABLES


async def wish(ctx: Context, password: str = PASSWORD) -> User:
    """Somebody wants to be erased."""
    return await personal_data.request_own_erasure(ctx, password)


async def user_of(ctx: Context) -> User:
    return await identity.read_user(ctx.db, ctx.actor.person)


async def test_a_wish_waits_for_the_days_of_grace_and_is_told_by_mail(one_ctx: Context) -> None:
    ana = await cast.person(one_ctx, "ana")
    before = clock.now_ms()
    asked = await wish(ana)
    assert asked.erase_at
    assert before + 7 * clock.DAY_MS <= asked.erase_at <= clock.now_ms() + 7 * clock.DAY_MS
    assert (await wish(ana)).erase_at == asked.erase_at
    await work(one_ctx)
    assert [(mail.to, mail.subject) for mail in await mails(one_ctx)] == [
        (cast.email("ana"), "Your account will be deleted")
    ]
    assert (await user_of(ana)).status == "active"
    assert await identity.log_in(cast.fresh(one_ctx), cast.email("ana"), PASSWORD)


async def test_oneself_needs_the_password_and_guessing_it_is_limited(one_ctx: Context) -> None:
    ana = await cast.person(one_ctx, "ana")
    for act in (wish, personal_data.export_own, wish, wish, personal_data.export_own):
        with pytest.raises(CredentialsWrong):
            await act(ana, "not the password")
    for act in (wish, personal_data.export_own):
        with pytest.raises(TooManyAttempts):
            await act(ana, PASSWORD)
    assert (await user_of(ana)).erase_at is None


async def test_what_was_taken_back_is_not_done_when_the_time_comes(one_ctx: Context) -> None:
    ana = await cast.person(one_ctx, "ana")
    await wish(without_grace(ana))
    assert (await personal_data.cancel_erasure(ana, ana.actor.person)).erase_at is None
    await personal_data.cancel_erasure(ana, ana.actor.person)
    await work(one_ctx)
    assert (await user_of(ana)).email == cast.email("ana")
    await wish(ana)  # the job of the first wish does not hasten the second one
    await work(one_ctx)
    assert (await user_of(ana)).status == "active"


async def test_of_taking_back_and_the_erasure_at_the_same_time_one_happens(one_ctx: Context) -> None:
    for number in range(5):
        ana = await cast.person(one_ctx, f"ana{number}")
        await wish(without_grace(ana))
        cancelled, _ = await asyncio.gather(
            personal_data.cancel_erasure(ana, ana.actor.person), work(one_ctx), return_exceptions=True
        )
        status = (await user_of(ana)).status
        assert (isinstance(cancelled, Conflict), status) in ((True, "erased"), (False, "active"))


async def test_the_last_owner_and_the_last_operator_stay_and_hear_where(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    operator = await cast.operator(ctx)
    with pytest.raises(LastOwner, match="acme"):
        await wish(scene.alice)
    with pytest.raises(LastOwner, match="operator"):
        await wish(operator)
    await cast.join(await cast.within(scene.alice, scene.acme), scene.stranger, "owner")
    await cast.operator(ctx, "oscar")
    for one in (scene.alice, operator):
        await erase(ctx, one.actor.person)
        assert (await user_of(one)).status == "erased"
    with pytest.raises(LastOwner, match="acme"):
        await wish(scene.stranger)


async def test_who_has_become_the_last_owner_meanwhile_is_not_erased(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    inside = await cast.within(scene.alice, scene.acme)
    await cast.join(inside, scene.stranger, "owner")
    await wish(without_grace(scene.alice))
    await tenants.remove_member(inside, scene.stranger.actor.person)
    await work(ctx)
    assert (await user_of(scene.alice)).status == "active"
    assert await cast.within(scene.alice, scene.acme, "owners:write")


async def test_who_is_erased_is_signed_out_and_nobody_is_it_any_more(ctx: Context) -> None:
    planted = await plant(ctx)
    email = (await user_of(planted.person)).email
    assert await identity.authenticate(ctx.parts, planted.token)
    await erase(ctx, planted.person.actor.person)
    with pytest.raises(NotAuthenticated):
        await identity.authenticate(ctx.parts, planted.token)
    with pytest.raises(CredentialsWrong):
        await identity.log_in(cast.fresh(ctx), email, PASSWORD)
    with pytest.raises(NotFound):
        await tenants.authorise(planted.person, "acme", "tenant:read")
    for act in (
        personal_data.request_erasure(ctx, planted.person.actor.person),
        personal_data.cancel_erasure(ctx, planted.person.actor.person),
    ):
        with pytest.raises(Conflict):
            await act
    members = [one.id for one in (await tenants.list_members(await cast.within(planted.alice, planted.acme))).items]
    assert planted.person.actor.person not in members
    user = await user_of(planted.person)
    assert (user.name, user.email, user.email_digest, user.password_hash, user.erase_at) == ("", "", "", "", None)


@pytest.mark.parametrize("slice_", [tenants, notifications, steps.jobs, steps.store, identity])
@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_crash_at_any_step_is_mended_by_going_on(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch, slice_: Any, place: str
) -> None:
    for name in (
        "leave_all",
        "forget_oidc",
        "forget_invitations",
        "delete_message",
        "delete_messages_to",
        "remove_other_jobs",
        "clear",
        "find_users",
    ):
        if hasattr(slice_, name):
            crash_once(monkeypatch, slice_, name, before=place == "before")
    planted = await plant(one_ctx)
    await erase(one_ctx, planted.person.actor.person)
    assert (await user_of(planted.person)).status == "erased"
    everything = await whole_database.contents(one_ctx.db)
    assert {name: found for name, value in everything.items() if (found := traces_in(f"{name} {value}"))} == {}
    folder = OutboxFolder.of(one_ctx.settings).folder
    assert [path.name for path in folder.glob("*") if traces_in(path.read_bytes().decode())] == []


async def test_a_crash_before_the_address_is_freed_is_mended_by_going_on(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, crashes = TABLES.jobs["free_email"], ["once"]

    async def crashing(*args: Any) -> None:
        if crashes:
            raise VeloFluxError(crashes.pop())
        await free(*args)

    monkeypatch.setitem(TABLES.jobs, "free_email", crashing)  # type: ignore[arg-type]
    ana = await cast.person(one_ctx, "ana")
    digest = (await user_of(ana)).email_digest
    await erase(one_ctx, ana.actor.person)
    assert crashes == []
    assert await whole_database.keys_holding(one_ctx.db, digest) == set()
    assert await identity.register(one_ctx, name="Ana", email=cast.email("ana"), password=PASSWORD)


async def test_a_person_that_is_not_there_cannot_be_erased(one_ctx: Context) -> None:
    with pytest.raises(NotFound):
        await personal_data.request_erasure(one_ctx, "usr_0")


async def test_nothing_is_written_to_who_is_erased(one_ctx: Context) -> None:
    ana = await cast.person(one_ctx, "ana")
    await erase(one_ctx, ana.actor.person)
    job = steps.Job(
        id="job_1", owner=ana.actor.person, kind="", payload={"notice": "password_changed"}, run_at=0, created_at=0
    )
    later = msgspec.structs.replace(job, id="job_2", payload={"device": "Firefox", "at": "0"})
    await identity.send_notice(one_ctx, job, steps.Transaction(one_ctx, job.owner))
    await identity.send_new_device(one_ctx, later, steps.Transaction(one_ctx, job.owner))
    assert await mails(one_ctx) == []
    assert await one_ctx.db.call("ZCARD", keys.jobs(job.owner)) == 0


class Late:
    """A mailer whose messages wait until they may go."""

    def __init__(self, mailer: Mailer) -> None:
        self.go, self.waiting, self._mailer = asyncio.Event(), 0, mailer

    async def send(self, id_: str, message: EmailMessage) -> None:
        self.waiting += 1
        await self.go.wait()
        await self._mailer.send(id_, message)


async def test_what_is_being_written_to_a_person_during_the_erasure_does_not_stay(one_ctx: Context) -> None:
    scene = await cast.assemble(one_ctx)
    acme, person = await cast.within(scene.alice, scene.acme), scene.stranger.actor.person
    invitation = await tenants.invite(acme, cast.email("mallory"), "viewer")
    late = Late(one_ctx.parts.mailer)
    slow = msgspec.structs.replace(one_ctx, parts=msgspec.structs.replace(one_ctx.parts, mailer=late))
    plain = steps.Job(id="job_1", owner=person, kind="", payload={}, run_at=0, created_at=0)
    notice = msgspec.structs.replace(plain, payload={"notice": "password_changed"})
    invited = msgspec.structs.replace(plain, id="job_2", owner=acme.tenant, payload={"invitation": invitation.id})
    writing = [
        asyncio.create_task(identity.send_notice(slow, notice, steps.Transaction(slow, person))),
        asyncio.create_task(tenants.send_invitation(slow, invited, steps.Transaction(slow, acme.tenant))),
    ]

    async def all_wait() -> bool:
        return late.waiting == len(writing)

    await until(all_wait)
    await erase(one_ctx, person)
    late.go.set()
    await asyncio.gather(*writing)
    assert [mail.to for mail in await mails(one_ctx) if mail.to == cast.email("mallory")] == []
