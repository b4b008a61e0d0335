"""For each script, calls that together give every code it declares: through the product where it has a way to, by hand
where the product prevents it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from tests import cast, customers
from tests.metering.counting import EVERY_METER, job
from veloflux import identity, limits, metering, tenants
from veloflux.billing.store import number_of
from veloflux.context import Context
from veloflux.db import commit, due, keys, names
from veloflux.db.commit import Commit
from veloflux.db.names import Claim, Name
from veloflux.errors import VeloFluxError
from veloflux.kit.pace import Pace
from veloflux.limits import Question
from veloflux.metering import Event, store
from veloflux.metering.known import known
from veloflux.metering.prune_usage import prune_tenant
from veloflux.plans.catalogue import Rate, catalogue
from veloflux.tenants import store as tenants_store
from veloflux.tenants.model import ApiKey

Example = Callable[[Context], Awaitable[None]]
OWNER = "ten_0wner"
NEVER = Pace(2, 1)
"""A limit under which no call may come."""
SLUG = Name("slug", "acme", "slug")
BILLED: dict[str, object] = {"billed": ("requests",), "cuts": (customers.NOON - customers.DAY,)}


async def commits(ctx: Context) -> None:
    change = Commit(OWNER)
    change.put(keys.tenant(OWNER), {"name": "Acme"})
    change.append({"name": "tenant.created"})
    for _ in range(2):
        await commit.run(ctx.db, change)


async def commits_that_are_refused(ctx: Context) -> None:
    await ctx.db.call("HSET", keys.tenant(OWNER), "name", "Acme", "count", "no number")
    for refuse in (
        lambda change: change.expect_absent(keys.tenant(OWNER)),
        lambda change: change.rank(keys.tenant(OWNER), "a", 1),
        lambda change: change.add(keys.tenant(OWNER), "count", 1),
        lambda change: change.put(keys.tenant(OWNER), {}),
    ):
        change = Commit(OWNER)
        refuse(change)
        change.append({"name": "never.said"})
        with suppress(VeloFluxError):
            await commit.run(ctx.db, change)


async def names_claimed_and_released(ctx: Context) -> None:
    async with names.claimed(ctx.db, SLUG, OWNER):
        await ctx.db.call("HSET", keys.tenant(OWNER), "slug", "acme")
    held = await ctx.db.call("GET", SLUG.key)
    await ctx.db.repeat(names.CONFIRM, [SLUG.key], ["another claim", "another claim, confirmed"])
    await ctx.db.repeat(names.RELEASE, [SLUG.key], ["another claim"])
    await ctx.db.repeat(names.RELEASE, [SLUG.key], [held])


async def names_judged(ctx: Context) -> None:
    for value in ("acme", "globex"):
        await ctx.db.call("HSET", keys.tenant(OWNER), "slug", "acme")
        claim = Claim(OWNER, f"clm_{value}", 0)
        name = Name("slug", value, "slug")
        await ctx.db.call("SET", name.key, msgspec.json.encode(claim))
        await names.release(ctx.db, name, OWNER)


async def owners_due(ctx: Context) -> None:
    await ctx.db.call("ZADD", keys.due(OWNER), 0, OWNER, 1, f"{OWNER}/job_1")
    [lease], more = await due.claim(ctx.db, OWNER, 60_000, 1)
    assert more
    [_job], more = await due.claim(ctx.db, OWNER, 60_000, 1)
    assert not more
    assert (await due.claim(ctx.db, OWNER, 60_000, 5)).leases == []
    assert await lease.extend(ctx.db, 120_000)
    stale = due.Lease(OWNER, 1)
    assert not await stale.extend(ctx.db, 60_000)
    await ctx.db.call("XADD", keys.events(OWNER), "1-1", "name", "bell.rang")
    assert await lease.leave(ctx.db) == "MORE"
    await ctx.db.call("HSET", keys.outbox(OWNER), "cursor", "1-1")
    assert await due.Lease(OWNER, 1).leave(ctx.db) == "GONE"
    assert await lease.leave(ctx.db) == "OK"


async def duties(ctx: Context) -> None:
    assert await due.hold(ctx.db, keys.poll_lease(), "wrk_1", 60_000)
    assert not await due.hold(ctx.db, keys.poll_lease(), "wrk_2", 60_000)
    assert await due.hold(ctx.db, keys.poll_lease(), "wrk_1", 0)


async def sessions(ctx: Context) -> None:
    await identity.register(cast.fresh(ctx), name="Ana", email=cast.email("ana"), password=cast.PASSWORD)
    signed_in = await identity.log_in(cast.fresh(ctx), cast.email("ana"), cast.PASSWORD)
    user, _, secret = signed_in.token.partition(".")
    await identity.store.run_authenticate(ctx.db, f"usr_{user}", signed_in.person.session, 60_000, NEVER)
    await identity.authenticate(ctx.parts, signed_in.token)
    await _refused(identity.authenticate(ctx.parts, f"{user}.{secret[::-1]}"))
    await ctx.db.call("HSET", keys.user(f"usr_{user}"), "status", "closed")
    await _refused(identity.authenticate(ctx.parts, signed_in.token))


async def attempts_until_one_waits(ctx: Context) -> None:
    for _ in range(7):
        await _refused(identity.log_in(cast.fresh(ctx), cast.email("ana"), "a wrong guess"))
    await sessions(ctx)


async def checks(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    mine, guest = await customers.key(acme), await customers.key(acme, "viewer")
    await customers.put_policy(acme, rates=(customers.rate(burst=3),), quotas=(customers.quota(5),), **BILLED)
    for asked in (
        customers.asked(mine, id_="a"),
        customers.asked(mine, id_="a"),
        customers.asked(mine, id_="a", cost=2),
        customers.asked(mine, cost=4),
        customers.asked(mine, cost=9),
        customers.asked(guest),
        customers.asked(await customers.key(acme, addresses=("203.0.113.0/24",)), address="203.0.113.9"),
        msgspec.structs.replace(customers.asked(mine), key=(mine.key.id, "0" * 64)),
    ):
        await _refused(limits.check(acme.parts, acme.tenant, asked))
    own = await customers.key(acme, rates=(Rate(name="own", meter="requests", limit="1/s"),))
    await limits.check(acme.parts, acme.tenant, customers.asked(own))
    await customers.put_policy(acme, rates=())
    held = await limits.reserve(acme.parts, acme.tenant, Question(meter="requests", id="r"))
    await limits.release(acme.parts, acme.tenant, held.id)
    await _refused(limits.reserve(acme.parts, acme.tenant, Question(meter="requests", id="r")))
    await customers.let_a_generation_pass(acme)
    await limits.check(acme.parts, acme.tenant, Question(meter="requests", id="b"))
    await ctx.db.call("HSET", keys.total(acme.tenant, "requests", "2025-05"), "sum", 10**18 - 1)
    await _refused(limits.check(acme.parts, acme.tenant, customers.asked(mine)))
    await ctx.db.call("HSET", keys.limits(acme.tenant), "status", "closed")
    await _refused(limits.check(acme.parts, acme.tenant, Question(meter="requests")))


async def strangers(ctx: Context) -> None:
    await identity.admit_address(ctx.parts, "203.0.113.9")
    await identity.store.run_pace(ctx.db, "adr_1", NEVER)


async def reservations(ctx: Context) -> None:
    acme = await customers.customer(ctx, clock="")
    mine, guest = await customers.key(acme), await customers.key(acme, "viewer")
    near = await customers.key(acme, addresses=("203.0.113.0/24",))
    held = [await limits.reserve(acme.parts, acme.tenant, Question(meter="requests")) for _ in range(3)]
    await customers.put_policy(acme, quotas=(customers.quota(5), customers.quota(9, period="day")), **BILLED)
    for id_, asked in (
        (held[0].id, customers.asked(mine)),
        (held[0].id, customers.asked(guest)),
        (held[0].id, customers.asked(near, address="203.0.113.9")),
        (held[0].id, msgspec.structs.replace(customers.asked(mine), key=(mine.key.id, "0" * 64))),
        (f"rsv_{'0' * 26}.requests", customers.asked(mine)),
    ):
        await _refused(limits.commit(acme.parts, acme.tenant, id_, 2, asked))
    await limits.release(acme.parts, acme.tenant, held[1].id)
    known(acme.tenant).learn_time(0)
    await limits.commit(acme.parts, acme.tenant, held[2].id, 1)
    last = await limits.reserve(acme.parts, acme.tenant, Question(meter="requests"))
    for name in await ctx.db.scan(keys.entry("total").glob()):
        await ctx.db.call("HSET", name, "sum", 10**18 - 1)
    await _refused(limits.commit(acme.parts, acme.tenant, last.id, 1))
    await ctx.db.call("HSET", keys.limits(acme.tenant), "status", "closed")
    await _refused(limits.commit(acme.parts, acme.tenant, last.id, 1))


async def periods(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    quotas = [customers.quota(9, period=period) for period in ("day", "month", "billing", "lifetime")]
    await customers.put_policy(acme, quotas=tuple(quotas))
    await limits.check(acme.parts, acme.tenant, Question(meter="requests"))
    asked = [keys.limits(acme.tenant)], ["open:requests", "something else", "", 0]
    await ctx.db.script(store.OPEN_PERIODS, *asked)


async def records_of_quotas(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    await customers.put_policy(
        acme, rates=(), quotas=(customers.quota(2, thresholds=(50,)), customers.quota(1, period="day"))
    )
    await ctx.db.call("HSET", keys.credit_state(acme.tenant, "requests"), "grt_1", "5|5|0|0|")
    await metering.record(acme.parts, acme.tenant, [_request("a"), _request("b")])
    await ctx.db.call("HSET", keys.counted(acme.tenant, "requests", "d2025-05-17"), "sum", 10**18 - 1)
    await _refused(metering.record(acme.parts, acme.tenant, [_request("c")]))


async def api_keys(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    mine = await customers.key(acme)
    await tenants.authenticate_api_key(acme.parts, mine.token)
    page = await tenants.create_api_key(acme, "page", kind="publishable")
    limit, hour_us = keys.publishable_limit(acme.tenant, page.key.id, "adr_1"), 3_600_000_000
    for _ in range(2):
        await _refused(tenants_store.run_admit(acme.db, acme.tenant, page.key.id, limit, Pace(hour_us, hour_us)))
    await tenants.revoke_api_key(acme, page.key.id)
    await tenants_store.run_admit(acme.db, acme.tenant, page.key.id, limit, Pace(hour_us, hour_us))
    place = keys.api_key(acme.tenant, mine.key.id)
    await _refused(tenants_store.run_authenticate(acme.db, ApiKey, place, mine.key.digest, NEVER))
    await _refused(tenants_store.run_authenticate(acme.db, ApiKey, place, "0" * 64, NEVER))
    await tenants_store.run_note_use(acme.db, acme.tenant, mine.key.id)
    await tenants.revoke_api_key(acme, mine.key.id)
    await tenants_store.run_note_use(acme.db, acme.tenant, mine.key.id)


async def days_that_leave_their_index(ctx: Context) -> None:
    await ctx.db.call("ZADD", keys.usage_days(OWNER), 0, "requests:1970-01-01")
    assert await prune_tenant(ctx, OWNER) == 1


async def records(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    events = [_request(str(at)) for at in range(5)]
    await metering.record(acme.parts, acme.tenant, events)
    await customers.let_a_generation_pass(acme)
    await metering.record(acme.parts, acme.tenant, [*events, _request("new")])
    await ctx.db.call("HSET", keys.total(acme.tenant, "requests", "2025-05"), "sum", 10**18 - 1)
    await _refused(metering.record(acme.parts, acme.tenant, [_request("last")]))
    await ctx.db.call("HSET", keys.limits(acme.tenant), "status", "closed")
    await _refused(metering.record(acme.parts, acme.tenant, [_request("late")]))


async def records_of_a_full_bucket(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    await customers.put_policy(acme, rates=(), quotas=())
    await metering.record(acme.parts, acme.tenant, [_request("first")])
    await metering.record(acme.parts, acme.tenant, [_request(str(at)) for at in range(128)])


async def checks_of_a_full_bucket(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    await customers.put_policy(acme, rates=(), quotas=())
    await metering.record(acme.parts, acme.tenant, [_request("first")])
    one = keys.seen(acme.tenant, "1", "0")
    await ctx.db.call("HSET", one, *(part for at in range(127) for part in (f"\0\0\0\0{at:04}", "0")))
    await limits.check(acme.parts, acme.tenant, Question(meter="requests", id="one too many"))


async def splits(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    await metering.record(acme.parts, acme.tenant, [_request(str(at)) for at in range(50)])
    names = [keys.limits(acme.tenant), keys.seen(acme.tenant, "1", "0"), keys.seen(acme.tenant, "1", "1")]
    state = await ctx.db.call("HGET", names[0], "seen")
    for _ in range(2):
        await store.run_split(ctx.db, names, state)


async def raw_events(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    await store.run_keep(ctx.db, acme.tenant, 2, 60_000, [b"[1]", b"[2]", b"[3]"])
    await ctx.db.call("HSET", keys.limits(acme.tenant), "status", "closed")
    await store.run_keep(ctx.db, acme.tenant, 2, 60_000, [b"[4]"])


async def records_of_every_aggregation(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    await customers.put_policy(acme, meters=EVERY_METER, billed=("count", "sum"), cuts=BILLED["cuts"])
    await ctx.db.call("HSET", keys.limits(acme.tenant), "closed_through", customers.NOON - 60_000)
    jobs = [job(str(n), customers.NOON - n * 7_000, n - 9, region=n % 3) for n in range(20)]
    await metering.record(acme.parts, acme.tenant, jobs)


async def standings(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    await customers.put_policy(acme, **BILLED)
    await metering.record(acme.parts, acme.tenant, [_request("1")])
    await metering.read_standing(ctx.db, acme.tenant, catalogue().meters[:1], "UTC", customers.NOON)


async def numbers(ctx: Context) -> None:
    for invoice in ("inv_1", "inv_2", "inv_1"):
        await number_of(ctx.db, "invoice", invoice)


EXAMPLES: dict[str, tuple[Example, ...]] = {
    "billing/number": (numbers,),
    "db/commit": (commits, commits_that_are_refused),
    "identity/attempt": (attempts_until_one_waits,),
    "identity/authenticate": (sessions,),
    "identity/pace": (strangers,),
    "identity/uncount": (sessions,),
    "limits/check": (checks, checks_of_a_full_bucket),
    "limits/settle": (reservations,),
    "metering/keep": (raw_events,),
    "metering/open_periods": (periods,),
    "metering/prune": (days_that_leave_their_index,),
    "metering/record": (records, records_of_a_full_bucket, records_of_every_aggregation, records_of_quotas),
    "metering/split": (splits,),
    "metering/standing": (standings,),
    "names/confirm": (names_claimed_and_released,),
    "names/judge": (names_judged,),
    "names/release": (names_claimed_and_released,),
    "tenants/admit": (api_keys,),
    "tenants/authenticate": (api_keys,),
    "tenants/note_use": (api_keys,),
    "worker/claim": (owners_due,),
    "worker/hold": (duties,),
    "worker/leave": (owners_due,),
    "worker/move": (owners_due,),
}


async def _refused(call: Awaitable[object]) -> None:
    """What the answer is, the fence has noted."""
    with suppress(VeloFluxError):
        await call


def _request(id_: str) -> Event:
    return Event("http.request", id_, customers.NOON, data={"bytes": 7})
