"""Events as they came, with what became of them: the newest of a tenant, for some hours, for people to look at.

This is no accounting: what is counted is decided and written elsewhere, before. Entries are written some milliseconds
after the answer, and those of that moment are lost when the process ends; of a request of many events only some are
kept, those that were rejected first; large data is cut.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Literal

import msgspec

from veloflux.context import Context
from veloflux.errors import CursorInvalid, Unavailable
from veloflux.kit import clock, page
from veloflux.kit.page import Page
from veloflux.metering import store

Outcome = Literal["accepted", "duplicate", "rejected"]
OUTCOMES: tuple[Outcome, ...] = ("accepted", "duplicate", "rejected")
STREAM_ID = re.compile(r"[0-9]{1,16}-[0-9]{1,16}")
LOOKED_AT_MAX = 2_000
CHUNK = 200
POLL_S = 0.25
FOLLOWERS_MAX = 100


class Raw(msgspec.Struct, frozen=True, array_like=True):
    """An event as it is kept; of one that could not be read `data` is the text that came, and the others are ""."""

    outcome: Outcome
    type: str = ""
    id: str = ""
    source: str = ""
    time: int | None = None
    data: str = ""
    cut: bool = False
    code: str = ""
    reason: str = ""


class RawEvent(msgspec.Struct, frozen=True, kw_only=True):
    """`entry` is its place in the list, `at` when it arrived and `time` its own time, or null, in epoch ms.

    `data` is JSON, or what came in its place; `cut`: it went on. `code` and `reason` are those of a rejection.
    """

    entry: str
    at: int
    outcome: Outcome
    type: str
    id: str
    source: str
    time: int | None
    data: str
    cut: bool
    code: str
    reason: str


class Filter(msgspec.Struct, frozen=True):
    """What is wanted; "" is any."""

    type: str = ""
    outcome: str = ""
    id: str = ""

    def fits(self, event: RawEvent) -> bool:
        """Whether an event is wanted."""
        return self.type in ("", event.type) and self.outcome in ("", event.outcome) and self.id in ("", event.id)


ANY = Filter()
_decode = msgspec.json.Decoder(Raw).decode
_followers: set[object] = set()


async def list_raw_events(
    ctx: Context, wanted: Filter = ANY, cursor: str = "", limit: int = page.LIMIT
) -> Page[RawEvent]:
    """The kept events of the context's tenant, newest first.

    At most 2,000 are looked at; `next` is where to go on, even when few or none of them fit.

    :raises CursorInvalid: the cursor is not one of ours.
    """
    place, found, looked_at = _place(cursor), list[RawEvent](), 0
    while looked_at < LOOKED_AT_MAX:
        chunk = await store.raw_before(ctx.db, ctx.tenant, place, CHUNK)
        for place, text in chunk:
            looked_at += 1
            if wanted.fits(event := _event(place, text)):
                found.append(event)
            if len(found) == limit:
                return Page(found, page.encode(place))
        if len(chunk) < CHUNK:
            return Page(found)
    return Page(found, page.encode(place))


async def follow(
    ctx: Context, wanted: Filter = ANY, cursor: str = "", seconds: float | None = None
) -> AsyncIterator[list[RawEvent]]:
    """The events that arrive after a cursor, without one from now on, for some seconds or without end; an empty list
    says, every quarter of a second, that there was nothing.

    :raises CursorInvalid: the cursor is not one of ours. :raises Unavailable: too many follow in this process.
    """
    place = _place(cursor) or await _newest(ctx)
    if len(_followers) >= FOLLOWERS_MAX:
        raise Unavailable(f"{FOLLOWERS_MAX} people watch events already; read the list, or try again later")
    return _arriving(ctx, wanted, place, seconds)


async def _arriving(ctx: Context, wanted: Filter, place: str, seconds: float | None) -> AsyncIterator[list[RawEvent]]:
    # Asking four times a second costs Redis less than a blocked connection for each who watches.
    began, follower = clock.monotonic(), object()
    _followers.add(follower)
    try:
        while True:
            chunk = await store.raw_after(ctx.db, ctx.tenant, place, CHUNK)
            place = chunk[-1][0] if chunk else place
            yield [event for each in chunk if wanted.fits(event := _event(*each))]
            if len(chunk) == CHUNK:
                continue
            if seconds is not None and clock.monotonic() - began >= seconds:
                return
            await asyncio.sleep(POLL_S)
    finally:
        _followers.discard(follower)


async def _newest(ctx: Context) -> str:
    newest = await store.raw_before(ctx.db, ctx.tenant, "", 1)
    return newest[0][0] if newest else "0-0"


def _event(place: str, text: str) -> RawEvent:
    fields = msgspec.structs.asdict(_decode(text))
    return RawEvent(entry=place, at=int(place.partition("-")[0]), **fields)


def _place(cursor: str) -> str:
    place = page.decode(cursor) if cursor else ""
    if place and not STREAM_ID.fullmatch(place):
        raise CursorInvalid("This cursor is not one that an earlier page gave")
    return place
