"""Unit-hours of a weighted sum, read: the level goes on where nothing changed it, so every window is shown."""

from collections.abc import Mapping
from itertools import islice

from veloflux.context import Context
from veloflux.db import keys
from veloflux.kit import period
from veloflux.kit.clock import MINUTE_MS
from veloflux.metering import store, weighted
from veloflux.metering.usage_cells import (
    Asked,
    Cells,
    months_between,
    read_minutes,
    read_months,
    read_quarters,
    refuse_too_many,
)
from veloflux.metering.usage_groups import Key
from veloflux.metering.usage_windows import Window, windows

SECOND_MS = 1_000

Changes = dict[Key, dict[str, int]]
"""For each row of a window, what each month of the tenant's zone changed."""
Areas = list[tuple[str, Key, int]]


async def read_levels(ctx: Context, asked: Asked, tenant_zone: str, kept_from: int) -> Areas:
    """Label, group and unit-seconds of every window up to now, from the first change on.

    Without the time from which on everything is kept (epoch ms), a level could not be told.
    """
    changes = await _changes(ctx, asked)
    first = min((month for of_group in changes.values() for month in of_group), default=None)
    if first is None:
        return []
    began = period.month_bounds(first, tenant_zone)[0]
    start = max(asked.start if asked.start is not None else began, began)
    if asked.size == "month" and asked.zone.key == tenant_zone:
        return await _by_month(ctx, asked, changes, _spans(asked, start))
    spans = _spans(asked, max(start, kept_from))
    return await _by_cells(ctx, asked, changes, spans, tenant_zone) if spans else []


async def _by_month(ctx: Context, asked: Asked, changes: Changes, spans: list[Window]) -> Areas:
    totals = await read_months(ctx, asked, [window.label for window in spans])
    now = _whole(asked.now)
    found = {key: dict(weighted.months(spans, of_group, totals.get(key, {}), now)) for key, of_group in changes.items()}
    return _in_order(spans, found)


async def _by_cells(ctx: Context, asked: Asked, changes: Changes, spans: list[Window], tenant_zone: str) -> Areas:
    """What changed from the first window on is taken back from the level at the end of all that was read."""
    start = spans[0].start
    if asked.size == "minute":
        cells, grain_ms = await read_minutes(ctx, asked._replace(start=start, end=None)), MINUTE_MS
        known = {key: sum(of_group.values()) for key, of_group in changes.items()}
    else:
        last = months_between(spans[-1].start, spans[-1].end, tenant_zone)[-1]
        end = period.month_bounds(last, tenant_zone)[1]
        cells, grain_ms = await read_quarters(ctx, asked._replace(start=start, end=end)), period.QUARTER_MS
        known = {
            key: sum(change for month, change in of_group.items() if month <= last) for key, of_group in changes.items()
        }
    now = _whole(asked.now)
    found = {
        key: dict(weighted.areas(spans, level - _changed(cells, key), cells.get(key, {}), grain_ms, now))
        for key, level in known.items()
    }
    return _in_order(spans, found)


async def _changes(ctx: Context, asked: Asked) -> Changes:
    [fields] = await store.hashes(ctx.db, [keys.changes(ctx.tenant, asked.meter.key)])
    rows = dict(asked.groups.parts)
    found: Changes = {}
    for name, text in fields.items():
        month, _, group = name.partition(".")
        if group in rows:
            mine = found.setdefault(rows[group], {})
            mine[month] = mine.get(month, 0) + int(text)
    return found


def _spans(asked: Asked, start: int) -> list[Window]:
    """The windows of the span that have begun; of an empty span none."""
    end = min(asked.end if asked.end is not None else asked.now, asked.now)
    found = list(islice(windows(start, end, asked.size, asked.zone), 10_001))
    refuse_too_many(len(found))
    return found


def _changed(cells: Cells, key: Key) -> int:
    return sum(int(change) for change, _ in cells.get(key, {}).values())


def _in_order(spans: list[Window], found: Mapping[Key, Mapping[str, int]]) -> Areas:
    return [
        (window.label, key, found[key][window.label])
        for window in spans
        for key in sorted(found)
        if window.label in found[key]
    ]


def _whole(now: int) -> int:
    return now - now % SECOND_MS
