"""Nobody floods a mailbox, and nobody learns from the limit whether it has an account."""

from collections.abc import Awaitable, Callable

import pytest

from tests import cast
from tests.cast import PASSWORD, email, fresh, person
from tests.identity.calls import calls_of
from tests.identity.mails import mails, work
from tests.identity.test_attempts import at, pass_waits
from veloflux import identity, tenants
from veloflux.context import Context
from veloflux.errors import TooManyAttempts
from veloflux.identity.mail_limit import FREE_OF_ADDRESS, FREE_TO_MAILBOX, FREE_TO_MAILBOX_FROM_ALL

HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"
Ask = Callable[[Context, str], Awaitable[None]]


async def sign_up(ctx: Context, name: str) -> None:
    await identity.start_registration(ctx, name="Somebody", email=email(name), password=PASSWORD)


async def forget(ctx: Context, name: str) -> None:
    await identity.request_password_reset(ctx, email(name))


async def refused(ask: Ask, ctx: Context, name: str) -> TooManyAttempts:
    with pytest.raises(TooManyAttempts) as error:
        await ask(ctx, name)
    return error.value


@pytest.mark.parametrize("ask", [sign_up, forget])
async def test_one_address_causes_few_messages_to_a_mailbox_with_an_account_and_without(
    one_ctx: Context, ask: Ask
) -> None:
    await person(one_ctx, "ana")
    told = []
    for name in ("ana", "nobody"):
        for _ in range(FREE_TO_MAILBOX):
            await ask(at(one_ctx, HERE), name)
        error = await refused(ask, at(one_ctx, HERE), name)
        told.append((str(error), error.extra))
    assert told[0] == told[1]
    await ask(at(one_ctx, ELSEWHERE), "ana")
    await ask(at(one_ctx, HERE), "somebody-else")


async def test_a_refusal_takes_the_same_calls_with_an_account_and_without(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await person(one_ctx, "ana")
    sent = []
    for name in ("ana", "nobody"):
        for _ in range(FREE_TO_MAILBOX):
            await forget(at(one_ctx, HERE), name)
        with calls_of(one_ctx, monkeypatch) as calls:
            await refused(forget, at(one_ctx, HERE), name)
        sent.append(list(calls))
    assert len(sent[0]) >= 2
    assert sent[0] == sent[1]


async def test_many_addresses_together_cannot_flood_a_mailbox_whatever_they_ask(one_ctx: Context) -> None:
    ana = await person(one_ctx, "ana")
    for number in range(FREE_TO_MAILBOX_FROM_ALL):
        await (sign_up, forget)[number % 2](at(one_ctx, f"198.51.100.{number}"), "ana")
    await refused(forget, at(one_ctx, HERE), "ana")
    await refused(sign_up, at(one_ctx, ELSEWHERE), "ana")
    bob = await person(one_ctx, "bob")
    with pytest.raises(TooManyAttempts):
        await identity.request_email_change(bob, email("ana"), PASSWORD)
    alice = await tenants.create_tenant(bob, "Acme")
    with pytest.raises(TooManyAttempts):
        await tenants.invite(await cast.within(bob, alice), email("ana"), "viewer")
    await work(one_ctx)
    assert len([mail for mail in await mails(one_ctx) if mail.to == email("ana")]) == FREE_TO_MAILBOX_FROM_ALL
    assert (await identity.log_in(fresh(one_ctx), email("ana"), PASSWORD)).person.id == ana.actor.person


async def test_one_address_cannot_write_to_everybody(one_ctx: Context) -> None:
    for number in range(FREE_OF_ADDRESS):
        await forget(at(one_ctx, HERE), f"n{number}")
    await refused(forget, at(one_ctx, HERE), "another")
    await forget(at(one_ctx, ELSEWHERE), "another")


async def test_another_spelling_of_an_address_is_the_same_mailbox(one_ctx: Context) -> None:
    for number in range(FREE_TO_MAILBOX):
        await identity.request_password_reset(at(one_ctx, HERE), ("ana@example.com", "ANA@Example.com")[number % 2])
    await refused(forget, at(one_ctx, HERE), "Ana")


async def test_after_the_wait_a_message_is_sent_again(one_ctx: Context) -> None:
    for _ in range(FREE_TO_MAILBOX):
        await forget(at(one_ctx, HERE), "ana")
    assert (await refused(forget, at(one_ctx, HERE), "ana")).extra["retry_after"] == 2
    await pass_waits(one_ctx)
    await forget(at(one_ctx, HERE), "ana")


async def test_a_tenant_invites_many_persons_but_one_person_not_again_and_again(one_ctx: Context) -> None:
    scene = await cast.assemble(one_ctx)
    alice = await cast.within(scene.alice, scene.acme)
    for number in range(FREE_OF_ADDRESS + 1):
        await tenants.invite(alice, email(f"n{number}"), "viewer")
    for _ in range(FREE_TO_MAILBOX):
        await tenants.invite(alice, email("eve"), "viewer")
    with pytest.raises(TooManyAttempts):
        await tenants.invite(alice, email("eve"), "viewer")
    carol = await cast.within(scene.carol, scene.globex)
    await tenants.invite(carol, email("eve"), "viewer")
