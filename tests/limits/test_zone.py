"""A tenant gets another time zone: a running day has what was used since it began by the new clocks."""

import asyncio

import msgspec
import pytest

from tests.billing.shop import ms
from tests.customers import at, of
from veloflux import tenants
from veloflux.billing.zone import set_zone
from veloflux.context import Context
from veloflux.limits import Question, check
from veloflux.metering import Event, record
from veloflux.plans import catalogue
from veloflux.plans.catalogue import Quota

SAO_PAULO, TOKYO = "America/Sao_Paulo", "Asia/Tokyo"


async def limited(ctx: Context, period: str, limit: int = 100) -> Context:
    """In a sandbox in São Paulo with one quota."""
    quota, shipped = Quota(meter="requests", limit=limit, period=period), catalogue()
    plans = tuple(msgspec.structs.replace(plan, rates=(), quotas=(quota,)) for plan in shipped.plans)
    await tenants.apply_catalogue(ctx, msgspec.structs.replace(shipped, plans=plans))
    return of(ctx, await tenants.create_tenant(ctx, "Acme", mode="sandbox", zone=SAO_PAULO))


async def use(ctx: Context, cost: int) -> bool:
    return (await check(ctx.parts, ctx.tenant, Question(meter="requests", cost=cost))).allowed


async def used(ctx: Context) -> object:
    return (await check(ctx.parts, ctx.tenant, Question(meter="requests", dry_run=True))).used


@pytest.mark.parametrize(
    ("period", "in_tokyo", "back"),
    [
        ("day", 4 + 2, 2),  # its 10 March began at noon of the 9th
        ("month", 1 + 4 + 2, 1 + 4 + 2),
        ("lifetime", 1 + 4 + 2, 1 + 4 + 2),
    ],
)
async def test_what_a_running_period_has_used(one_ctx: Context, period: str, in_tokyo: int, back: int) -> None:
    acme = await limited(one_ctx, period)
    for time, cost in (("2025-03-09T11:00", 1), ("2025-03-09T13:00", 4), ("2025-03-10T09:00", 2)):
        acme = await at(acme, ms(time, SAO_PAULO))
        assert await use(acme, cost)
    for zone, expected in ((TOKYO, in_tokyo), (SAO_PAULO, back), (TOKYO, in_tokyo)):
        acme = of(acme, await set_zone(acme, zone))
        assert await used(acme) == expected
    late = [Event("http.request", "late", ms("2025-03-09T12:30", SAO_PAULO), data={"bytes": 1})]
    assert (await record(acme.parts, acme.tenant, late)).accepted == 1
    assert await used(acme) == in_tokyo + 1
    acme = await at(acme, ms("2025-03-11", TOKYO) - 1)
    assert await used(acme) == in_tokyo + 1
    acme = await at(acme, ms("2025-03-11", TOKYO))
    assert await used(acme) == (0 if period == "day" else in_tokyo + 1)


async def test_set_while_many_ask_no_more_pass_than_the_quota_has(ctx: Context) -> None:
    acme = await limited(ctx, "day", 20)
    acme = await at(acme, ms("2025-03-10T09:00", SAO_PAULO))  # the same date in both

    async def zones() -> list[bool]:
        for zone in (TOKYO, SAO_PAULO, TOKYO, "Europe/Paris"):
            await set_zone(acme, zone)
        return []

    passed = await asyncio.gather(zones(), *(asyncio.gather(*(use(acme, 1) for _ in range(10))) for _ in range(5)))
    assert sum(map(sum, passed)) == 20
    assert await used(acme) == 20
