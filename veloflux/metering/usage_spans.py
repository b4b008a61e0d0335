"""Usage that is kept by hour, day and month of the tenant's zone: how many different values, and percentiles."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from veloflux.context import Context
from veloflux.db import keys
from veloflux.metering import percentile, store
from veloflux.metering.usage_cells import READS_MAX, Asked, days_used, midnight, refuse_too_many
from veloflux.metering.usage_groups import Key
from veloflux.metering.usage_windows import WindowSize, windows

EXACT_MAX = 5_000
"""Up to so many members a union of sets is counted exactly; beyond, estimated."""


class Count(NamedTuple):
    """How many different values, and whether that is exact."""

    number: int = 0
    exact: bool = True


class Place(NamedTuple):
    """One key to read: the window and the row that it is part of, and the end of its name."""

    label: str
    key: Key
    span: str
    group: str


async def places(ctx: Context, asked: Asked, kept_from: int) -> list[Place]:
    """What to read for a span, in order: up to now, from the first day with usage if the span does not say.

    :raises InputInvalid: too many windows and groups.
    """
    start = asked.start
    if start is None:
        days = await days_used(ctx, asked.meter.key, None, None)
        start = midnight(days[0]) if days else kept_from
    end = asked.now + 1 if asked.end is None else min(asked.end, asked.now + 1)
    labels: dict[str, str] = {}
    for window in islice(windows(start, end, asked.size, asked.zone), READS_MAX + 1):
        labels.setdefault(span_of(window.label, asked.size), window.label)
    refuse_too_many(len(labels) * len(asked.groups.parts))
    return [
        Place(text, key, span, group)
        for span, text in labels.items()
        for group, key in sorted(asked.groups.parts, key=lambda part: part[1])
    ]


def span_of(label: str, size: WindowSize) -> str:
    """What a window is called in a key; an hour that comes twice is one there.

    >>> span_of("2018-02-17T23:00:00-03:00", "hour"), span_of("2018-02-17", "day")
    ('2018-02-17t23', '2018-02-17')
    """
    return label[: len("2018-02-17T23")].lower() if size == "hour" else label


async def read_unique(ctx: Context, asked: Asked, where: Sequence[Place]) -> tuple[dict[tuple[str, Key], Count], Count]:
    """How many different values each window and row has, and all of them together."""
    parts = [_Part(*_unique_names(ctx.tenant, asked.meter.key, place)) for place in where]
    sizes = await store.all_of(ctx.db, [("SCARD", part.members) for part in parts])
    about = await store.all_of(ctx.db, [("PFCOUNT", part.estimate) for part in parts])
    known = [part._replace(size=size, about=number) for part, size, number in zip(parts, sizes, about, strict=True)]
    rows = _rows(where, known, lambda part: bool(part.size or part.about))
    counts = await asyncio.gather(*(_count(ctx, some) for some in rows.values()))
    return dict(zip(rows, counts, strict=True)), await _count(ctx, [part for some in rows.values() for part in some])


async def read_sketches(ctx: Context, asked: Asked, where: Sequence[Place]) -> dict[tuple[str, Key], dict[str, int]]:
    """The sketch of each window and row that has amounts."""
    meter = asked.meter.key
    names = [
        keys.sketch_of_group(ctx.tenant, meter, place.span, place.group)
        if place.group
        else keys.sketch(ctx.tenant, meter, place.span)
        for place in where
    ]
    found = [{name: int(text) for name, text in of.items()} for of in await store.hashes(ctx.db, names)]
    return {row: percentile.merged(some) for row, some in _rows(where, found, bool).items()}


class _Part(NamedTuple):
    members: str
    estimate: str
    size: int = 0
    about: int = 0


def _unique_names(tenant: str, meter: str, place: Place) -> tuple[str, str]:
    if not place.group:
        return keys.unique(tenant, meter, place.span), keys.estimate(tenant, meter, place.span)
    return (
        keys.unique_of_group(tenant, meter, place.span, place.group),
        keys.estimate_of_group(tenant, meter, place.span, place.group),
    )


def _rows(where: Sequence[Place], found: Iterable[Any], has: Callable[[Any], bool]) -> dict[tuple[str, Key], list[Any]]:
    rows: dict[tuple[str, Key], list[Any]] = {}
    for place, part in zip(where, found, strict=True):
        if has(part):
            rows.setdefault((place.label, place.key), []).append(part)
    return rows


async def _count(ctx: Context, parts: Sequence[_Part]) -> Count:
    """A set that grew too large is gone, and only its estimate stands for it."""
    exact = all(part.size for part in parts)
    if len(parts) <= 1:
        return Count(sum(part.size or part.about for part in parts), exact)
    if exact and sum(part.size for part in parts) <= EXACT_MAX:
        return Count(await store.union(ctx.db, [part.members for part in parts]))
    return Count(await store.estimated_union(ctx.db, [part.estimate for part in parts]), False)
