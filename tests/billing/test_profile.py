"""How a tenant is billed."""

import msgspec
import pytest

from tests.billing.stories import acme, item, ms, prove
from veloflux import tenants
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.billing.profile import ProfileTerms, read_profile, set_profile
from veloflux.context import PLATFORM, Context
from veloflux.errors import Conflict, InputInvalid
from veloflux.plans import catalogue
from veloflux.plans.prices import Tax

ISS = Tax(id="iss", name="ISS", percent="5", countries=("BR",))


async def taxed(ctx: Context) -> None:
    await tenants.apply_catalogue(ctx, msgspec.structs.replace(catalogue(), taxes=(ISS,)))


async def test_a_profile_holds_from_the_next_invoice_on(ctx: Context) -> None:
    tenant = await acme(ctx)
    assert await read_profile(tenant) == ProfileTerms()
    before = await item(tenant)
    wanted = ProfileTerms(days_to_pay=30, withholdings=(Withholding(name="IRRF", percent="1.5"),), proration="day")
    assert await set_profile(tenant, wanted) == wanted
    assert await read_profile(tenant) == wanted
    after = await item(tenant)
    assert (before.due, before.due_at) == (10_000, tenant.now())
    assert (after.due, after.due_at) == (9_850, ms("2026-02-09T12:00"))
    assert await set_profile(tenant, ProfileTerms()) == ProfileTerms()
    assert (await item(tenant)).due == 10_000
    await prove(tenant)


@pytest.mark.parametrize(
    ("taxes", "total"),
    [
        pytest.param(None, 10_500, id="those of its place"),
        pytest.param((), 10_000, id="none: it is exempt"),
        pytest.param(("iss",), 10_500, id="a list of its own"),
    ],
)
async def test_the_taxes_of_a_profile(one_ctx: Context, taxes: tuple[str, ...] | None, total: int) -> None:
    tenant = await acme(one_ctx)
    await taxed(tenant)
    await set_profile(tenant, ProfileTerms(taxes=taxes))
    assert (await item(tenant)).due == total
    await prove(tenant)


async def test_a_tax_that_the_catalogue_lacks(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    with pytest.raises(InputInvalid) as refused:
        await set_profile(tenant, ProfileTerms(taxes=("iss",)))
    assert refused.value.extra["field"] == "taxes"
    assert await read_profile(tenant) == ProfileTerms()


async def test_the_platform_is_not_billed(one_ctx: Context) -> None:
    platform = await tenants.find(one_ctx, PLATFORM)
    with pytest.raises(Conflict):
        await set_profile(one_ctx.within(tenants.scope_of(platform)), ProfileTerms())
