"""POST /api/events: whose key may record what for whom."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests import whole_database
from tests.customers import asked, customer, expire, key, service_key
from veloflux import limits, tenants
from veloflux.context import Context
from veloflux.errors import (
    EventRejected,
    InputInvalid,
    LimitReached,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    TenantSuspended,
)
from veloflux.kit.http import Received
from veloflux.metering import read_usage
from veloflux.metering.ingest import ingest

GOOD = {"type": "http.request", "id": "a", "data": {"bytes": 1}}


async def sent(ctx: Context, token: str, events: Any, query: str = "") -> Any:
    body = events if isinstance(events, bytes) else msgspec.json.encode(events)
    return msgspec.json.decode(await ingest(ctx.parts, Received(token, body, query.encode(), "203.0.113.9")))


async def test_the_answer_tells_accepted_duplicates_and_each_rejected_one(ctx: Context) -> None:
    acme = await customer(ctx)
    token = (await key(acme)).token
    batch = [GOOD, {"id": "x"}, GOOD, GOOD | {"id": "b", "type": "cpu"}, GOOD | {"data": {"bytes": 2}}]
    answer = await sent(ctx, token, batch)
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)
    codes = [(one["index"], one["code"]) for one in answer["rejected"]]
    assert codes == [(1, "event_attribute_missing"), (3, "event_type_unknown"), (4, "id_reused")]
    assert (await read_usage(acme, "requests")).total == 1


async def test_what_a_middleware_both_checks_and_sends_counts_once_whichever_comes_first(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = await key(acme)
    event = GOOD | {"source": "/web", "time": "2025-05-17T10:00:00Z", "data": {"bytes": 9, "path": "/"}}
    for id_, first in (("checked first", "check"), ("sent first", "event")):
        if first == "event":
            assert (await sent(ctx, mine.token, event | {"id": id_}))["accepted"] == 1
        question = msgspec.structs.replace(asked(mine, id_=id_), source="/web")
        assert (await limits.check(ctx.parts, acme.tenant, question)).allowed
        if first == "check":
            assert (await sent(ctx, mine.token, [event | {"id": id_}]))["duplicates"] == 1
    assert (await read_usage(acme, "requests")).total == 2


async def test_a_single_event_that_is_rejected_is_an_error(ctx: Context) -> None:
    token = (await key(await customer(ctx))).token
    with pytest.raises(EventRejected, match="5 minutes ahead") as caught:
        await sent(ctx, token, GOOD | {"time": "2090-01-01T00:00:00Z"})
    assert caught.value.code == "event_in_future"


async def test_the_operators_service_key_records_for_the_tenant_that_it_names(ctx: Context) -> None:
    acme = await customer(ctx)
    token = await service_key(ctx)
    assert acme.scope
    await sent(ctx, token, GOOD, f"tenant={acme.scope.slug}")
    await sent(ctx, token, GOOD | {"id": "b"}, f"tenant={acme.tenant}")
    assert (await read_usage(acme, "requests")).total == 2
    with pytest.raises(InputInvalid, match="tenant="):
        await sent(ctx, token, GOOD)


async def test_who_may_not_record_changes_nothing(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    viewer, foreign = (await key(acme, "viewer")).token, (await key(globex)).token
    before = await whole_database.settled(ctx.db)
    for token, query, error in [
        (viewer, "", PermissionDenied),
        (foreign, f"tenant={acme.tenant}", NotFound),
        (foreign[:-1] + "0", "", NotAuthenticated),
        ("nonsense", "", NotAuthenticated),
    ]:
        with pytest.raises(error):
            await sent(ctx, token, GOOD, query)
    assert await whole_database.settled(ctx.db) == before


async def test_a_key_records_only_within_its_terms(ctx: Context) -> None:
    acme = await customer(ctx)
    here, elsewhere = [(await key(acme, addresses=(one,))).token for one in ("203.0.113.0/24", "198.51.100.0/24")]
    recording, reading = [(await key(acme, permissions=(one,))).token for one in ("usage:write", "usage:read")]
    over = await key(acme)
    await expire(acme, over)
    for number, token in enumerate((here, recording)):
        await sent(ctx, token, GOOD | {"id": str(number)})
    before = await whole_database.settled(ctx.db)
    for token, error in ((elsewhere, NotAuthenticated), (reading, PermissionDenied), (over.token, NotAuthenticated)):
        with pytest.raises(error):
            await sent(ctx, token, GOOD)
    assert await whole_database.settled(ctx.db) == before
    assert (await read_usage(acme, "requests")).total == 2


async def page_key(acme: Context, **terms: Any) -> str:
    """The token of a new publishable key."""
    terms = {name: tuple(value) for name, value in terms.items()}
    return (await tenants.create_api_key(acme, "page", "", tenants.KeyTerms(**terms), "publishable")).token


async def from_page(ctx: Context, token: str, events: Any, origin: str = "") -> Any:
    received = Received(token, msgspec.json.encode(events), b"", "203.0.113.9", origin)
    return msgspec.json.decode(await ingest(ctx.parts, received))


async def test_a_publishable_key_records_from_its_origins_alone(ctx: Context) -> None:
    acme = await customer(ctx)
    anywhere, bound = await page_key(acme), await page_key(acme, origins=["https://app.example"])
    assert (await from_page(ctx, anywhere, GOOD))["accepted"] == 1
    assert (await from_page(ctx, bound, GOOD | {"id": "b"}, "https://app.example"))["accepted"] == 1
    for origin in ("", "https://app.example.evil", "http://app.example", "null"):
        with pytest.raises(PermissionDenied, match="origin"):
            await from_page(ctx, bound, GOOD | {"id": "c"}, origin)


async def test_with_a_publishable_key_come_few_events_at_once_and_only_for_its_tenant(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    token = await page_key(acme)
    with pytest.raises(InputInvalid, match="at most 100"):
        await from_page(ctx, token, [GOOD] * 101)
    with pytest.raises(NotFound):
        await sent(ctx, token, GOOD, f"tenant={globex.tenant}")
    await tenants.suspend_tenant(acme, "unpaid")
    with pytest.raises(TenantSuspended):
        await from_page(ctx, token, GOOD)


async def test_a_publishable_key_costs_the_round_trips_of_a_secret_one(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = await customer(ctx)
    tokens = (await key(acme)).token, await page_key(acme)
    for token in tokens:
        await from_page(ctx, token, GOOD)
    calls: list[Any] = []
    call = ctx.db._nodes.call
    monkeypatch.setattr(ctx.db._nodes, "call", lambda *args: (calls.append(args), call(*args))[1])
    counts = []
    for token in tokens:
        calls.clear()
        await from_page(ctx, token, GOOD)
        counts.append(len(calls))
    assert counts[0] == counts[1] > 0


async def test_one_address_cannot_send_requests_with_a_publishable_key_without_end(ctx: Context) -> None:
    acme = await customer(ctx)
    token, other = await page_key(acme), await page_key(acme)
    asked = (tenants.authenticate_publishable_key(ctx.parts, token, "203.0.113.9", "") for _ in range(120))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, LimitReached)]
    assert 0 < len(refused) <= 60
    assert {one.extra["retry_after"] for one in refused} == {1}
    await tenants.authenticate_publishable_key(ctx.parts, token, "203.0.113.10", "")
    await tenants.authenticate_publishable_key(ctx.parts, other, "203.0.113.9", "")
