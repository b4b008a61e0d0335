"""A tenant that is archived, or wants to be deleted, is not charged any more."""

from collections.abc import Awaitable, Callable

import pytest

from tests.billing.shop import invoices, ms, on, proven, subscribed
from tests.identity.mails import work
from veloflux import tenants
from veloflux.billing import store
from veloflux.context import Context


async def delete(ctx: Context) -> None:
    await tenants.delete_tenant(ctx, (await tenants.find(ctx, ctx.tenant)).slug)


@pytest.mark.parametrize("leave", [tenants.archive_tenant, delete])
async def test_the_subscriptions_of_a_tenant_that_leaves_end_with_it(
    one_ctx: Context, leave: Callable[[Context], Awaitable[object]]
) -> None:
    acme, sub = await subscribed(one_ctx, "2024-02-18", plan="hundred")
    acme = await on(acme, "2024-02-25")
    await leave(acme)
    await work(acme)
    ended = await store.subscription(acme, sub)
    assert (ended.status, ended.ended_at) == ("cancelled", ms("2024-02-25"))
    assert len(await invoices(acme)) == 2, "of the start, and of the end, which credits what is unused"
    await proven(acme)
