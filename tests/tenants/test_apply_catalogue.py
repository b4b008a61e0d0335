"""Another catalogue: what it becomes, who may not be left without a plan, and how it reaches every tenant."""

import asyncio

import msgspec
import pytest

from tests.customers import customer
from tests.identity.mails import work
from veloflux import audit, jobs, metering, tenants
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.db.jobs import Job
from veloflux.errors import ChangedMeanwhile, Conflict, InputInvalid, MeterUnknown, PlanUnknown
from veloflux.events import PolicyCompiled
from veloflux.limits import Question, check
from veloflux.metering import Event, record
from veloflux.plans import Catalogue, Meter, catalogue, read_catalogue, read_policy, write_policy
from veloflux.plans.catalogue import Quota
from veloflux.tenants import rollout
from veloflux.transaction import Transaction
from veloflux.worker.acting import acting_for

GB = Meter(name="gb", event_type="stored", aggregation="sum", value_property="gb", unit="GB", places=2)


def changed(*, requests: int = 1_000, **meter: object) -> Catalogue:
    """The shipped catalogue with another quota of free, and other terms of the meter bytes."""
    shipped = catalogue()
    counts, sums = shipped.meters
    free, *others = shipped.plans
    free = msgspec.structs.replace(free, quotas=(Quota(meter="requests", limit=requests),))
    meters = (counts, msgspec.structs.replace(sums, **meter))
    return msgspec.structs.replace(shipped, meters=meters, plans=(free, *others))


async def limit_of(ctx: Context, tenant: str) -> int:
    policy = await read_policy(ctx.db, tenant)
    assert policy
    return policy.quotas[0].limit


async def test_the_shipped_catalogue_is_in_force_until_another_is_applied(ctx: Context) -> None:
    assert await read_catalogue(ctx.db) == catalogue()
    applied = await tenants.apply_catalogue(ctx, changed(requests=5))
    assert [change.words for change in applied.changes] == ["plan free: changed (quotas)"]
    found = await read_catalogue(ctx.db)
    assert (applied.version, found.version, found.plans[0].quotas[0].limit) == (1, 1, 5)
    [entry] = [one async for one in audit.whole_trail(ctx, PLATFORM) if one.name == "catalogue.changed"]
    assert (entry.actor, entry.data) == ("cli:test", {"catalogue": 1})


async def test_a_dry_run_and_what_changes_nothing_change_nothing(one_ctx: Context) -> None:
    dry = await tenants.apply_catalogue(one_ctx, changed(requests=5), dry_run=True)
    assert (dry.version, len(dry.changes)) == (0, 1)
    assert await tenants.apply_catalogue(one_ctx, catalogue()) == tenants.Applied(version=0, changes=[])
    assert await read_catalogue(one_ctx.db) == catalogue()


@pytest.mark.parametrize(
    ("terms", "version", "word"),
    [
        ({"unit": "B", "display_name": "Bytes"}, 1, "meter bytes: changed (display_name, unit)"),
        ({"value_property": "size"}, 2, "meter bytes: new version 2 (value_property)"),
        ({"aggregation": "max"}, 2, "meter bytes: new version 2 (aggregation)"),
        ({"event_type": "download"}, 2, "meter bytes: new version 2 (event_type)"),
        ({"group_by": ("region",)}, 2, "meter bytes: new version 2 (group_by)"),
        ({"places": 3, "unit": "kB"}, 2, "meter bytes: new version 2 (unit, places)"),
        ({"version": 9}, 1, None),
    ],
)
async def test_what_a_meter_counts_makes_a_version_and_how_it_is_called_does_not(
    one_ctx: Context, terms: dict[str, object], version: int, word: str | None
) -> None:
    applied = await tenants.apply_catalogue(one_ctx, changed(**terms))
    assert [change.words for change in applied.changes] == ([word] if word else [])
    found = await read_catalogue(one_ctx.db)
    assert found.meters[1].version == version
    assert found.former == (() if version == 1 else (catalogue().meters[1],))


async def test_a_meter_that_comes_back_does_not_go_on_where_it_was(one_ctx: Context) -> None:
    await tenants.add_meter(one_ctx, GB)
    await tenants.apply_catalogue(one_ctx, catalogue())
    assert (await tenants.add_meter(one_ctx, GB)).key == "gb__2"
    assert [meter.key for meter in (await read_catalogue(one_ctx.db)).former] == ["gb"]


async def test_a_meter_is_added_and_changed_by_itself(one_ctx: Context) -> None:
    assert await tenants.add_meter(one_ctx, GB) == GB
    with pytest.raises(Conflict, match="already"):
        await tenants.add_meter(one_ctx, GB)
    finer = await tenants.change_meter(one_ctx, "gb", msgspec.structs.replace(GB, places=3))
    assert (finer.places, finer.version) == (3, 2)
    with pytest.raises(MeterUnknown):
        await tenants.change_meter(one_ctx, "tb", msgspec.structs.replace(GB, name="tb"))
    with pytest.raises(InputInvalid, match="keeps its name"):
        await tenants.change_meter(one_ctx, "gb", msgspec.structs.replace(GB, name="tb"))
    largest = msgspec.structs.replace(catalogue().meters[0], aggregation="max", value_property="n")
    with pytest.raises(InputInvalid, match="do not count or sum: requests"):
        await tenants.change_meter(one_ctx, "requests", largest)


async def test_a_plan_that_tenants_have_stays_and_they_are_named(ctx: Context) -> None:
    await customer(ctx, "Acme", plan="pro")
    await tenants.archive_tenant(await customer(ctx, "Box", plan="pro"))
    shipped = catalogue()
    without = msgspec.structs.replace(shipped, plans=(shipped.plans[0], shipped.plans[2]))
    with pytest.raises(Conflict, match=r"have the plan pro: acme, box\."):
        await tenants.apply_catalogue(ctx, without)
    others = msgspec.structs.replace(shipped, plans=shipped.plans[:2])
    assert [change.words for change in (await tenants.apply_catalogue(ctx, others)).changes] == [
        "plan enterprise: removed"
    ]


async def test_of_two_changes_made_from_the_same_version_one_is_refused(one_ctx: Context) -> None:
    await tenants.apply_catalogue(one_ctx, changed(requests=5))
    present = await read_catalogue(one_ctx.db)
    await tenants.apply_catalogue(one_ctx, changed(requests=6))
    with pytest.raises(Conflict, match="version 2; load it again"):
        await tenants.apply_catalogue(one_ctx, msgspec.structs.replace(present, plans=present.plans[:2]))
    both = await asyncio.gather(*(tenants.add_meter(one_ctx, named) for named in (GB, _named("tb"))))
    assert {meter.name for meter in both} < {meter.name for meter in (await read_catalogue(one_ctx.db)).meters}


async def test_a_catalogue_that_is_too_long_is_refused(one_ctx: Context) -> None:
    long = tuple(_named(f"m{number}", event_type="e" * 100, value_property="p" * 100) for number in range(190))
    with pytest.raises(InputInvalid, match="at most 50000"):
        await tenants.apply_catalogue(
            one_ctx, msgspec.structs.replace(catalogue(), meters=(*catalogue().meters, *long))
        )


async def test_every_tenant_follows_and_checks_by_the_new_catalogue(ctx: Context) -> None:
    acme, box = await customer(ctx, "Acme"), await customer(ctx, "Box")
    await tenants.archive_tenant(box)
    assert (await check(ctx.parts, acme.tenant, Question(meter="requests"))).limit == 1_000
    await tenants.apply_catalogue(ctx, changed(requests=5))
    assert (await check(ctx.parts, acme.tenant, Question(meter="requests"))).limit == 1_000  # until its own commit
    await work(ctx)
    assert (await check(ctx.parts, acme.tenant, Question(meter="requests"))).limit == 5
    assert await limit_of(ctx, box.tenant) == 5
    progress = await tenants.read_rollout(ctx)
    assert (progress.version, progress.done, progress.left) == (1, 2, 0)
    assert progress.finished_at
    [entry] = [one async for one in audit.whole_trail(ctx, acme.tenant) if one.name == "policy.compiled"]
    assert (entry.actor, entry.data) == ("worker", {"tenant": acme.tenant, "catalogue": 1})


async def test_usage_of_a_former_version_stays_and_the_new_one_begins_at_nothing(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await record(acme.parts, acme.tenant, [Event(id="1", type="http.request", data={"bytes": 7, "size": 1})])
    await tenants.apply_catalogue(one_ctx, changed(value_property="size"))
    await work(one_ctx)
    await record(acme.parts, acme.tenant, [Event(id="2", type="http.request", data={"bytes": 8, "size": 2})])
    month = "2025-05"
    assert await metering.totals(one_ctx.db, acme.tenant, "bytes", [month]) == [7]
    assert await metering.totals(one_ctx.db, acme.tenant, "bytes__2", [month]) == [2]
    assert (await metering.read_usage(acme, "bytes")).total == 2


async def test_a_crash_in_the_walk_goes_on_where_it_was(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "TENANTS_A_RUN", 2)
    names = ["Acme", "Box", "Cee", "Dot", "Eve"]
    made = [(await customer(ctx, name)).tenant for name in names]
    await work(ctx)
    await tenants.apply_catalogue(ctx, changed(requests=5))
    worker = await acting_for(ctx, PLATFORM)
    job = await the_job(ctx)
    await rollout.compile_policies(worker, job, Transaction(worker, PLATFORM))  # and dies before its last commit
    assert (await tenants.read_rollout(ctx)).done == 0
    assert sorted([await limit_of(ctx, tenant) for tenant in made]) == [5, 5, 1_000, 1_000, 1_000]
    before = {tenant: await commits_of(ctx, tenant) for tenant in made}
    await work(ctx)
    assert [await limit_of(ctx, tenant) for tenant in made] == [5] * 5
    progress = await tenants.read_rollout(ctx)
    assert (progress.done, progress.left) == (5, 0)
    assert sorted([await commits_of(ctx, tenant) - before[tenant] for tenant in made]) == [0, 0, 1, 1, 1]


async def test_a_change_meanwhile_begins_anew_and_ends_the_walk_before(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await tenants.apply_catalogue(one_ctx, changed(requests=5))
    await tenants.apply_catalogue(one_ctx, changed(requests=6))
    await work(one_ctx)
    assert await limit_of(one_ctx, acme.tenant) == 6
    progress = await tenants.read_rollout(one_ctx)
    assert (progress.version, progress.done) == (2, 1)


async def test_who_still_knows_the_former_catalogue_cannot_write_a_policy_over_the_new_one(ctx: Context) -> None:
    acme = await customer(ctx)
    tenant = await tenants.find(ctx, acme.tenant)
    late = Transaction(acme, acme.tenant)
    await write_policy(ctx.db, late, tenant)  # of another process, which stops here for a while
    late.event(PolicyCompiled(tenant=tenant.id, catalogue=0))
    await tenants.apply_catalogue(ctx, changed(requests=5))
    await work(ctx)
    with pytest.raises(ChangedMeanwhile):
        await late.commit()
    assert await limit_of(ctx, acme.tenant) == 5


async def test_clocks_moved_during_the_walk_leave_the_catalogue_in_force(ctx: Context) -> None:
    acme = await customer(ctx)
    moves = (tenants.set_clock(acme, "stopped", 1_747_494_000_000 + number) for number in range(3))
    await asyncio.gather(tenants.apply_catalogue(ctx, changed(requests=5)), *moves)
    await work(ctx)
    policy, tenant = await read_policy(ctx.db, acme.tenant), await tenants.find(ctx, acme.tenant)
    assert policy
    assert (policy.catalogue, policy.quotas[0].limit, policy.clock) == (1, 5, tenant.clock)


async def test_a_tenant_that_the_walk_could_not_see_follows_by_its_own_event(one_ctx: Context) -> None:
    shipped = await customer(one_ctx, "Late")
    await one_ctx.db.call("DEL", keys.tenants())  # it was committed, and not listed yet
    await tenants.apply_catalogue(one_ctx, changed(requests=5))
    await work(one_ctx)
    assert await limit_of(one_ctx, shipped.tenant) == 5


async def test_a_tenant_whose_plan_is_gone_keeps_its_policy_and_is_counted(one_ctx: Context) -> None:
    acme = await customer(one_ctx, plan="pro")
    await one_ctx.db.call("HSET", keys.tenant(acme.tenant), "plan", "gone")  # moved there as the plan was removed
    await tenants.apply_catalogue(one_ctx, changed(requests=5))
    await work(one_ctx)
    progress = await tenants.read_rollout(one_ctx)
    assert (progress.done, progress.left) == (0, 1)
    assert await limit_of(one_ctx, acme.tenant) == 1_000_000


async def test_a_new_tenant_has_the_first_plan_that_there_is(one_ctx: Context) -> None:
    free, *others = catalogue().plans
    renamed = msgspec.structs.replace(free, id="trial")
    await tenants.apply_catalogue(one_ctx, msgspec.structs.replace(catalogue(), plans=(renamed, *others)))
    assert (await tenants.create_tenant(one_ctx, "Acme")).plan == "trial"
    with pytest.raises(PlanUnknown, match="trial, pro, enterprise"):
        await tenants.create_tenant(one_ctx, "Box", plan="free")


async def the_job(ctx: Context) -> Job:
    [job] = (await jobs.of_owner(ctx, PLATFORM)).items
    return job


async def commits_of(ctx: Context, tenant: str) -> int:
    return int(await ctx.db.call("XLEN", keys.events(tenant)))


def _named(name: str, **terms: object) -> Meter:
    return msgspec.structs.replace(GB, name=name, **terms)
