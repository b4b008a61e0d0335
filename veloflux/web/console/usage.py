"""What a tenant used: the days of a month, the months with data, and how much of the present quota is left."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from litestar import get

from veloflux import limits, metering
from veloflux.kit import period
from veloflux.metering import Row
from veloflux.plans import pick_meter, read_catalogue
from veloflux.web.console.page import Html, Page

MONTH = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])")


class Day(msgspec.Struct, frozen=True):
    """`value` is None for a day that is still to come."""

    on: str
    value: int | Decimal | None


class Month(msgspec.Struct, frozen=True):
    month: str
    total: int | Decimal


@get("/console/t/{tenant:str}/usage", operation_id="console.usage", permission="usage:read")
async def usage(page: Page, meter: str = "", month: str = "") -> Html:
    meters = (await read_catalogue(page.ctx.db)).meters
    found = pick_meter(meters, meter or meters[0].name)
    assert page.tenant, "authorised for a tenant"
    today = period.day_of(page.ctx.now(), page.tenant.zone)
    kept, present = await asyncio.gather(
        metering.read_usage(page.ctx, found.name, "month"), limits.read_period(page.ctx, found.name)
    )
    months = [Month(row.start, row.value) for row in reversed(kept.rows)]
    shown = month if MONTH.fullmatch(month) else default_month(months, today)
    return page.show(
        "usage.html",
        meter=found,
        meters=meters,
        month=shown,
        previous=neighbour(shown, -1, months, today),
        next=neighbour(shown, 1, months, today),
        months=months,
        days=list(days_of(shown, await _rows(page, found.name, shown), today)),
        total=next((each.total for each in months if each.month == shown), 0),
        period=present,
        is_present=shown == today.isoformat()[:7],
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


def days_of(month: str, rows: Sequence[Row], today: date) -> Iterator[Day]:
    """Every day of a month.

    >>> [day.value for day in days_of("2026-02", [Row("2026-02-02", 5)], date(2026, 2, 3))][:4]
    [0, 5, 0, None]
    """
    values = {row.start: row.value for row in rows}
    on = date.fromisoformat(month + "-01")
    while on.isoformat().startswith(month):
        yield Day(on.isoformat(), None if on > today else values.get(on.isoformat(), 0))
        on += timedelta(days=1)


async def _rows(page: Page, meter: str, month: str) -> Sequence[Row]:
    first = date.fromisoformat(month + "-01")
    last = period.next_month(first) - timedelta(days=1)
    return (await metering.read_usage(page.ctx, meter, "day", first, last)).rows


ROUTES = (usage,)
