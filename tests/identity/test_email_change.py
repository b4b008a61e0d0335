"""A person gets another address, once both mailboxes have said so."""

import asyncio
from datetime import timedelta

import pytest

from tests.cast import PASSWORD, acting, email, fresh, person
from tests.identity import links
from tests.identity.calls import calls_of
from tests.identity.mails import link_in, mails, work
from tests.whole_database import contents, keys_holding
from veloflux import identity
from veloflux.context import Context
from veloflux.db import keys, names, streams
from veloflux.errors import (
    AlreadyDone,
    ChangedMeanwhile,
    CredentialsWrong,
    InputInvalid,
    LinkExpired,
    NameTaken,
    TooManyAttempts,
)
from veloflux.identity import store
from veloflux.identity.attempts import FREE_HERE
from veloflux.transaction import Transaction
from veloflux.worker import ON_EVENT

NEW = "ana.souza@example.com"


@pytest.fixture
async def ana(ctx: Context) -> Context:
    return await person(ctx, "ana")


async def ask(ana: Context, new: str = NEW) -> tuple[str, str]:
    """The tokens of the links to the new and to the present address."""
    await identity.request_email_change(ana, new, PASSWORD)
    return await links.of_email_change(ana, ana.actor.person)


async def confirm(ctx: Context, token: str) -> bool:
    return await identity.confirm_email_change(fresh(ctx), token)


async def change(ana: Context, new: str = NEW) -> None:
    prove, approve = await ask(ana, new)
    await confirm(ana, prove)
    assert await confirm(ana, approve)


async def address(ana: Context) -> str:
    return (await identity.read_user(ana.db, ana.actor.person)).email


async def owner(ctx: Context, text: str) -> str | None:
    found = await identity.find_by_email(ctx, identity.parse_email(text))
    return found.id if found else None


async def test_the_address_changes_when_both_links_were_used_and_the_session_goes_on(
    ctx: Context, ana: Context
) -> None:
    here = await identity.log_in(fresh(ctx), email("ana"), PASSWORD)
    await identity.request_email_change(acting(ctx, here), NEW, PASSWORD)
    await work(ctx)
    sent = {mail.to: mail for mail in await mails(ctx)}
    assert sent.keys() == {NEW, email("ana")}
    assert NEW in sent[email("ana")].text
    assert not await confirm(ctx, link_in(sent[NEW], "/console/email/"))
    assert await address(ana) == email("ana")
    assert await confirm(ctx, link_in(sent[email("ana")], "/console/email/"))
    assert (await identity.authenticate(ctx.parts, here.token)).email == NEW
    assert await identity.log_in(fresh(ctx), NEW, PASSWORD)
    with pytest.raises(CredentialsWrong):
        await identity.log_in(fresh(ctx), email("ana"), PASSWORD)
    await work(ctx)
    [told] = [mail for mail in await mails(ctx) if mail.subject == "Your e-mail address was changed"]
    assert told.to == email("ana")
    assert NEW in told.text


async def test_the_order_of_the_links_does_not_matter(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    prove, approve = await ask(ana)
    assert not await confirm(one_ctx, approve)
    assert await confirm(one_ctx, prove)
    assert await address(ana) == NEW


async def test_the_old_address_is_free_for_others_and_the_new_one_is_not(ctx: Context, ana: Context) -> None:
    await change(ana)
    with pytest.raises(NameTaken):
        await identity.register(fresh(ctx), name="Eve", email=NEW, password=PASSWORD)
    assert (await person(ctx, "ana")).actor.person == await owner(ctx, email("ana")) != ana.actor.person


async def test_a_person_can_go_back_to_the_former_address(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    await change(ana)
    await change(ana, email("ana"))
    assert await owner(one_ctx, email("ana")) == ana.actor.person
    assert await owner(one_ctx, NEW) is None


async def test_without_the_present_password_nothing_happens_and_guesses_are_limited(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    for _ in range(FREE_HERE):
        with pytest.raises(CredentialsWrong):
            await identity.request_email_change(ana, NEW, "not the password")
    with pytest.raises(TooManyAttempts):
        await identity.request_email_change(ana, NEW, PASSWORD)
    with pytest.raises(TooManyAttempts):
        await identity.change_password(ana, PASSWORD, "a better horse battery staple")
    assert await one_ctx.db.call("EXISTS", keys.email_change(ana.actor.person)) == 0


@pytest.mark.parametrize("new", ["", "nobody", "ana@example.com", " ANA@Example.com "])
async def test_an_address_that_is_none_or_the_present_one_is_refused(one_ctx: Context, new: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        await identity.request_email_change(await person(one_ctx, "ana"), new, PASSWORD)
    assert refused.value.extra["field"] == "email"


async def test_a_taken_address_is_asked_for_alike_and_its_owner_is_told(
    ctx: Context, ana: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await person(ctx, "bob")
    with calls_of(ctx, monkeypatch) as taken:
        await identity.request_email_change(ana, email("bob"), PASSWORD)
    await work(ctx)
    sent = {mail.to: mail for mail in await mails(ctx)}
    assert sent.keys() == {email("ana"), email("bob")}
    assert sent[email("bob")].subject == "Your address has an account already"
    assert "/console/email/" not in sent[email("bob")].text
    await ctx.db.call("DEL", keys.email_change(ana.actor.person))
    with calls_of(ctx, monkeypatch) as new:
        await identity.request_email_change(ana, NEW, PASSWORD)
    assert len(new) >= 3
    assert taken == new


async def test_a_link_works_once_and_after_the_change_neither_does(ctx: Context, ana: Context) -> None:
    prove, approve = await ask(ana)
    await confirm(ctx, prove)
    with pytest.raises(AlreadyDone):
        await confirm(ctx, prove)
    await confirm(ctx, approve)
    for token in (prove, approve):
        with pytest.raises(LinkExpired):
            await confirm(ctx, token)


async def test_both_links_used_many_times_at_once_change_it_once(ctx: Context, ana: Context) -> None:
    both = await ask(ana)
    ended = await asyncio.gather(*(confirm(ctx, both[n % 2]) for n in range(6)), return_exceptions=True)
    assert ended.count(True) <= 1
    assert {type(end) for end in ended} <= {bool, AlreadyDone, LinkExpired, ChangedMeanwhile}
    for token in both:
        try:
            await confirm(ctx, token)
        except (AlreadyDone, LinkExpired):
            continue
    assert await address(ana) == NEW
    said = [event.name for event in await streams.after(ctx.db, ana.actor.person, "", 100)]
    assert said.count("user.email_changed") == 1


async def test_of_two_persons_who_change_to_one_address_one_gets_it(ctx: Context, ana: Context) -> None:
    bob = await person(ctx, "bob")
    last = []
    for one in (ana, bob):
        prove, approve = await ask(one)
        await confirm(ctx, prove)
        last.append(approve)
    ended = await asyncio.gather(*(confirm(ctx, token) for token in last), return_exceptions=True)
    assert ended.count(True) == 1
    assert sorted([type(end) for end in ended], key=str) == sorted([bool, NameTaken], key=str)
    winner, loser = (ana, bob) if ended[0] is True else (bob, ana)
    assert await owner(ctx, NEW) == winner.actor.person
    assert await address(loser) in (email("ana"), email("bob"))


async def test_an_address_that_got_an_account_meanwhile_is_taken(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    prove, approve = await ask(ana, email("zoe"))
    await confirm(one_ctx, prove)
    zoe = await person(one_ctx, "zoe")
    with pytest.raises(NameTaken):
        await confirm(one_ctx, approve)
    assert await owner(one_ctx, email("zoe")) == zoe.actor.person
    assert await address(ana) == email("ana")


@pytest.mark.parametrize("side", [0, 1])
async def test_either_mailbox_can_refuse_and_then_nothing_is_left(one_ctx: Context, side: int) -> None:
    ana = await person(one_ctx, "ana")
    both = await ask(ana)
    await confirm(one_ctx, both[1 - side])
    await identity.refuse_email_change(fresh(one_ctx), both[side])
    for token in both:
        with pytest.raises(LinkExpired):
            await confirm(one_ctx, token)
        with pytest.raises(LinkExpired):
            await identity.refuse_email_change(fresh(one_ctx), token)
    assert await keys_holding(one_ctx.db, NEW) == set()


async def test_asking_again_voids_the_links_before_and_forgets_what_they_confirmed(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    before = await ask(ana)
    await confirm(one_ctx, before[0])
    prove, approve = await ask(ana, "other@example.com")
    for token in before:
        with pytest.raises(LinkExpired):
            await confirm(one_ctx, token)
    assert not await confirm(one_ctx, prove)
    assert await confirm(one_ctx, approve)
    assert await address(ana) == "other@example.com"


async def test_a_new_password_voids_the_change(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    prove, _ = await ask(ana)
    await identity.change_password(ana, PASSWORD, "a better horse battery staple")
    with pytest.raises(LinkExpired):
        await confirm(one_ctx, prove)


async def test_a_person_who_is_disabled_or_gone_meanwhile_changes_nothing(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    prove, approve = await ask(ana)
    await confirm(one_ctx, prove)
    await one_ctx.db.call("HSET", keys.user(ana.actor.person), "status", "disabled")
    with pytest.raises(LinkExpired):
        await confirm(one_ctx, approve)
    await one_ctx.db.call("DEL", keys.user(ana.actor.person))
    with pytest.raises(LinkExpired):
        await confirm(one_ctx, approve)
    assert await owner(one_ctx, NEW) is None


async def test_a_change_voids_the_links_to_the_old_address(ctx: Context, ana: Context) -> None:
    await identity.request_password_reset(fresh(ctx), email("ana"))
    [token] = await links.of_reset(ctx, ana.actor.person)
    await change(ana)
    with pytest.raises(LinkExpired):
        await identity.reset_password(fresh(ctx), token, "a better horse battery staple")


async def test_a_change_waits_for_a_day(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    prove, _ = await ask(ana)
    key = keys.email_change(ana.actor.person)
    await confirm(one_ctx, prove)
    assert 0 < await one_ctx.db.call("PTTL", key) <= timedelta(days=1) / timedelta(milliseconds=1)


async def test_a_change_that_stopped_after_the_claim_is_done_by_the_link_again(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await person(one_ctx, "ana")
    prove, approve = await ask(ana)
    await confirm(one_ctx, prove)
    pending = await store.find_email_change(one_ctx.db, ana.actor.person)
    assert pending
    await names._claim(one_ctx.db, store.email_name(pending.email_digest), ana.actor.person)
    with pytest.raises(ChangedMeanwhile):
        await confirm(one_ctx, approve)
    monkeypatch.setattr(names, "PENDING_MS", 0)
    assert await confirm(one_ctx, approve)
    assert await owner(one_ctx, NEW) == ana.actor.person


async def test_a_change_that_stopped_before_the_old_address_was_free_is_mended_by_the_worker(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await person(one_ctx, "ana")
    user = await identity.read_user(one_ctx.db, ana.actor.person)
    former = store.email_name(user.email_digest)

    async def stops(*_args: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(names, "release", stops)
        with pytest.raises(asyncio.CancelledError):
            await change(ana)
    assert await names.claimant(one_ctx.db, former) == user.id
    await work(one_ctx)
    assert await names.claimant(one_ctx.db, former) is None


async def test_the_trail_tells_it_without_an_address_in_clear(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    await change(ana)
    await work(one_ctx)
    user = ana.actor.person
    holding = await keys_holding(one_ctx.db, NEW)
    assert holding == {keys.user(user), keys.users_search(), keys.user_search(user)}
    assert await keys_holding(one_ctx.db, email("ana")) == set()
    said = await streams.after(one_ctx.db, ana.actor.person, "", 100)
    [event] = [event for event in said if event.name == "user.email_changed"]
    assert event.changes[ana.actor.person]["email"][2] == "sealed"
    assert event.actor == ana.actor.person


async def test_who_is_erased_before_the_old_address_was_told_gets_no_mail(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    await change(ana)
    user = ana.actor.person
    *_, event = await streams.after(one_ctx.db, user, "", 100)
    await one_ctx.db.call("DEL", keys.data_key(user, user))
    for handler in ON_EVENT["user.email_changed"]:
        await handler(one_ctx, event, Transaction(one_ctx, user))  # type: ignore[operator]
    await work(one_ctx)
    assert "Your e-mail address was changed" not in {mail.subject for mail in await mails(one_ctx)}


@pytest.mark.parametrize("token", ["", "0", "a.b.c", "x" * 10_000, "}.{.0", "\ud800"])
async def test_a_token_of_another_form_is_refused(one_ctx: Context, token: str) -> None:
    with pytest.raises(LinkExpired):
        await confirm(one_ctx, token)


async def test_a_forged_token_is_refused_and_changes_nothing(one_ctx: Context) -> None:
    ana, bob = await person(one_ctx, "ana"), await person(one_ctx, "bob")
    prove, _ = await ask(ana)
    user, change_id, mac = prove.split(".")
    before = await contents(one_ctx.db)
    for forged in (f"{bob.actor.person[4:]}.{change_id}.{mac}", f"{user}.{change_id}.{mac[::-1]}"):
        with pytest.raises(LinkExpired):
            await confirm(one_ctx, forged)
    assert await contents(one_ctx.db) == before
