"""A check that Redis does not answer is refused, soon."""

import pytest

from tests.customers import customer
from veloflux.context import Context
from veloflux.errors import Unavailable
from veloflux.limits import Question, check


async def test_a_check_that_redis_does_not_answer_in_time_is_unavailable(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await check(acme.parts, acme.tenant, Question(meter="requests"))
    await one_ctx.db.every_master("CLIENT", "PAUSE", 500, "WRITE")
    with pytest.raises(Unavailable, match="within 80 ms"):
        await check(one_ctx.parts, acme.tenant, Question(meter="requests"))
    await one_ctx.db.every_master("CLIENT", "UNPAUSE")
