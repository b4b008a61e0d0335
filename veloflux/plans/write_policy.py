"""A tenant's policy is written, in each commit that changes what it is made from."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import msgspec

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.db.commit import Commit
from veloflux.plans.catalogue import pick_plan
from veloflux.plans.overrides import Cap, Override
from veloflux.plans.policy import Policy, compiled, version
from veloflux.plans.schedule import Schedule
from veloflux.plans.store import find_overrides, find_schedule, policy_version, read_catalogue


class Holder(Protocol):
    """What of a tenant its policy is made from."""

    @property
    def id(self) -> str: ...
    @property
    def plan(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def clock(self) -> str: ...
    @property
    def fails_open(self) -> bool: ...
    @property
    def billing_anchor(self) -> str: ...


async def write_policy(
    db: Db,
    tx: Commit,
    tenant: Holder,
    overrides: Mapping[str, Override] | None = None,
    schedule: Schedule | None = None,
    *,
    caps: Mapping[str, Cap] | None = None,
) -> Policy:
    """Put what the scripts need to know of a tenant into its limits hash; part of each commit that changes it.

    `overrides`, `schedule` and `caps` are those that this commit writes; None: those that there are.

    The commit is refused when another one has written a policy meanwhile: that may know a later catalogue.

    :raises PlanUnknown: the tenant's plan is not in the catalogue.
    """
    tx.expect(keys.limits(tenant.id), "version", await policy_version(db, tenant.id))
    of = await read_catalogue(db)
    found, planned = await asyncio.gather(find_overrides(db, tenant.id), find_schedule(db, tenant.id))
    if overrides is None:
        overrides = found.rows if found else {}
    if caps is None:
        caps = found.caps if found else {}
    terms, anchor = (tenant.zone, tenant.clock, overrides.values()), tenant.billing_anchor
    policy = msgspec.structs.replace(
        compiled(pick_plan(of.plans, tenant.plan), of, *terms, billing_anchor=anchor, caps=caps.values()),
        fails_open=tenant.fails_open,
        **(schedule or planned).terms(of.meters),
    )
    fields = {"status": tenant.status, "clock": tenant.clock, "policy": policy.text, "version": version(policy.text)}
    tx.put(keys.limits(tenant.id), fields)
    return policy
