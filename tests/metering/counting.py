"""Meters of every aggregation, and what must lie in Redis after events: computed from them alone, in plain Python."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from veloflux.context import Context
from veloflux.kit import period
from veloflux.metering import Event
from veloflux.metering.groups import group_of
from veloflux.metering.sketch import bin_of
from veloflux.plans import Meter
from veloflux.plans.catalogue import Aggregation

ZONE = ZoneInfo("America/Sao_Paulo")
AGGREGATIONS: tuple[Aggregation, ...] = (
    "count", "sum", "avg", "min", "max", "latest", "weighted_sum", "unique", "percentile",
)  # fmt: skip
MINUTES_KEPT_MS = 7 * 3_600_000

Contents = dict[str, Any]
"""Key, without the tenant -> what it holds: a dict of a hash, a number of members of a set or estimate."""


def meter(aggregation: Aggregation, group_by: tuple[str, ...] = (), **terms: Any) -> Meter:
    """Of events `job`, whose property `n` it aggregates; called like the aggregation, grouped ones `by_…`."""
    property_ = "" if aggregation == "count" else "n"
    return Meter(
        name=("by_" if group_by else "") + aggregation,
        event_type="job",
        aggregation=aggregation,
        value_property=property_,
        group_by=group_by,
        unit="unit",
        **terms,
    )


EVERY_METER = (*(meter(one) for one in AGGREGATIONS), *(meter(one, ("region", "size")) for one in AGGREGATIONS))


def job(id_: str, at: int, n: Any = 1, source: str = "api", **data: Any) -> Event:
    return Event("job", id_, at, source, {"n": n, **data})


async def counters(ctx: Context) -> Contents:
    """What the counters of a tenant hold."""
    head = f"vf:tenant:{{{ctx.tenant}}}:"
    names = [name.removeprefix(head) for name in await ctx.db.bulk.scan(f"{head}*")]
    names = [name for name in names if ":" in name and name.partition(":")[0] in KINDS]
    answers = await asyncio.gather(*(ctx.db.call(_reads(name), f"{head}{name}") for name in names))
    return {name: _read(answer) for name, answer in zip(names, answers, strict=True)}


def _reads(name: str) -> str:
    return {"estimate": "PFCOUNT", "unique": "SCARD"}.get(name.partition(":")[0], "HGETALL")


def _read(answer: Any) -> Any:
    return dict(zip(answer[::2], answer[1::2], strict=True)) if isinstance(answer, list) else answer


KINDS = {"usage", "grouped", "groups", "minutes", "total", "changes", "unique", "estimate", "sketch", "adjustments"}


def expected(events: Sequence[Event], now: int, meters: Sequence[Meter] = EVERY_METER, closed: int = 0) -> Contents:
    """The counters after these events, of which none comes twice, and no meter has more groups than have names."""
    oracle = _Oracle(now, closed)
    for event in events:
        for one in meters:
            oracle.count(one, event)
    return oracle.contents()


class _Place(NamedTuple):
    """A field that an amount goes to, the one of what stands beside it, and when its time ends in epoch ms."""

    into: dict[str, str]
    field: str
    beside: str
    end: int


class _Oracle:
    def __init__(self, now: int, closed: int) -> None:
        self._kept_from = now - MINUTES_KEPT_MS
        self._closed = closed
        self._hashes: dict[str, dict[str, str]] = defaultdict(dict)
        self._sets: dict[str, set[object]] = defaultdict(set)

    def contents(self) -> Contents:
        sets = {
            name: len(of) for name, of in self._sets.items() if len(of) <= 1_000 and not name.startswith("estimate")
        }
        # An estimate is one: of 50 values two share a register in one of 13 cases.
        estimates = {
            name: pytest.approx(len(of), rel=0.05, abs=2)
            for name, of in self._sets.items()
            if name.startswith("estimate")
        }
        return {**self._hashes, **sets, **estimates}

    def count(self, one: Meter, event: Event) -> None:
        groups = [""]
        if one.group_by:
            found = group_of([event.data.get(name) for name in one.group_by])
            self._hashes[f"groups:{one.key}"][found.id] = found.values
            groups.append(found.id)
        for group in groups:
            if one.aggregation in ("unique", "percentile"):
                self._in_spans(one, event, group)
            else:
                self._in_time(one, event, group)

    def _in_spans(self, one: Meter, event: Event, group: str) -> None:
        shown, n, tail = _shown(event), event.data["n"], f":{group}" if group else ""
        for span in (f"{shown:%Y-%m-%dt%H}", f"{shown:%Y-%m-%d}", f"{shown:%Y-%m}"):
            if one.aggregation == "percentile":
                _add(self._hashes[f"sketch:{one.key}:{span}{tail}"], bin_of(n), 1)
            else:
                self._sets[f"unique:{one.key}:{span}{tail}"].add(n)
                self._sets[f"estimate:{one.key}:{span}{tail}"].add(n)

    def _in_time(self, one: Meter, event: Event, group: str) -> None:
        at, n, month = event.at or 0, event.data["n"], f"{_shown(event):%Y-%m}"
        for place in self._places(one, at, group, month):
            _merge(one, place.into, place.field, event)
            if one.aggregation == "avg":
                _add(place.into, f"{place.beside}n", 1)
            if one.aggregation == "weighted_sum":
                _add(place.into, f"{place.beside}w", n * (place.end // 1000 - at // 1000))
        if one.aggregation == "weighted_sum":
            _add(self._hashes[f"changes:{one.key}"], f"{month}.{group}" if group else month, n)
        if one.aggregation in ("count", "sum") and not group and at < self._closed:
            _add(self._hashes[f"adjustments:{one.key}"], month, 1 if one.aggregation == "count" else n)

    def _places(self, one: Meter, at: int, group: str, month: str) -> list[_Place]:
        utc = datetime.fromtimestamp(at / 1000, UTC)
        quarter, minute = (utc.hour * 60 + utc.minute) // 15, utc.minute
        day = f"grouped:{one.key}:{group}:{utc:%Y-%m-%d}" if group else f"usage:{one.key}:{utc:%Y-%m-%d}"
        month_end = period.month_bounds(month, ZONE.key)[1]
        total = self._hashes[f"total:{one.key}:{month}"]
        places = [
            _Place(self._hashes[day], str(quarter), f"{quarter}.", at // 900_000 * 900_000 + 900_000),
            _Place(total, group or "sum", f"{group}." if group else "", month_end),
        ]
        if not group and at >= self._kept_from:
            minutes = self._hashes[f"minutes:{one.key}:{utc:%Y-%m-%dt%H}"]
            places.append(_Place(minutes, str(minute), f"{minute}.", at // 60_000 * 60_000 + 60_000))
        return places


def _shown(event: Event) -> datetime:
    return datetime.fromtimestamp((event.at or 0) / 1000, ZONE)


def _merge(one: Meter, into: dict[str, str], field: str, event: Event) -> None:
    n, was = event.data["n"], into.get(field)
    match one.aggregation:
        case "count":
            _add(into, field, 1)
        case "sum" | "avg" | "weighted_sum":
            _add(into, field, n)
        case "min":
            into[field] = str(n if was is None else min(n, int(was)))
        case "max":
            into[field] = str(n if was is None else max(n, int(was)))
        case "latest":
            text = f"{event.at}|{n}|{event.id.encode().hex()}.{event.source.encode().hex()}"
            into[field] = text if was is None else max(was, text, key=_order)


def _order(latest: str) -> tuple[int, bytes, bytes]:
    at, _, tie = latest.split("|")
    id_, _, source = tie.partition(".")
    return int(at), bytes.fromhex(id_), bytes.fromhex(source)


def _add(into: dict[str, str], field: str, n: int) -> None:
    into[field] = str(int(into.get(field, "0")) + n)


def integral(events: Sequence[Event], start: int, end: int) -> Fraction:
    """The area, in units times seconds, below the level from start to end (epoch ms), step by step."""
    steps = sorted((Fraction(event.at or 0, 1000) // 1, event.data["n"]) for event in events)
    level, area, since = Fraction(0), Fraction(0), Fraction(start, 1000)
    for second, change in steps:
        if second >= Fraction(end, 1000):
            break
        if second > since:
            area, since = area + level * (second - since), second
        level += change
    return area + level * (Fraction(end, 1000) - since)


def quantile(bins: dict[str, str], q: Fraction, value_of: Any) -> float:
    """The value at a rank, by counting bins from the smallest."""
    values = sorted((value_of(bin_), int(count)) for bin_, count in bins.items())
    rank, seen = q * (sum(count for _, count in values) - 1), 0
    for value, count in values:
        seen += count
        if seen > rank:
            return float(value)
    raise AssertionError("no values")


def spread(seed: int, number: int) -> list[int]:
    """Numbers from 1 to some millions, many small and few large, the same for the same seed."""
    words = [hashlib.sha256(f"{seed} {at}".encode()).digest() for at in range(number)]
    return [1 + int.from_bytes(word[:3], "big") ** 2 // 2**28 for word in words]
