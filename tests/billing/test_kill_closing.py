"""kill -9 of workers while they close the periods of many tenants: of each one invoice, numbers in a row, the books
balance."""

from tests.billing.closing import closed_under_kills
from veloflux.context import Context

TENANTS, KILLS = 60, 5


async def test_each_period_has_one_invoice_whoever_dies_while_it_is_closed(one_ctx: Context) -> None:
    found = await closed_under_kills(one_ctx, TENANTS, KILLS)
    assert found.kills == KILLS
    assert found.of_period == [1] * TENANTS
    assert found.numbers == list(range(1, 2 * TENANTS + 1))
