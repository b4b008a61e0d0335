"""A check that Redis does not answer is refused, soon."""

import msgspec
import pytest

from tests.customers import customer, service_key
from veloflux.context import Context
from veloflux.errors import Unavailable
from veloflux.kit.http import Received
from veloflux.limits import Question, check
from veloflux.limits.api import decide


async def test_a_check_that_redis_does_not_answer_in_time_is_unavailable(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await check(acme.parts, acme.tenant, Question(meter="requests"))
    await one_ctx.db.every_master("CLIENT", "PAUSE", 500, "WRITE")
    with pytest.raises(Unavailable, match="within 80 ms"):
        await check(one_ctx.parts, acme.tenant, Question(meter="requests"))
    await one_ctx.db.every_master("CLIENT", "UNPAUSE")


async def test_so_is_one_whose_asker_cannot_be_read_in_time(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    question = msgspec.json.encode({"meter": "requests", "tenant": acme.tenant})
    asked = Received(await service_key(one_ctx), question, b"", "")
    await one_ctx.db.every_master("CLIENT", "PAUSE", 500, "ALL")
    with pytest.raises(Unavailable, match="within 80 ms"):
        await decide(one_ctx.parts, asked)
