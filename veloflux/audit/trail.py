"""The audit trail, read backwards."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence

import msgspec

from veloflux.context import Context
from veloflux.db import streams
from veloflux.errors import CursorInvalid
from veloflux.events import Event, Recorded
from veloflux.kit import crypto, page
from veloflux.kit.page import Page
from veloflux.transaction import SEALED

LOOKED_AT_MAX = 1_000
CHUNK = 200
ERASED = "(erased)"
Keys = Sequence[bytes | None]
STREAM_ID = re.compile(r"[0-9]{1,16}-[0-9]{1,16}")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A field before and after; None where there was, or is, none."""

    subject: str
    field: str
    before: str | None
    after: str | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """`at` is the time of the tenant's clock in epoch ms; `address` is None when none was kept.

    `impersonator` is who acted as the actor, by `impersonation`; or "". `subject` is whom the token was made for.
    """

    id: str
    at: int
    actor: str
    name: str
    request: str
    address: str | None
    impersonator: str
    impersonation: str
    subject: str | None
    data: dict[str, object]
    changes: list[Change]


async def whole_trail(ctx: Context, owner: str) -> AsyncIterator[Entry]:
    """All of a tenant's or person's trail, oldest first; for exports."""
    place = ""
    while chunk := await streams.after(ctx.db.bulk, owner, place, CHUNK):
        for entry in await _shown(ctx, owner, chunk):
            yield entry
        place = chunk[-1].id


async def list_trail(
    ctx: Context, *, name: str = "", actor: str = "", cursor: str = "", limit: int = page.LIMIT
) -> Page[Entry]:
    """The tenant's trail, newest first: all of it, or only events of one name, or by one actor.

    At most 1,000 entries are looked at; `next` is where to go on, even when few or none of them fit.

    :raises CursorInvalid: the cursor is not one of ours.
    """
    place, found, looked_at = _place(cursor), list[Recorded](), 0
    while looked_at < LOOKED_AT_MAX:
        chunk = await streams.before(ctx.db, ctx.tenant, place, CHUNK)
        for event in chunk:
            place, looked_at = event.id, looked_at + 1
            if (not name or event.name == name) and (not actor or actor in (event.actor, event.impersonator)):
                found.append(event)
            if len(found) == limit:
                return Page(await _shown(ctx, ctx.tenant, found), page.encode(place))
        if len(chunk) < CHUNK:
            return Page(await _shown(ctx, ctx.tenant, found))
    return Page(await _shown(ctx, ctx.tenant, found), page.encode(place))


def event_names() -> list[str]:
    """The names that events can have, for a filter."""
    return sorted(kind.name for kind in Event.__subclasses__())


def _place(cursor: str) -> str:
    place = page.decode(cursor) if cursor else ""
    if place and not STREAM_ID.fullmatch(place):
        raise CursorInvalid("This cursor is not one that an earlier page gave")
    return place


async def _shown(ctx: Context, owner: str, found: list[Recorded]) -> list[Entry]:
    subjects = sorted({owner} | {subject for event in found for subject in _sealed_for(event)})
    current = await asyncio.gather(*(ctx.parts.data_keys.current(owner, subject) for subject in subjects))
    data_keys = {subject: key for subject, key in zip(subjects, current, strict=True) if key}
    return [_entry(event, data_keys) for event in found]


def _sealed_for(event: Recorded) -> set[str]:
    """Whose data keys it takes to read an event."""
    subjects = {one for one, fields in event.changes.items() if any(SEALED in v[2:] for v in fields.values())}
    return subjects | {event.person} if event.address else subjects


def _entry(event: Recorded, data_keys: dict[str, bytes]) -> Entry:
    return Entry(
        id=event.id,
        at=event.at,
        actor=event.actor,
        name=event.name,
        request=event.request,
        address=_opened(event.address, [data_keys.get(event.person)]) if event.address else None,
        impersonator=event.impersonator,
        impersonation=event.impersonation,
        subject=_opened(event.subject, [data_keys.get(event.owner)]) if event.subject else None,
        data=event.data,
        changes=[
            _change(subject, field, values, [data_keys.get(subject), data_keys.get(event.owner)])
            for subject, fields in event.changes.items()
            for field, values in sorted(fields.items())
        ],
    )


def _change(subject: str, field: str, values: list[str | None], data_keys: Keys) -> Change:
    before, after = values[:2]
    if values[2:] == [SEALED]:
        before, after = _opened(before, data_keys), _opened(after, data_keys)
    return Change(subject=subject, field=field, before=before, after=after)


def _opened(sealed: str | None, data_keys: Keys) -> str | None:
    """The text that one of the keys opens: that of its subject, or that of the subject's owner."""
    if sealed is None:
        return None
    texts = (crypto.unseal(key, sealed) for key in data_keys if key)
    return next((text for text in texts if text is not None), ERASED)
