"""Who lost the second factor asks the operator."""

import asyncio

import pytest

from tests import cast
from tests.cast import PASSWORD, email
from tests.identity.apps import challenged, with_app
from tests.identity.mails import mails, work
from tests.tenants.test_platform_roles import colleague, ruling
from veloflux import identity, tenants, users
from veloflux.context import Context
from veloflux.errors import Conflict, NotAuthenticated, NotFound, PermissionDenied


async def test_the_password_alone_signs_in_again_and_the_person_is_told(ctx: Context) -> None:
    ana = await cast.person(ctx, "ana")
    await with_app(ana)
    assert await challenged(ctx, "ana")
    user = ana.actor.person
    assert (await users.show_person(await ruling(ctx), user)).factors == ["totp", "recovery_code"]
    await users.remove_factors(await ruling(ctx), user)
    assert (await identity.log_in(cast.fresh(ctx), email("ana"), PASSWORD)).person.id == user
    assert (await users.show_person(await ruling(ctx), user)).factors == []
    await work(ctx)
    assert "A second factor was removed from your account" in [mail.subject for mail in await mails(ctx)]
    with pytest.raises(Conflict, match="no second factor"):
        await users.remove_factors(await ruling(ctx), user)


async def test_a_session_that_was_open_adds_no_other_one(one_ctx: Context) -> None:
    ana = await cast.person(one_ctx, "ana")
    await with_app(ana)
    begun = await identity.enrol_totp(await cast.person(one_ctx, "bob"))
    assert begun.secret
    await users.remove_factors(await ruling(one_ctx), ana.actor.person)
    with pytest.raises(NotAuthenticated):
        await with_app(ana)
    assert (await users.show_person(await ruling(one_ctx), ana.actor.person)).factors == []


async def test_of_two_at_the_same_time_one_removes_them(one_ctx: Context) -> None:
    ana = await cast.person(one_ctx, "ana")
    await with_app(ana)
    ruled = await ruling(one_ctx)
    ended = await asyncio.gather(
        *(users.remove_factors(ruled, ana.actor.person) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in ended) == ["Conflict", "UserShown"]


async def test_only_who_may_change_people_can_and_not_those_above(one_ctx: Context) -> None:
    olivia, ana = await cast.operator(one_ctx), await cast.person(one_ctx, "ana")
    await with_app(ana)
    await with_app(olivia)
    sam = await colleague(one_ctx, "sam", "support")
    with pytest.raises(PermissionDenied):
        await tenants.authorise_platform(sam, "users:write")
    supporting = await tenants.authorise_platform(sam, "users:read")
    with pytest.raises(PermissionDenied):
        await users.remove_factors(supporting, olivia.actor.person)
    with pytest.raises(NotFound):
        await users.remove_factors(await ruling(one_ctx), "usr_0")
