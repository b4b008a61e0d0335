"""What the rate limits promise, whatever the order and the times of the requests."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.customers import NOON, asked, at, customer, key, put_policy, rate
from veloflux.context import Context
from veloflux.kit import ids
from veloflux.limits import check

COUNT, BURST = 10, 4
EMISSION_MS = 1000 // COUNT

steps = st.lists(st.tuples(st.integers(0, 3 * EMISSION_MS), st.integers(1, 3)), min_size=1, max_size=25)


@given(steps)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_in_any_interval_t_at_most_burst_and_t_over_emission_pass(
    one_ctx: Context, steps: list[tuple[int, int]]
) -> None:
    acme = await customer(one_ctx, ids.bare(ids.new("run")))
    mine = await key(acme)
    await put_policy(acme, rates=(rate(count=COUNT, burst=BURST),))
    now, passed = NOON, []
    for wait, cost in steps:
        now += wait
        acme = await at(acme, now)
        await put_policy(acme, rates=(rate(count=COUNT, burst=BURST),), clock=f"={now}")
        if (await check(acme.parts, acme.tenant, asked(mine, cost=cost))).allowed:
            passed.append((now, cost))
    for start in range(len(passed)):
        for end in range(start, len(passed)):
            interval = passed[end][0] - passed[start][0]
            assert sum(cost for _, cost in passed[start : end + 1]) <= BURST + interval // EMISSION_MS
