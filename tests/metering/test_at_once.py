"""Few events of many callers share a call, and each caller hears what became of its own."""

import asyncio

from tests import script_calls
from tests.customers import customer
from tests.metering.test_record import counted, figures, request
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import CounterOutOfRange, IdReused
from veloflux.metering import Event, Result


async def test_fifty_events_at_once_are_one_call(ctx: Context) -> None:
    acme = await customer(ctx)
    for _ in range(2):  # learns what the first has begun
        await counted(acme, [request("first")])
    before = await script_calls.count(acme.db)
    results = await asyncio.gather(*(counted(acme, [request(str(number))]) for number in range(50)))
    assert results == [Result(1, 0)] * 50
    assert await script_calls.count(acme.db) == before + 1
    assert await figures(acme) == ({"2025-05-17": 51}, {"2025-05-17": 51})


async def test_each_hears_of_its_own_events_alone(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, [request("before", size=1)])
    lots = [
        [request("a"), request("b")],
        [request("before", size=2), request("c"), request("a")],
        [],
        [request("b"), Event("no such", "d")],
        [request("e")],
    ]
    first, second, third, fourth, fifth = await asyncio.gather(*(counted(acme, lot) for lot in lots))
    assert [first, third, fifth] == [Result(2, 0), Result(0, 0), Result(1, 0)]
    assert (second.accepted, second.duplicates) == (1, 1)
    assert [(one.index, one.code) for one in second.rejected] == [(0, IdReused.code)]
    assert (fourth.accepted, fourth.duplicates, [one.index for one in fourth.rejected]) == (0, 1, [1])


async def test_an_amount_that_no_counter_holds_keeps_nobody_else_from_counting(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, [request("first")])
    await acme.db.call("HSET", keys.total(acme.tenant, "bytes", "2025-05"), "sum", 10**18 - 100)
    lots = [[request("small", size=1)], [request("large", size=1_000)], [request("other", size=2)]]
    results = await asyncio.gather(*(counted(acme, lot) for lot in lots), return_exceptions=True)
    assert [type(one) for one in results] == [Result, CounterOutOfRange, Result]
