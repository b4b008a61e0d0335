"""Events as they came: what is kept of them, for how long, and who sees them come."""

import asyncio
import contextlib
from typing import Any

import msgspec
import pytest

from tests.customers import customer, key
from veloflux import personal_data
from veloflux.context import Context, Parts
from veloflux.db import client, keys
from veloflux.errors import CursorInvalid, Unavailable, VeloFluxError
from veloflux.kit.http import Received
from veloflux.metering import Filter, RawEvent, list_raw_events, raw_events, raw_writer
from veloflux.metering.decode import EVENTS_MAX
from veloflux.metering.ingest import ingest
from veloflux.metering.raw_events import follow

GOOD = {"type": "http.request", "id": "a", "data": {"bytes": 1}}


async def send(ctx: Context, token: str, body: Any, kind: str = "application/json") -> None:
    """Send something and let it be kept, whatever is answered."""
    encoded = body if isinstance(body, bytes) else msgspec.json.encode(body)
    headers = [(b"content-type", kind.encode())]
    with contextlib.suppress(VeloFluxError):
        await ingest(ctx.parts, Received(token, encoded, b"", "203.0.113.9", headers=headers))
    await written(ctx.parts)


async def written(parts: Parts) -> None:
    """Wait until nothing waits to be written."""
    writer = raw_writer.writer(parts)
    while writer._task:
        await asyncio.wait([writer._task])


async def kept(ctx: Context, **wanted: str) -> list[RawEvent]:
    return list((await list_raw_events(ctx, Filter(**wanted), limit=500)).items)


async def test_what_became_of_each_event_of_a_request_is_kept(ctx: Context) -> None:
    acme = await customer(ctx)
    token = (await key(acme)).token
    batch = [GOOD, {"id": "x"}, GOOD, GOOD | {"id": "b", "type": "cpu"}, GOOD | {"id": "c", "data": {}}]
    await send(ctx, token, batch)
    found = list(reversed(await kept(acme)))
    assert [(one.outcome, one.type, one.id, one.code) for one in found] == [
        ("accepted", "http.request", "a", ""),
        ("rejected", "", "", "event_attribute_missing"),
        ("duplicate", "http.request", "a", ""),
        ("rejected", "cpu", "b", "event_type_unknown"),
        ("rejected", "http.request", "c", "event_property_missing"),
    ]
    assert [one.data for one in found[:2]] == ['{"bytes":1}', '{"id":"x"}']
    assert found[1].reason.endswith("missing required field `type`")


async def test_a_body_that_is_no_event_at_all_is_kept_too(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    token = (await key(acme)).token
    await send(one_ctx, token, b'{"type":\xff' + b"x" * 5000)
    await send(one_ctx, token, b"id,type\na,b", "text/csv")
    unsupported, malformed = await kept(acme)
    assert (unsupported.code, unsupported.data) == ("media_type_unsupported", "id,type\na,b")
    assert (malformed.code, len(malformed.data)) == ("event_malformed", 1000)
    assert malformed.data.startswith('{"type":\N{REPLACEMENT CHARACTER}xx')
    assert (malformed.cut, unsupported.cut) == (True, False)


async def test_of_a_large_request_a_few_are_kept_the_rejected_ones_first(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    token = (await key(acme)).token
    good = [GOOD | {"id": str(at)} for at in range(EVENTS_MAX - 30)]
    await send(one_ctx, token, [*({"id": "bad"} for _ in range(30)), *good])
    found = await kept(acme)
    assert [one.outcome for one in found] == ["accepted"] * 10 + ["rejected"] * 10
    assert [one.id for one in found[:10]] == [one["id"] for one in reversed(good[-10:])]


async def test_large_data_is_cut_and_says_so(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await send(one_ctx, (await key(acme)).token, GOOD | {"data": {"bytes": 1, "note": "é" * 5000}})
    [one] = await kept(acme)
    assert (len(one.data), one.cut, one.outcome) == (1000, True, "accepted")


def settled(ctx: Context, **changes: int) -> Context:
    """The same with other settings, as a process of its own would have them."""
    parts = msgspec.structs.replace(ctx.parts, settings=msgspec.structs.replace(ctx.parts.settings, **changes))
    raw_writer._writers.pop(ctx.db, None)
    return msgspec.structs.replace(ctx, parts=parts)


async def test_only_the_newest_are_kept_for_some_hours(one_ctx: Context) -> None:
    ctx = settled(one_ctx, raw_events=3, raw_events_hours=2)
    acme = await customer(ctx)
    token = (await key(acme)).token
    for at in range(5):
        await send(ctx, token, GOOD | {"id": str(at)})
    assert [one.id for one in await kept(acme)] == ["4", "3", "2"]
    assert 7_190_000 < await ctx.db.call("PTTL", keys.raw(acme.tenant)) <= 7_200_000


async def test_what_is_older_goes_when_the_next_one_comes(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    token = (await key(acme)).token
    text = msgspec.json.encode(["accepted", "http.request", "old", "api", None, "{}", False, "", ""])
    await one_ctx.db.call("XADD", keys.raw(acme.tenant), "1000-0", "event", text)
    assert [one.id for one in await kept(acme)] == ["old"]
    await send(one_ctx, token, GOOD)
    assert [one.id for one in await kept(acme)] == ["a"]


async def test_nothing_is_kept_where_the_setting_says_so(one_ctx: Context) -> None:
    ctx = settled(one_ctx, raw_events=0)
    acme = await customer(ctx)
    await send(ctx, (await key(acme)).token, GOOD)
    assert await kept(acme) == []


async def test_of_many_requests_at_once_the_last_are_written_with_one_call(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    writer = raw_writer.Writer(one_ctx.db, 1_000, 60_000)
    for at in range(1_000):
        writer.add(acme.tenant, [raw_events.Raw("accepted", id=str(at))])
    assert writer._task
    await writer._task
    assert [one.id for one in await kept(acme)] == [str(at) for at in range(999, 899, -1)]


async def test_the_list_is_filtered_and_goes_on_at_its_cursor(ctx: Context) -> None:
    acme = await customer(ctx)
    token = (await key(acme)).token
    for at in range(30):
        await send(ctx, token, [GOOD | {"id": f"{at}"}, GOOD | {"id": "0", "data": {"bytes": 5}}, {}])
    assert {one.outcome for one in await kept(acme, outcome="rejected")} == {"rejected"}
    assert [one.id for one in await kept(acme, id="7")] == ["7"]
    assert await kept(acme, type="cpu") == []
    everything, pages, cursor = await kept(acme), list[RawEvent](), ""
    while cursor is not None:
        found = await list_raw_events(acme, cursor=cursor, limit=7)
        pages += found.items
        cursor = found.next
    assert pages == everything
    assert len(everything) == 90


async def test_who_watches_sees_what_comes_and_nothing_of_before_or_of_others(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    token, other = (await key(acme)).token, (await key(globex)).token
    await send(ctx, token, GOOD)
    watched = await follow(acme)
    assert await anext(watched) == []
    await send(ctx, other, GOOD | {"id": "of globex"})
    await send(ctx, token, [GOOD | {"id": "b"}, GOOD | {"id": "c"}])
    assert [one.id for one in await anext(watched)] == ["b", "c"]
    assert await anext(watched) == []
    await watched.aclose()  # type: ignore[attr-defined]


async def test_who_watches_goes_on_at_a_cursor_however_much_came_meanwhile(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    token = (await key(acme)).token
    await send(one_ctx, token, GOOD)
    cursor = (await list_raw_events(acme, limit=1)).next or ""
    for at in range(25):
        await send(one_ctx, token, [GOOD | {"id": f"{at}-{n}"} for n in range(20)])
    missed = [one.id async for events in await follow(acme, cursor=cursor, seconds=0) for one in events]
    assert missed == [f"{at}-{n}" for at in range(25) for n in range(20)]
    rejected = await follow(acme, Filter(outcome="rejected"), cursor, seconds=0)
    assert [one async for events in rejected for one in events] == []


async def test_only_so_many_watch_in_one_process(one_ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    acme = await customer(one_ctx)
    monkeypatch.setattr(raw_events, "FOLLOWERS_MAX", 1)
    first = await follow(acme)
    await anext(first)
    with pytest.raises(Unavailable, match="watch"):
        await follow(acme)
    await first.aclose()  # type: ignore[attr-defined]
    assert [events async for events in await follow(acme, seconds=0)] == [[]]


async def test_a_place_that_no_list_gave_is_refused_before_anything_is_watched(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    with pytest.raises(CursorInvalid):
        await follow(acme, cursor="LTE")
    with pytest.raises(CursorInvalid):
        await list_raw_events(acme, cursor="LTE")


async def test_of_a_tenant_that_was_deleted_meanwhile_nothing_is_written(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await one_ctx.db.call("DEL", keys.limits(acme.tenant))
    raw_writer.writer(one_ctx.parts).add(acme.tenant, [raw_events.Raw("accepted")])
    await written(one_ctx.parts)
    assert await one_ctx.db.call("EXISTS", keys.raw(acme.tenant)) == 0


async def test_an_export_of_the_tenant_has_them(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await send(one_ctx, (await key(acme)).token, GOOD | {"id": "taken along"})
    records = msgspec.json.decode(b"".join([piece async for piece in personal_data.export_tenant(acme)]))
    [found] = [record["value"] for record in records if record["kind"] == "raw"]
    assert "taken along" in str(found)


async def test_when_redis_is_away_they_are_lost_and_nobody_is_told(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    gone = await client.connect(one_ctx.db.url)
    writer = raw_writer.Writer(gone, 1_000, 60_000)
    writer.add(acme.tenant, [raw_events.Raw("accepted")])
    await gone.close()
    assert writer._task
    await writer._task
    assert await kept(acme) == []
