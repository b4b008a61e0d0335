"""Operators give a tenant credits, which pay for units beyond its quotas, and void what is left of them.

What is left is counted by the scripts of checks, in the hash of the state. A commit puts instances into it and takes
them out, and never changes one.
"""

import asyncio

import msgspec

from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import AlreadyDone, Conflict, InputInvalid, NotFound
from veloflux.events import CreditGranted, CreditVoided
from veloflux.kit import ids, page
from veloflux.kit.page import Page
from veloflux.limits import store
from veloflux.limits.grant import (
    AMOUNT_MAX,
    INSTANCES_MAX,
    Grant,
    GrantShown,
    Instance,
    Terms,
    as_shown,
    instance_of,
    next_step,
    to_make,
)
from veloflux.plans import Meter, pick_meter, read_policy
from veloflux.plans.catalogue import SUMS
from veloflux.transaction import Transaction, decide


async def grant_credit(ctx: Context, terms: Terms) -> GrantShown:
    """Give credits, which count from the next check on, or from `starts_at`.

    :raises MeterUnknown: no such meter. :raises InputInvalid: its amounts do not add up, it is too much, or its times
    are none. :raises Conflict: the tenant has too many living grants of the meter.
    """
    return await decide(lambda: _grant(ctx, terms))


async def list_grants(ctx: Context, cursor: str = "", limit: int = page.LIMIT) -> Page[GrantShown]:
    """Grants, the newest first, with what is left; also those that ended or were voided."""
    found, following = await store.grants_page(ctx.db, ctx.tenant, cursor, limit)
    meters = sorted({one.meter_key for one in found})
    states = await asyncio.gather(*(store.instances(ctx.db, ctx.tenant, meter) for meter in meters))
    state, now = dict(zip(meters, states, strict=True)), ctx.now()
    return Page([as_shown(one, state[one.meter_key], now) for one in found], following)


async def void_grant(ctx: Context, grant: str) -> GrantShown:
    """Take what is left of a grant, at once, and let it recur no more. What was burned stays paid.

    :raises NotFound: the tenant has no such grant. :raises AlreadyDone: it is void.
    """
    return await decide(lambda: _void(ctx, grant))


async def _grant(ctx: Context, terms: Terms) -> GrantShown:
    tenant = await tenants.find(ctx, ctx.tenant)
    policy = await read_policy(ctx.db, tenant.id)
    if policy is None:
        raise NotFound("There is no such tenant")
    now = ctx.now()
    grant = _made(terms, pick_meter(policy.meters, terms.meter), now)
    number = f"granted:{grant.meter_key}"
    before = await store.granted(ctx.db, tenant.id, number)
    held = await store.instances(ctx.db, tenant.id, grant.meter_key)
    await _require_room(ctx, grant, [one for one in held if not one.over(now)])
    tx = Transaction(ctx, tenant.id)
    tx.expect(keys.limits(tenant.id), number, before)  # or two at once would both have the last place
    tx.add(keys.limits(tenant.id), number, 1)
    grant, made = put_instances(tx, grant, held, tenant.zone, now)
    tx.create(keys.grant(tenant.id, grant.id), grant)
    tx.rank(keys.grants(tenant.id), grant.id, grant.created_at)
    tx.event(CreditGranted(grant=grant.id, meter=grant.meter, amount=grant.amount))
    await tx.commit()
    return as_shown(grant, made, now)


async def _void(ctx: Context, id_: str) -> GrantShown:
    found = await store.find_grant(ctx.db, ctx.tenant, id_) if ids.is_id(id_, "grt") else None
    if found is None:
        raise NotFound(f"This tenant has no grant {id_[:60]!r}")
    if found.status == "void":
        raise AlreadyDone("This grant is void already")
    held = await store.instances(ctx.db, ctx.tenant, found.meter_key)
    tx = Transaction(ctx, ctx.tenant)
    void = tx.change(keys.grant(ctx.tenant, id_), found, msgspec.structs.replace(found, status="void"))
    if mine := [one.id for one in held if one.grant == id_]:
        tx.drop(keys.credit_state(ctx.tenant, found.meter_key), *mine)
    tx.unrank(keys.grants_due(ctx.tenant), id_)
    tx.event(CreditVoided(grant=id_, meter=found.meter))
    await tx.commit()
    return as_shown(void, [], ctx.now())


def put_instances(
    tx: Transaction, grant: Grant, held: list[Instance], zone: str, now: int
) -> tuple[Grant, list[Instance]]:
    """Part of a commit that writes the grant: the instances it lacks, and when it is its turn again.

    What is over leaves the state. Gives the grant as it is to be written, and what was made.
    """
    state = keys.credit_state(tx.owner, grant.meter_key)
    numbers = to_make(grant, zone, now)
    made = [instance_of(grant, zone, number) for number in numbers]
    if over := [one.id for one in held if one.over(now)]:
        tx.drop(state, *over)
    for one in made:
        tx.expect(state, one.id, None)
        tx.put(state, {one.id: one.text})
    if numbers:
        grant = msgspec.structs.replace(grant, made=numbers[-1])
    step = next_step(grant, zone)
    if step is not None and step > now:
        tx.rank(keys.grants_due(tx.owner), grant.id, step)
    else:
        tx.unrank(keys.grants_due(tx.owner), grant.id)
    return grant, made


def _made(terms: Terms, meter: Meter, now: int) -> Grant:
    if meter.aggregation not in SUMS:
        raise InputInvalid(f"The meter {meter.name} has no sum that credits could pay", field="meter")
    if terms.amount * 10**meter.places > AMOUNT_MAX:
        raise InputInvalid(f"The amount is at most {AMOUNT_MAX // 10**meter.places} of this meter", field="amount")
    if terms.rolls_over and terms.recurrence == "none":
        raise InputInvalid("Only what recurs rolls over; say how often it recurs", field="rolls_over")
    starts_at = now if terms.starts_at is None else terms.starts_at
    if terms.expires_at is not None and terms.expires_at <= max(now, starts_at):
        raise InputInvalid("The end must be in the future of the tenant's clock, after the start", field="expires_at")
    return Grant(
        id=ids.new("grt"),
        meter=meter.name,
        meter_key=meter.key,
        places=meter.places,
        amount=terms.amount,
        priority=terms.priority,
        starts_at=starts_at,
        expires_at=terms.expires_at,
        recurrence=terms.recurrence,
        rolls_over=terms.rolls_over,
        note=terms.note,
        created_at=now,
    )


async def _require_room(ctx: Context, grant: Grant, living: list[Instance]) -> None:
    """:raises Conflict: with all that they can have at a time, the grants would pass the bound."""
    others = await store.find_grants(ctx.db, ctx.tenant, {one.grant for one in living})
    if grant.slots + sum(one.slots for one in others) > INSTANCES_MAX:
        raise Conflict(
            f"A tenant has at most {INSTANCES_MAX} living grants of a meter, each period that rolls over counted; "
            "void some, or wait until they end"
        )
