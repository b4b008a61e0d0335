"""What a tenant used: the hours of a day, the days of a month or the months with data, in all and by group, and how
much of the present quota is left."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from litestar import get

from veloflux import billing, limits, metering
from veloflux.kit import period
from veloflux.metering import Row, Usage
from veloflux.metering.usage_windows import bounds, windows
from veloflux.plans import Meter, pick_meter
from veloflux.plans.catalogue import SUMS
from veloflux.web.console.page import Html, Page

MONTH = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])")
GROUPS_SHOWN = 20
ADDED_UP = (*SUMS, "unique", "weighted_sum")
"""The aggregations by which a time without events is a zero."""

Window = Literal["hour", "day", "month"]


class Slot(msgspec.Struct, frozen=True):
    """A window in the table and the chart: `mark` stands below its bar. `value` is None where there is nothing to say:
    it is still to come, is kept no longer, or has no average."""

    start: str
    mark: str
    value: int | Decimal | None
    exact: bool = True
    percentiles: dict[str, Decimal] = {}


class Month(msgspec.Struct, frozen=True):
    month: str
    total: int | Decimal


class Shown(msgspec.Struct, frozen=True):
    """What the page is about; `day` is "" unless its hours are shown, `group` "" without groups."""

    meter: Meter
    window: Window
    month: str
    day: str
    group: str


@get("/console/t/{tenant:str}/usage", operation_id="console.usage", permission="usage:read")
async def usage(
    page: Page, *, meter: str = "", month: str = "", window: Window = "day", day: str = "", group: str = ""
) -> Html:
    meters = await metering.present_meters(page.ctx)
    found = pick_meter(meters, meter or meters[0].name)
    assert page.tenant, "authorised for a tenant"
    today = period.day_of(page.ctx.now(), page.tenant.zone)
    kept = await metering.read_usage(page.ctx, found.name, "month")
    months = [Month(row.start, row.value) for row in reversed(kept.rows)]
    chosen = month if MONTH.fullmatch(month) else default_month(months, today)
    shown = Shown(
        meter=found,
        window=window,
        month=chosen,
        day=default_day(day, chosen, today) if window == "hour" else "",
        group=group if group in found.group_by and window != "month" else "",
    )
    present, used, groups, costs = await asyncio.gather(
        _period(page, found), _used(page, shown, kept), _groups(page, shown), _costs(page)
    )
    return page.show(
        "usage.html",
        meter=found,
        meters=meters,
        shown=shown,
        month=chosen,
        previous=neighbour(chosen, -1, months, today),
        next=neighbour(chosen, 1, months, today),
        day_before=_beside(shown.day, -1, today),
        day_after=_beside(shown.day, 1, today),
        months=months,
        slots=list(slots(shown, used, page.ctx.now())),
        total=used.total,
        total_exact=used.total_exact,
        total_percentiles=used.total_percentiles,
        groups=groups and sorted(groups.rows, key=lambda row: -row.value)[:GROUPS_SHOWN],
        group_count=len(groups.rows) if groups else 0,
        groups_capped=bool(groups and groups.groups_capped),
        adds_up=found.aggregation in ADDED_UP,
        period=present,
        costs=costs,
        is_present=chosen == today.isoformat()[:7],
    )


def default_month(months: Sequence[Month], today: date) -> str:
    """The present month if it has usage, else the latest that has; `months` newest first.

    >>> default_month([Month("2015-05", 7)], date(2026, 11, 21)), default_month([], date(2026, 11, 21))
    ('2015-05', '2026-11')
    """
    present = today.isoformat()[:7]
    return present if not months or any(each.month == present for each in months) else months[0].month


def neighbour(month: str, step: int, months: Sequence[Month], today: date) -> str | None:
    """The month before (-1) or after (1), unless it lies outside of what there is to see.

    >>> neighbour("2026-11", 1, [Month("2015-05", 7)], date(2026, 11, 21)) is None
    True
    >>> neighbour("2015-05", 1, [Month("2015-05", 7)], date(2026, 11, 21))
    '2015-06'
    """
    first = date.fromisoformat(month + "-01")
    beside = (period.next_month(first) if step > 0 else first - timedelta(days=1)).isoformat()[:7]
    seen = [today.isoformat()[:7], *(each.month for each in months)]
    return beside if min(seen) <= beside <= max(seen) else None


def default_day(day: str, month: str, today: date) -> str:
    """The day whose hours are shown: the one asked for, today, or the first of a month that is over.

    >>> default_day("", "2015-05", date(2026, 11, 21)), default_day("2015-05-17", "2015-05", date(2026, 11, 21))
    ('2015-05-01', '2015-05-17')
    """
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        return today.isoformat() if today.isoformat().startswith(month) else f"{month}-01"


def slots(shown: Shown, used: Usage, now: int) -> Iterator[Slot]:
    """What the page shows, one after the other: the hours of a day, the days of a month, the months with data."""
    if shown.window == "month":
        yield from (_slot(row, f"{row.start[5:]}/{row.start[2:4]}") for row in used.rows)
        return
    zone = ZoneInfo(used.zone)
    start, end = bounds(*_span(shown), shown.window, zone)
    assert start, "a day has a start"
    assert end, "a day has an end"
    rows = {row.start: row for row in used.rows}
    for window in windows(start, end, shown.window, zone):
        mark = window.label[11:13] if shown.window == "hour" else str(int(window.label[8:]))
        known = window.start <= now and window.label >= (used.kept_from or "") and used.aggregation in ADDED_UP
        row = rows.get(window.label)
        yield _slot(row, mark) if row else Slot(window.label, mark, 0 if known else None)


def _slot(row: Row, mark: str) -> Slot:
    return Slot(row.start, mark, row.value, row.exact, row.percentiles)


def _beside(day: str, step: int, today: date) -> str | None:
    beside = day and (date.fromisoformat(day) + timedelta(days=step)).isoformat()
    return beside if beside and beside <= today.isoformat() else None


async def _period(page: Page, meter: Meter) -> limits.Period | None:
    return await limits.read_period(page.ctx, meter.name) if meter.aggregation in SUMS else None


async def _costs(page: Page) -> list[billing.Cost]:
    """Of the tenant's subscriptions, for those who may see what is billed."""
    return await billing.read_costs(page.ctx) if "billing:read" in page.ctx.permissions else []


async def _used(page: Page, shown: Shown, months: Usage) -> Usage:
    if shown.window == "month":
        return months
    return await metering.read_usage(page.ctx, shown.meter.name, shown.window, *_span(shown))


async def _groups(page: Page, shown: Shown) -> Usage | None:
    """The groups of the day or the month that is shown."""
    if not shown.group:
        return None
    size: Literal["day", "month"] = "day" if shown.day else "month"
    return await metering.read_usage(page.ctx, shown.meter.name, size, *_span(shown), group_by=[shown.group])


def _span(shown: Shown) -> tuple[date, date]:
    if shown.day:
        return date.fromisoformat(shown.day), date.fromisoformat(shown.day)
    first = date.fromisoformat(shown.month + "-01")
    return first, period.next_month(first) - timedelta(days=1)


ROUTES = (usage,)
