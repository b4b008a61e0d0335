"""However many processes ask, no request too many passes."""

from tests import crowd
from tests.customers import asked, customer, key, put_policy
from veloflux.context import Context
from veloflux.limits import check
from veloflux.metering import read_usage


async def passed(ctx: Context, processes: int, times: int) -> list[int]:
    """How often each of several processes was allowed to pass, that ask at the same time."""
    question = asked(await key(ctx))
    assert question.key
    running = await crowd.started("tests.limits.asking", ctx.db.url, ctx.tenant, processes, times, *question.key)
    return [count for [count] in await crowd.told(running)]


async def test_two_processes_with_50_requests_each_share_a_burst_of_20(ctx: Context) -> None:
    acme = await customer(ctx)
    counts = await passed(acme, 2, 50)
    assert sum(counts) == 20
    assert (await read_usage(acme, "requests")).total == 20


async def test_two_processes_share_the_last_5_of_a_quota(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=())
    await check(acme.parts, acme.tenant, asked(await key(acme), cost=995))
    assert sum(await passed(acme, 2, 25)) == 5
