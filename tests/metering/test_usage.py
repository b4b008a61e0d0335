"""Usage composed to the hours, days and months of any zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.customers import NOON, customer, put_policy
from veloflux.context import Context
from veloflux.errors import InputInvalid, MeterUnknown
from veloflux.metering import Event, meters_used, read_usage, record


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


async def with_events(ctx: Context, zone: str, times: list[str]) -> Context:
    """A tenant of a zone with one event at each time."""
    acme = await customer(ctx)
    acme = acme.within(msgspec.structs.replace(acme.scope, zone=zone), acme.permissions)
    await put_policy(acme, zone=zone)
    events = [Event("http.request", str(n), moment(time), "api", {"bytes": 2}) for n, time in enumerate(times)]
    await record(acme.parts, acme.tenant, events, backfill=True)
    return acme


async def rows(ctx: Context, *args: object) -> list[tuple[str, object]]:
    return [(row.start, row.value) for row in (await read_usage(ctx, "requests", *args)).rows]  # type: ignore[arg-type]


async def test_a_day_begins_and_ends_at_the_zones_midnight(ctx: Context) -> None:
    times = ["2015-05-17T02:59:59Z", "2015-05-17T03:00:00Z", "2015-05-18T02:59:59Z", "2015-05-18T03:00:00Z"]
    acme = await with_events(ctx, "America/Sao_Paulo", times)
    assert await rows(acme) == [("2015-05-16", 1), ("2015-05-17", 2), ("2015-05-18", 1)]


async def test_zones_a_quarter_of_an_hour_off_have_exact_days(ctx: Context) -> None:
    acme = await with_events(ctx, "Asia/Kathmandu", ["2015-05-17T18:14:59Z", "2015-05-17T18:15:00Z"])
    assert await rows(acme) == [("2015-05-17", 1), ("2015-05-18", 1)]


async def test_a_day_that_is_an_hour_longer_counts_every_hour_once(ctx: Context) -> None:
    times = [f"2018-02-1{day}T{hour:02}:30:00Z" for day in (7, 8) for hour in range(24)]
    acme = await with_events(ctx, "America/Sao_Paulo", times)
    assert await rows(acme) == [("2018-02-16", 2), ("2018-02-17", 25), ("2018-02-18", 21)]
    hours = await rows(acme, "hour")
    assert [start for start, _ in hours if start.startswith("2018-02-17T23")] == [
        "2018-02-17T23:00:00-02:00",
        "2018-02-17T23:00:00-03:00",
    ]
    assert len(hours) == 48


async def test_a_clock_that_is_set_back_into_the_day_before_gives_each_day_once(ctx: Context) -> None:
    # Until 2011 Newfoundland's clocks went from 0:01 back to 23:01.
    times = ["2010-11-07T02:20:00Z", "2010-11-07T02:40:00Z", "2010-11-07T03:10:00Z", "2010-11-07T04:00:00Z"]
    acme = await with_events(ctx, "America/St_Johns", times)
    assert [start for start, _ in await rows(acme)] == ["2010-11-06", "2010-11-07"]


async def test_first_and_last_day_are_included(ctx: Context) -> None:
    times = [f"2015-05-{day}T12:00:00Z" for day in range(10, 20)]
    acme = await with_events(ctx, "America/Sao_Paulo", times)
    assert await rows(acme, "day", date(2015, 5, 12), date(2015, 5, 13)) == [("2015-05-12", 1), ("2015-05-13", 1)]
    assert len(await rows(acme, "day", date(2015, 5, 12))) == 8
    assert len(await rows(acme, "day", None, date(2015, 5, 12))) == 3


async def test_months_are_the_zones_and_whole(ctx: Context) -> None:
    times = ["2015-06-01T02:59:59Z", "2015-06-01T03:00:00Z", "2015-07-15T00:00:00Z"]
    acme = await with_events(ctx, "America/Sao_Paulo", times)
    assert await rows(acme, "month") == [("2015-05", 1), ("2015-06", 1), ("2015-07", 1)]
    assert await rows(acme, "month", date(2015, 6, 20), date(2015, 6, 21)) == [("2015-06", 1)]


async def test_the_total_is_the_sum_of_the_rows_whatever_the_window(ctx: Context) -> None:
    acme = await with_events(ctx, "Europe/Lisbon", [f"2015-0{month}-28T23:30:00Z" for month in range(1, 10)])
    assert {(await read_usage(acme, "bytes", window)).total for window in ("hour", "day", "month")} == {18}


async def test_more_days_than_are_read_at_once_come_in_order(ctx: Context) -> None:
    times = [datetime.fromtimestamp(NOON / 1000 - day * 86_400, UTC).isoformat() for day in range(250)]
    acme = await with_events(ctx, "UTC", times)
    found = [start for start, _ in await rows(acme)]
    assert found == sorted(found)
    assert len(found) == 250


async def test_a_tenant_without_usage_has_no_rows(ctx: Context) -> None:
    acme = await customer(ctx)
    for window in ("hour", "day", "month"):
        assert await rows(acme, window) == []
    assert await meters_used(acme) == []


async def test_what_cannot_be_read_is_said(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    with pytest.raises(MeterUnknown):
        await read_usage(acme, "cpu")
    with pytest.raises(InputInvalid, match="after the last"):
        await read_usage(acme, "requests", "day", date(2015, 5, 2), date(2015, 5, 1))


@given(
    st.integers(moment("2000-01-01T00:00:00Z"), moment("2099-01-01T00:00:00Z")),
    st.sampled_from(
        ["Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham", "America/Sao_Paulo"]
    ),
)
def test_a_quarter_of_an_hour_never_spans_two_days_of_a_zone_except_where_clocks_change(at: int, zone: str) -> None:
    quarter = at - at % 900_000
    first, last = (datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)) for ms in (quarter, quarter + 899_999))
    assert first.date() == last.date() or first.utcoffset() != last.utcoffset()
