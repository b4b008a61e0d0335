import asyncio

import pytest

from tests import cast
from tests.identity.mails import mails, work
from tests.tenants.test_platform_roles import colleague, ruling
from veloflux import audit, identity, tenants, users
from veloflux.context import PLATFORM, Context
from veloflux.db import keys, streams
from veloflux.errors import (
    Conflict,
    ImpersonationForbids,
    InputInvalid,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
)
from veloflux.identity import SignedIn
from veloflux.tenants.permissions import OUTLASTING
from veloflux.users.impersonate import note_impersonation

REASON = "Ticket 4711"


async def supporting(ctx: Context, name: str = "sam") -> Context:
    """Somebody of the support, who may act as others; there is an operator too."""
    if await tenants.new_setup_link(ctx):
        await cast.operator(ctx)
    return await tenants.authorise_platform(await colleague(ctx, name, "support"), "users:impersonate")


async def acting(ctx: Context, sam: Context, user: str) -> tuple[Context, SignedIn]:
    """What a request of the impersonation is."""
    signed_in = await users.impersonate(sam, user, REASON)
    person = await users.authenticate(ctx.parts, signed_in.token)
    assert person.person == signed_in.person
    return cast.fresh(ctx).acting(person.actor("198.51.100.9")), signed_in


async def test_support_acts_as_a_person_and_the_trail_names_both_and_the_reason(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    sam, alice = await supporting(ctx), scene.alice.actor.person
    as_alice, signed_in = await acting(ctx, sam, alice)
    within = await tenants.authorise(as_alice, "acme", "tenant:write")
    assert within.permissions == tenants.ROLES["owner"] - OUTLASTING
    await tenants.rename_tenant(within, "Acme Ltda.")
    reading = await cast.within(scene.alice, scene.acme)
    [entry] = (await audit.list_trail(reading, actor=sam.actor.id)).items
    assert (entry.name, entry.actor, entry.impersonator) == ("tenant.renamed", alice, sam.actor.id)
    assert (entry.impersonation, entry.address) == (signed_in.person.impersonation, "198.51.100.9")
    [*_, started] = await streams.after(ctx.db, alice, "", 100)
    assert (started.name, started.actor) == ("impersonation.started", sam.actor.id)
    *_, shown = [one async for one in audit.whole_trail(ctx, alice)]
    assert [change.after for change in shown.changes if change.field == "reason"] == [REASON]
    assert REASON not in str(started.changes)
    assert started.data["ends_at"] == signed_in.ends_at


async def test_person_tenants_and_platform_are_told_once(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    sam, bob = await supporting(ctx), scene.bob.actor.person
    await work(ctx)
    before = len(await mails(ctx))
    _, signed_in = await acting(ctx, sam, bob)
    await work(ctx)
    assert [mail.subject for mail in await mails(ctx)][: -before or None] == [
        "Somebody of our team looks at your account"
    ]
    said = {"user": bob, "impersonation": signed_in.person.impersonation, "impersonator": sam.actor.id}
    [started] = [one for one in await streams.after(ctx.db, bob, "", 100) if one.name == "impersonation.started"]
    await note_impersonation(ctx, started, None)  # type: ignore[arg-type]  # as after a crash before the cursor moved
    for tenant in (scene.acme.id, PLATFORM):
        noted = [one for one in await streams.after(ctx.db, tenant, "", 100) if one.name == "impersonation.noted"]
        assert [one.data for one in noted] == [said]
    assert not [one for one in await streams.after(ctx.db, scene.globex.id, "", 100) if "impersonation" in one.name]


async def test_what_would_outlast_it_is_refused_and_so_is_all_of_the_platform(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    olivia = await cast.operator(ctx)
    operating = await tenants.authorise_platform(olivia, "users:impersonate")
    sue = await colleague(ctx, "sue", "support")
    await cast.join(await cast.within(scene.alice, scene.acme), sue, "owner")
    as_sue, _ = await acting(ctx, operating, sue.actor.person)
    for permission in OUTLASTING:
        with pytest.raises(ImpersonationForbids):
            await tenants.authorise(as_sue, "acme", permission)
    for permission in tenants.EVERYTHING:
        with pytest.raises(ImpersonationForbids):
            await tenants.authorise_platform(as_sue, permission)
    for ref in ("globex", PLATFORM):
        with pytest.raises(NotFound):
            await tenants.authorise(as_sue, ref, "tenant:read")
    assert [one.slug for one in (await tenants.list_tenants(as_sue)).items] == ["acme"]


async def test_it_is_no_sign_of_life_and_makes_no_device_known(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    bob = scene.bob.actor.person
    places = await ctx.db.call("ZRANGE", keys.known_places(bob), 0, -1)
    before = await users.show_person(await ruling(ctx), bob)
    as_bob, signed_in = await acting(ctx, await supporting(ctx), bob)
    path = keys.session(bob, as_bob.actor.session)
    await ctx.db.call("HSET", path, "seen_at", 1)
    life = await ctx.db.call("PTTL", path)
    await users.authenticate(ctx.parts, signed_in.token)
    assert await ctx.db.call("HGET", path, "seen_at") == "1"
    assert await ctx.db.call("PTTL", path) <= life <= 30 * 60_000
    after = await users.show_person(await ruling(ctx), bob)
    assert (after.seen_at, after.sessions) == (before.seen_at, before.sessions)
    assert await ctx.db.call("ZRANGE", keys.known_places(bob), 0, -1) == places
    assert as_bob.actor.session not in [one.id for one in await identity.list_sessions(scene.bob)]


async def test_it_ends_early_by_whoever_acts_by_the_person_and_by_the_time(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    sam, bob = await supporting(ctx), scene.bob.actor.person
    as_bob, signed_in = await acting(ctx, sam, bob)
    await identity.stop_impersonation(as_bob)
    with pytest.raises(NotAuthenticated):
        await users.authenticate(ctx.parts, signed_in.token)
    with pytest.raises(Conflict):
        await identity.stop_impersonation(as_bob)
    [*_, ended] = await streams.after(ctx.db, bob, "", 100)
    assert (ended.name, ended.actor, ended.impersonator) == ("impersonation.ended", bob, sam.actor.id)
    _, signed_in = await acting(ctx, sam, bob)
    await identity.end_sessions(scene.bob, "others")
    with pytest.raises(NotAuthenticated):
        await users.authenticate(ctx.parts, signed_in.token)
    as_bob, signed_in = await acting(ctx, sam, bob)
    await ctx.db.call("HSET", keys.session(bob, as_bob.actor.session), "ends_at", 1)
    with pytest.raises(NotAuthenticated):
        await users.authenticate(ctx.parts, signed_in.token)
    with pytest.raises(Conflict):
        await identity.stop_impersonation(scene.bob)


@pytest.mark.parametrize("loss", ["demoted", "removed", "disabled"])
async def test_it_ends_with_the_next_request_when_who_acts_may_no_longer(ctx: Context, loss: str) -> None:
    scene = await cast.assemble(ctx)
    sam = await supporting(ctx)
    _, signed_in = await acting(ctx, sam, scene.bob.actor.person)
    rule, who = await ruling(ctx), sam.actor.person
    if loss == "demoted":
        await tenants.set_member_role(rule, who, "finance")
    elif loss == "removed":
        await tenants.remove_member(rule, who)
    else:
        await ctx.db.call("HSET", keys.user(who), "status", "disabled")
    with pytest.raises(NotAuthenticated):
        await users.authenticate(ctx.parts, signed_in.token)


async def test_nobody_acts_as_who_may_more_or_as_themselves_or_by_a_key(ctx: Context) -> None:
    olivia = await cast.operator(ctx)
    sam = await supporting(ctx)
    with pytest.raises(PermissionDenied, match="more on the platform"):
        await users.impersonate(sam, olivia.actor.person, REASON)
    with pytest.raises(Conflict):
        await users.impersonate(sam, sam.actor.person, REASON)
    operating = await tenants.authorise_platform(olivia, "api_keys:write")
    key = await tenants.create_api_key(operating, "gateway")
    program = cast.fresh(ctx).acting(await tenants.authenticate_api_key(ctx.parts, key.token))
    with pytest.raises(PermissionDenied, match="not a key"):
        await users.impersonate(
            await tenants.authorise_platform(program, "users:impersonate"), sam.actor.person, REASON
        )
    finance = await colleague(ctx, "fay", "finance")
    with pytest.raises(PermissionDenied):
        await tenants.authorise_platform(finance, "users:impersonate")


async def test_bad_input_is_refused_and_starts_nothing(ctx: Context) -> None:
    ana = (await cast.person(ctx, "ana")).actor.person
    sam = await supporting(ctx)
    for reason, minutes in (("", 30), (" ", 30), ("x" * 501, 30), (REASON, 0), (REASON, 61), (REASON, -1)):
        with pytest.raises(InputInvalid):
            await users.impersonate(sam, ana, reason, minutes)
    for user in ("", "usr_1", "usr_1}", "ten_0"):
        with pytest.raises(NotFound):
            await users.impersonate(sam, user, REASON)
    await users.disable_person(await ruling(ctx), ana)
    with pytest.raises(Conflict):
        await users.impersonate(sam, ana, REASON)
    assert await ctx.db.every_master("KEYS", "*:impersonation:*") in ([[]], [[], [], []])


async def test_a_person_who_is_disabled_at_the_same_time_is_not_acted_as_afterwards(ctx: Context) -> None:
    ana = (await cast.person(ctx, "ana")).actor.person
    sam, rule = await supporting(ctx), await ruling(ctx)
    started, _ = await asyncio.gather(
        users.impersonate(sam, ana, REASON), users.disable_person(rule, ana), return_exceptions=True
    )
    assert isinstance(started, SignedIn | Conflict)
    if isinstance(started, SignedIn):
        with pytest.raises(NotAuthenticated):
            await users.authenticate(ctx.parts, started.token)


async def test_from_the_terminal_the_impersonator_is_who_sits_there(ctx: Context) -> None:
    ana = (await cast.person(ctx, "ana")).actor.person
    as_ana, _ = await acting(ctx, await ruling(ctx), ana)
    assert as_ana.actor.impersonator == ctx.actor.id == "cli:test"
    await tenants.create_tenant(as_ana, "Ana's")
    [*_, made] = await streams.after(ctx.db, await _tenant_of(as_ana), "", 10)
    assert (made.actor, made.impersonator, made.address) == (ana, "cli:test", "")


async def _tenant_of(ctx: Context) -> str:
    return (await tenants.list_tenants(ctx)).items[0].id
