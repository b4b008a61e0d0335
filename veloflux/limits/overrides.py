"""Operators give one tenant another quota, rate or feature than its plan has, for good or until a time."""

import msgspec

from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid, NotFound
from veloflux.events import OverrideRemoved, OverrideSet
from veloflux.plans import Cap, Override, Overrides, find_overrides, pick_plan, read_catalogue, write_policy
from veloflux.plans.overrides import OVERRIDES_MAX
from veloflux.plans.policy import overriding
from veloflux.tenants import Tenant
from veloflux.transaction import Transaction, decide

Rows = dict[str, Override]
Caps = dict[str, Cap]
"""By `<subscription> <meter>`."""


async def list_overrides(ctx: Context) -> list[Override]:
    """Those of the tenant that hold or will, by kind and name."""
    found = await find_overrides(ctx.db, ctx.tenant)
    return list(holding(found, ctx.now()).values())


async def set_override(ctx: Context, override: Override) -> Override:
    """Let it hold from the next check on, instead of one of the same key.

    :raises InputInvalid: the plan has nothing of that name, or its end is over. :raises Conflict: there are too many.
    """
    return await decide(lambda: _set(ctx, override))


async def remove_override(ctx: Context, key: str) -> None:
    """Let the plan hold again.

    :raises NotFound: the tenant has no such override.
    """
    await decide(lambda: _remove(ctx, key))


def holding(found: Overrides | None, now: int) -> Rows:
    """The overrides without those that were over at a time of the tenant's clock."""
    rows = found.rows if found else {}
    return {key: row for key, row in sorted(rows.items()) if row.until is None or now < row.until}


def put_overrides(tx: Transaction, before: Overrides | None, rows: Rows) -> None:
    """Part of a commit that writes the policy too."""
    key = keys.overrides(tx.owner)
    if before is None:
        tx.create(key, Overrides(rows=rows))
    elif before.rows != rows:
        tx.change(key, before, msgspec.structs.replace(before, rows=rows))


async def put_caps(ctx: Context, tx: Transaction, tenant: Tenant, before: Overrides | None, caps: Caps) -> None:
    """Part of the commit of whoever caps what a tenant spends: they hold from the next check on."""
    tx.expect(keys.tenant(tenant.id), "version", str(tenant.version))
    key = keys.overrides(tx.owner)
    if before is None:
        tx.create(key, Overrides(caps=caps))
    else:
        tx.change(key, before, msgspec.structs.replace(before, caps=caps))
    await write_policy(ctx.db, tx, tenant, caps=caps)


async def _set(ctx: Context, override: Override) -> Override:
    tenant = await tenants.find(ctx, ctx.tenant)
    of = await read_catalogue(ctx.db)
    if overriding(override, pick_plan(of.plans, tenant.plan), of) is None:
        raise InputInvalid(
            f"The plan {tenant.plan} has no {override.kind} {override.name!r} of this form", field="name"
        )
    if override.until is not None and override.until <= ctx.now():
        raise InputInvalid("The end must be in the future of the tenant's clock", field="until")
    before = await find_overrides(ctx.db, tenant.id)
    held = holding(before, ctx.now())
    if held.get(override.key) == override:
        return override
    rows = held | {override.key: override}
    if len(rows) > OVERRIDES_MAX:
        raise Conflict(f"A tenant has at most {OVERRIDES_MAX} overrides; make a plan of them")
    tx = await _written(ctx, tenant, before, rows)
    tx.event(OverrideSet(tenant=tenant.id, override=override.key, until=override.until))
    await tx.commit()
    return override


async def _remove(ctx: Context, key: str) -> None:
    tenant = await tenants.find(ctx, ctx.tenant)
    before = await find_overrides(ctx.db, tenant.id)
    rows = holding(before, ctx.now())
    if rows.pop(key, None) is None:
        raise NotFound(f"This tenant has no override {key[:80]!r}")
    tx = await _written(ctx, tenant, before, rows)
    tx.event(OverrideRemoved(tenant=tenant.id, override=key))
    await tx.commit()


async def _written(ctx: Context, tenant: Tenant, before: Overrides | None, rows: Rows) -> Transaction:
    tx = Transaction(ctx, tenant.id)
    tx.expect(keys.tenant(tenant.id), "version", str(tenant.version))
    put_overrides(tx, before, rows)
    await write_policy(ctx.db, tx, tenant, rows)
    return tx
