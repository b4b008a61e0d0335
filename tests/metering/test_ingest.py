"""POST /api/events: whose key may record what for whom."""

from typing import Any

import msgspec
import pytest

from tests import whole_database
from tests.customers import customer, key, service_key
from veloflux.context import Context
from veloflux.errors import EventRejected, InputInvalid, NotAuthenticated, NotFound, PermissionDenied
from veloflux.kit.http import Received
from veloflux.metering import read_usage
from veloflux.metering.ingest import ingest

GOOD = {"type": "http.request", "id": "a", "data": {"bytes": 1}}


async def sent(ctx: Context, token: str, events: Any, query: str = "") -> Any:
    body = events if isinstance(events, bytes) else msgspec.json.encode(events)
    return msgspec.json.decode(await ingest(ctx.parts, Received(token, body, query.encode(), "203.0.113.9")))


async def test_the_answer_tells_recorded_duplicates_and_each_rejected_one(ctx: Context) -> None:
    acme = await customer(ctx)
    token = (await key(acme)).token
    batch = [GOOD, {"id": "x"}, GOOD, GOOD | {"id": "b", "type": "cpu"}, GOOD | {"data": {"bytes": 2}}]
    answer = await sent(ctx, token, batch)
    assert (answer["recorded"], answer["duplicates"]) == (1, 1)
    codes = [(one["index"], one["code"]) for one in answer["rejected"]]
    assert codes == [(1, "event_invalid"), (3, "event_type_unknown"), (4, "id_reused")]
    assert (await read_usage(acme, "requests")).total == 1


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
