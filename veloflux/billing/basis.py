"""What invoices of a tenant are made on: the tenant, its record, how it is billed, the catalogue, the schedule."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.arithmetic.cycle import Calendar, Offer
from veloflux.billing.model import Profile, Selection, Subscription
from veloflux.context import Context
from veloflux.plans import Catalogue, Schedule, find_schedule, read_catalogue
from veloflux.plans.catalogue import pick_version
from veloflux.tenants import Tenant
from veloflux.tenants.model import TenantRecord


class Basis(NamedTuple):
    """Read once for a piece of work."""

    tenant: Tenant
    record: TenantRecord
    profile: Profile
    catalogue: Catalogue
    schedule: Schedule

    @property
    def calendar(self) -> Calendar:
        """How the tenant's periods are counted."""
        return Calendar(self.tenant.zone, self.profile.proration == "day")

    def offer(self, selection: Selection, currency: str) -> Offer:
        """What a selection is of, as the catalogue has it. :raises PlanUnknown: it has no such version."""
        return Offer(
            pick_version(self.catalogue, selection.plan, selection.plan_version),
            {one.id: one for one in self.catalogue.addons},
            {one.id: one for one in self.catalogue.coupons},
            currency,
        )

    def offer_of(self, sub: Subscription) -> Offer:
        """What a subscription is of at present."""
        return self.offer(sub.selection, sub.currency)

    def offers(self, sub: Subscription) -> Callable[[Selection], Offer]:
        """What each selection is of that a subscription had."""
        return lambda selection: self.offer(selection, sub.currency)


async def read_basis(ctx: Context) -> Basis:
    """:raises NotFound: there is no such tenant."""
    tenant, record, profile, catalogue, schedule = await asyncio.gather(
        tenants.find(ctx, ctx.tenant),
        tenants.read_record(ctx),
        store.find_profile(ctx.db, ctx.tenant),
        read_catalogue(ctx.db),
        find_schedule(ctx.db, ctx.tenant),
    )
    return Basis(tenant, record, profile or Profile(id=""), catalogue, schedule)
