"""A tenant suspended, archived, deleted and brought back."""

import asyncio
import itertools

import msgspec
import pytest

from tests import cast, customers, whole_database
from tests.worker.working import nothing_due, until, working
from veloflux import limits, metering, tenants
from veloflux.context import PLATFORM, Context
from veloflux.db import keys, streams
from veloflux.errors import (
    Conflict,
    InputInvalid,
    LinkExpired,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    TenantReadOnly,
    TenantSuspended,
    VeloFluxError,
)
from veloflux.kit import clock
from veloflux.metering import store as usage
from veloflux.tenants import Tenant, store
from veloflux.tenants.life import CHANGES
from veloflux.worker import TABLES

VERBS = {
    "suspend": lambda ctx: tenants.suspend_tenant(ctx, "overdue"),
    "resume": tenants.resume_tenant,
    "archive": tenants.archive_tenant,
    "delete": lambda ctx: tenants.delete_tenant(ctx, "acme"),
    "restore": tenants.restore_tenant,
}
WAYS = {"active": (), "suspended": ("suspend",), "archived": ("archive",), "deleting": ("delete",)}


async def slug_to_id(ctx: Context, slug: str) -> str | None:
    found = await store.find_by_slug(ctx.db, slug)
    return found.id if found else None


async def work(ctx: Context) -> None:
    async with working(ctx.parts, TABLES):
        await until(lambda: nothing_due(ctx))


def without_grace(ctx: Context) -> Context:
    settings = msgspec.structs.replace(ctx.settings, tenant_grace_days=0)
    return msgspec.structs.replace(ctx, parts=msgspec.structs.replace(ctx.parts, settings=settings))


async def listed(ctx: Context, *, archived: bool = False) -> list[str]:
    return [tenant.slug for tenant in (await tenants.list_tenants(ctx, archived=archived)).items]


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(WAYS, VERBS)))
async def test_a_tenant_goes_from_state_to_state_as_the_table_says(one_ctx: Context, state: str, verb: str) -> None:
    made = await tenants.create_tenant(one_ctx, "Acme")
    ctx = customers.of(one_ctx, made)
    for step in WAYS[state]:
        await VERBS[step](ctx)
    if state in CHANGES[verb].origins:
        assert (await VERBS[verb](ctx)).status == CHANGES[verb].to
    else:
        with pytest.raises(Conflict, match=state):
            await VERBS[verb](ctx)
        assert (await tenants.find(ctx, made.id)).status == state


@pytest.mark.parametrize("verb", VERBS)
async def test_the_platforms_own_tenant_stays_as_it_is(one_ctx: Context, verb: str) -> None:
    ctx = customers.of(one_ctx, await tenants.find(one_ctx, PLATFORM))
    with pytest.raises((Conflict, InputInvalid)):
        await VERBS[verb](ctx)
    with pytest.raises(Conflict):
        await tenants.rename_tenant(ctx, "Other")


async def test_a_suspended_tenants_members_and_keys_are_refused_from_the_next_request_on(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    operator = await cast.operator(ctx)
    acme = customers.of(ctx, scene.acme)
    key = await customers.key(acme)
    actor = await tenants.authenticate_api_key(ctx.parts, key.token)
    asked = customers.asked(key)
    assert (await limits.check(ctx.parts, scene.acme.id, asked)).allowed
    await tenants.suspend_tenant(acme, "Three invoices are overdue")
    for someone in (scene.alice, scene.bob, ctx.acting(actor)):
        with pytest.raises(TenantSuspended):
            await tenants.authorise(someone, "acme", "tenant:read")
    with pytest.raises(TenantSuspended):
        await limits.check(ctx.parts, scene.acme.id, asked)
    with pytest.raises(TenantSuspended):
        await metering.record(
            ctx.parts, scene.acme.id, [metering.Event("http.request", "1", clock.now_ms(), data={"bytes": 1})]
        )
    with pytest.raises(TenantSuspended):
        await tenants.list_tenants(ctx.acting(actor))
    with pytest.raises(NotFound):
        await tenants.authorise(scene.carol, "acme", "tenant:read")
    assert "acme" in await listed(scene.alice)
    await tenants.resume_tenant(await tenants.authorise(operator, "acme", "tenant:suspend"))
    assert await cast.within(scene.bob, scene.acme)
    assert (await limits.check(ctx.parts, scene.acme.id, asked)).allowed


async def test_only_operators_suspend_and_only_owners_close(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    await cast.join(await cast.within(scene.alice, scene.acme), scene.stranger, "admin")
    for someone, permission in ((scene.alice, "tenant:suspend"), (scene.stranger, "tenant:close")):
        with pytest.raises(PermissionDenied) as refused:
            await tenants.authorise(someone, "acme", permission)
        assert refused.value.code == "permission_denied"
    assert await cast.within(scene.alice, scene.acme, "tenant:close")


async def test_an_archived_tenant_is_read_only_and_out_of_the_lists_until_it_is_restored(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    invitation = await tenants.invite(alice, cast.email("mallory"), "member")
    await tenants.archive_tenant(alice)
    assert (await cast.within(scene.alice, scene.acme, "usage:read")).permissions == {
        "tenant:read",
        "tenant:close",
        "usage:read",
        "api_keys:read",
        "members:read",
        "audit:read",
        "credits:read",
        "billing:read",
        "jobs:read",
    }
    with pytest.raises(TenantReadOnly):
        await cast.within(scene.alice, scene.acme, "api_keys:write")
    with pytest.raises(TenantReadOnly):
        await limits.check(ctx.parts, scene.acme.id, limits.Question(meter="requests"))
    with pytest.raises(LinkExpired):
        await tenants.accept_invitation(scene.stranger, cast.token(alice, invitation.id))
    assert (await listed(scene.alice), await listed(scene.alice, archived=True)) == ([], ["acme"])
    assert (await listed(ctx), await listed(ctx, archived=True)) == (["globex"], ["acme"])
    await tenants.restore_tenant(await cast.within(scene.alice, scene.acme, "tenant:close"))
    await work(ctx)
    assert (await listed(ctx, archived=True), await listed(scene.alice)) == ([], ["acme"])
    await tenants.accept_invitation(scene.stranger, cast.token(alice, invitation.id))


async def test_the_lists_follow_from_the_events_alone(ctx: Context) -> None:
    made = await tenants.create_tenant(ctx, "Acme")
    await work(ctx)
    await tenants.archive_tenant(customers.of(ctx, made))
    await ctx.db.call("DEL", keys.tenants_archived())  # as if the process had died after its commit
    await ctx.db.call("ZADD", keys.tenants(), made.created_at, made.id)
    await work(ctx)
    assert (await listed(ctx), await listed(ctx, archived=True)) == ([], ["acme"])


async def test_a_suspension_is_not_ended_by_restoring(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    acme = customers.of(ctx, scene.acme)
    await tenants.suspend_tenant(acme, "overdue")
    await tenants.delete_tenant(acme, "acme")
    with pytest.raises(TenantSuspended):
        await cast.within(scene.alice, scene.acme, "tenant:close")
    assert (await tenants.restore_tenant(acme)).status == "suspended"
    assert (await tenants.resume_tenant(acme)).status == "active"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x00b"])
async def test_a_reason_is_one_line_of_text(one_ctx: Context, reason: str) -> None:
    acme = customers.of(one_ctx, await tenants.create_tenant(one_ctx, "Acme"))
    with pytest.raises(InputInvalid) as refused:
        await tenants.suspend_tenant(acme, reason)
    assert refused.value.extra["field"] == "reason"


async def test_a_deletion_is_confirmed_by_the_slug_and_waits_for_the_days_of_grace(ctx: Context) -> None:
    acme = customers.of(ctx, await tenants.create_tenant(ctx, "Acme"))
    for other in ("", "acm", "ACME", acme.tenant):
        with pytest.raises(InputInvalid):
            await tenants.delete_tenant(acme, other)
    before = clock.now_ms()
    asked = await tenants.delete_tenant(acme, "acme")
    assert asked.delete_at
    assert before + 30 * clock.DAY_MS <= asked.delete_at <= clock.now_ms() + 30 * clock.DAY_MS
    [job] = await ctx.db.call("ZRANGE", keys.jobs(acme.tenant), 0, -1)
    assert await ctx.db.call("HGET", keys.job(acme.tenant, job), "run_at") == str(asked.delete_at)


async def test_what_was_restored_is_not_deleted_when_the_time_comes(ctx: Context) -> None:
    acme = customers.of(without_grace(ctx), await tenants.create_tenant(ctx, "Acme"))
    await tenants.delete_tenant(acme, "acme")
    await tenants.restore_tenant(acme)
    await work(ctx)
    assert await ctx.db.call("ZCARD", keys.jobs(acme.tenant)) == 0
    assert (await tenants.find(ctx, "acme")).status == "active"


async def test_the_job_of_a_deletion_that_was_undone_does_not_hasten_the_next_one(ctx: Context) -> None:
    made = await tenants.create_tenant(ctx, "Acme")
    await tenants.delete_tenant(customers.of(without_grace(ctx), made), "acme")
    await tenants.restore_tenant(customers.of(ctx, made))
    await tenants.delete_tenant(customers.of(ctx, made), "acme")
    await work_what_is_due(ctx, made)
    assert (await tenants.find(ctx, "acme")).status == "deleting"


async def work_what_is_due(ctx: Context, tenant: Tenant) -> None:
    async def one_job_left() -> bool:
        return bool(await ctx.db.call("ZCARD", keys.jobs(tenant.id)) == 1)

    async with working(ctx.parts, TABLES):
        await until(one_job_left)


async def test_nothing_of_a_deleted_tenant_remains_but_its_trail(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    acme = await tenants.create_tenant(scene.alice, "Box", mode="sandbox")
    inside = await cast.within(scene.alice, acme)
    await cast.join(inside, scene.stranger, "member")
    await tenants.invite(inside, "eve@example.com", "viewer")
    for at in (customers.NOON, customers.NOON + 20 * customers.DAY):
        moved = await customers.at(inside, at)
        key = await customers.key(moved)
        assert (
            await limits.check(ctx.parts, acme.id, customers.asked(key, id_=f"{at}", address="203.0.113.9"))
        ).allowed
    await usage.run_keep(ctx.db, acme.id, 10, 60_000, [b"[]"])
    await work(ctx)
    await tenants.delete_tenant(customers.of(without_grace(ctx), acme), "box")
    await work(ctx)

    left = {name for name in await whole_database.contents(ctx.db) if acme.id in name}
    passing = {name for name in left if ":done:" in name or ":address:" in name or ":fence:" in name}
    assert left - passing == {keys.tenant(acme.id), keys.events(acme.id), keys.outbox(acme.id)}
    for name in passing:
        assert await ctx.db.call("PTTL", name) > 0
    assert (sorted(await listed(ctx)), await listed(ctx, archived=True)) == (["acme", "globex"], [])
    assert await listed(scene.stranger) == []
    assert acme.id not in await store.tenants_of(ctx.db, scene.stranger.actor.person)
    tombstone = await tenants.find(ctx, acme.id)
    assert (tombstone.status, tombstone.slug, tombstone.name, tombstone.owners) == ("deleted", "", "", 0)
    names = [event.name for event in await streams.after(ctx.db, acme.id, "", 100)]
    assert names[0] == "tenant.created"
    assert [name for name in names if name.startswith("tenant.d")] == ["tenant.deletion_requested", "tenant.deleted"]
    assert names.count("member.removed") == 2


async def test_a_deleted_tenant_is_gone_for_everybody_and_its_slug_is_free(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    operator = await cast.operator(ctx)
    key = await customers.key(customers.of(ctx, scene.acme))
    await tenants.delete_tenant(customers.of(without_grace(ctx), scene.acme), "acme")
    await work(ctx)
    for ref in ("acme", scene.acme.id):
        with pytest.raises(NotFound):
            await tenants.authorise(scene.alice, ref, "tenant:read")
    with pytest.raises(NotAuthenticated):
        await tenants.authenticate_api_key(ctx.parts, key.token)
    with pytest.raises(NotAuthenticated):
        await limits.check(ctx.parts, scene.acme.id, customers.asked(key))
    for change in VERBS.values():
        with pytest.raises((Conflict, InputInvalid)):
            await change(customers.of(ctx, scene.acme))
    assert "audit:read" in (await tenants.authorise(operator, scene.acme.id, "audit:read")).permissions
    again = await tenants.create_tenant(scene.carol, "Acme")
    assert (again.slug, await slug_to_id(ctx, "acme")) == ("acme", again.id)


async def test_a_removal_that_crashed_goes_on_where_it_was(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    box = await customers.customer(ctx, "Box")
    for number in range(90):
        await ctx.db.call("ZADD", keys.api_keys(box.tenant), number, f"key_{number}")
        await ctx.db.call("HSET", keys.api_key(box.tenant, f"key_{number}"), "status", "active")
    await cast.join(box, scene.stranger, "owner")
    await tenants.delete_tenant(without_grace(box), "box")
    handlers = dict(TABLES.on_event)
    calls = 0

    async def dies(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise VeloFluxError("crash")

    steps = handlers["tenant.deleted"]
    handlers["tenant.deleted"] = [*steps[:3], dies, *steps[3:]]
    async with working(ctx.parts, TABLES._replace(on_event=handlers)):
        await until(lambda: nothing_due(ctx))
    assert calls == 3
    left = {name for name in await whole_database.contents(ctx.db) if box.tenant in name and ":done:" not in name}
    left = {name for name in left if ":fence:" not in name}
    assert left == {keys.tenant(box.tenant), keys.events(box.tenant), keys.outbox(box.tenant)}


async def test_of_a_restore_and_the_deletion_at_the_same_time_one_happens(ctx: Context) -> None:
    for number in range(5):
        made = await tenants.create_tenant(ctx, f"Acme {number}")
        acme = customers.of(without_grace(ctx), made)
        await tenants.delete_tenant(acme, made.slug)
        async with working(ctx.parts, TABLES):
            restored = (await asyncio.gather(tenants.restore_tenant(acme), return_exceptions=True))[0]
            await until(lambda: nothing_due(ctx))
        status = (await tenants.find(ctx, made.id)).status
        assert (isinstance(restored, Conflict), status) in ((True, "deleted"), (False, "active"))
