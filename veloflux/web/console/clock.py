"""A sandbox tenant's clock: moved forward, so that what is due by then happens; or set to real time again."""

import datetime as dt
from typing import get_args

from litestar import get, post

from veloflux.billing import agenda
from veloflux.billing.clock import move_clock
from veloflux.billing.subscriptions.history import newest_place
from veloflux.errors import InputInvalid
from veloflux.kit.period import day_start
from veloflux.tenants.clock import ClockMode
from veloflux.web.console import places
from veloflux.web.console.clock_bar import Step, ahead
from veloflux.web.console.page import MOVED, Html, Page


@get("/console/t/{tenant:str}/clock", operation_id="console.clock", permission="tenant:read")
async def clock(page: Page) -> Html:
    return page.show("clock.html")


@post("/console/t/{tenant:str}/clock", operation_id="console.tenants.set_clock", permission="tenant:write")
async def set_clock(page: Page) -> Html:
    with page.keeping_form():
        mode, at = await _wanted(page)
        place = await newest_place(page.ctx)
        await move_clock(page.ctx, mode, at)
        back = places.within_console(page.form["back"] or f"{page.home}/clock").partition("?")[0]
        return page.go(f"{back}?{MOVED}={place}")
    return page.show("clock.html", at=f"{page.home}/clock")


async def _wanted(page: Page) -> tuple[ClockMode, int | None]:
    """:raises InputInvalid: where the clock is to go is not ahead of it."""
    assert page.ctx.scope
    if page.form["by"] == "real":
        return "real", None
    return "stopped" if page.ctx.scope.clock.startswith("=") or page.form["stop"] else "offset", await _time(page)


async def _time(page: Page) -> int:
    assert page.ctx.scope
    by, now, zone = page.form["by"], page.ctx.now(), page.ctx.scope.zone
    if by == "next":
        due = await agenda.first(page.ctx)
        if due is None:
            raise InputInvalid("Nothing is due; move the clock by a day, a week or a month", field="by")
        return max(due.due, now)
    if by in get_args(Step):
        return ahead(now, zone, by)  # type: ignore[arg-type]
    return _day(page.form["date"], now, zone)


def _day(text: str, now: int, zone: str) -> int:
    try:
        at = day_start(dt.date.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        raise InputInvalid("Write the day like 2026-12-31", field="date") from None
    if at <= now:
        raise InputInvalid("Choose a day after the one that the clock shows", field="date")
    return at


ROUTES = (clock, set_clock)
