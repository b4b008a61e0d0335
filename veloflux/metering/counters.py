"""What a batch of events adds to, by key and field: the counters' part of what the record script is told. Pure.

What events bring goes to **counters**: one for each meter, time, group and part of the aggregation. What comes together
in one goes to its **cells**, each a field of a hash, or to its sets. A counter of a group has another one of the group
`other` beside it, which the script takes where the meter has its most groups already.

A batch ends where its keys and fields are `WORK_MAX`, or its amounts `OPERATIONS_MAX`, or where its sums could leave
what a script counts exactly in (below 2^53); one event may pass the former two by what its meters have. So a call holds
up few checks.
"""

import struct
from bisect import bisect_right
from typing import Any

from veloflux.db import keys
from veloflux.kit import period
from veloflux.kit.clock import DAY_MS, MINUTE_MS
from veloflux.metering import spans
from veloflux.metering.added import SLOTS, Added, Lot, Moment
from veloflux.metering.distinct import Distinguisher
from veloflux.metering.groups import OTHER, Group
from veloflux.metering.measure import AMOUNT_MAX, QUARTER_S, Counting, Kind, Reading
from veloflux.metering.model import Event
from veloflux.metering.quota_shares import QuotaShares, Terms
from veloflux.metering.sketch import bin_of
from veloflux.metering.spans import Spans
from veloflux.plans.schedule import NOWHERE, segment

WORK_MAX = 4_000
OPERATIONS_MAX = 10_000
HIGH = 10**9
"""Weighted sums of a month pass 2^53: they are added as a low part, and a high part of so many."""
KEPT = 0
"""Instead of a life: no end."""
KINDS = {"min": "min", "max": "max", "latest": "latest", "unique": "unique"}
FIELDS = {"n": ".n", "quarter": ".w", "minute": ".w", "low": ".w", "high": ".w"}


class Counters:
    """The counters of one batch."""

    def __init__(self, terms: Terms, distinguisher: Distinguisher) -> None:
        self.keys: list[str] = []
        self._tenant = terms.tenant
        self._zone = terms.zone
        self._kept_from = terms.now - spans.MINUTES_KEPT_MS
        self._closed = terms.closed_through
        self._billed, self._cuts = terms.billed, terms.cuts
        self._distinguisher = distinguisher
        self.quotas = QuotaShares(terms, self._key)
        self._counters: list[list[int]] = []
        self._kinds: dict[int, str] = {}
        self._others: dict[int, int] = {}
        self._of_group: dict[int, int] = {}
        self._members: list[int] = []
        self._groups: list[tuple[int, str, str]] = []
        self._hashes: list[tuple[int, int, dict[tuple[str, bool], int]]] = []
        self._sets: list[tuple[int, int, int]] = []
        self._days: list[tuple[str, int]] = []
        self._numbers: dict[tuple[str, ...], int] = {}
        self._lots: dict[tuple[Kind, int], Lot] = {}
        self._shapes: dict[tuple[int, ...], int] = {}
        self._index: dict[tuple[str, str, int, str], int] = {}
        self._spans: dict[int, Spans] = {}
        self._work = self._operations = self._weight = 0

    def add(self, event: Event, at: int, reading: Reading) -> Added | None:
        """Count an event. None: it must wait for the next batch; the first one never must."""
        kind, values, _ = reading
        weight = self._weight
        if kind.adds:
            for value in values:
                weight += abs(value)  # type: ignore[arg-type]
        else:
            weight += kind.weigh(values)
        if self._operations and (weight >= AMOUNT_MAX or self._work >= WORK_MAX or self._operations >= OPERATIONS_MAX):
            return None
        self._weight = weight
        time = at // MINUTE_MS if at >= self._kept_from else -(at // period.QUARTER_MS)
        slot = time * SLOTS + (at < self._closed)
        if self._cuts:
            slot += 2 * bisect_right(self._cuts, at)
        if kind.adds:
            shape, _, rows = self._lots.get((kind, slot)) or self._lot(kind, Moment(at, slot, []))
            rows.append(values)
        else:
            shape, values = self._add_each(event, Moment(at, slot, []), reading)
        self._operations += len(values)
        return shape, values

    def program(self, base: int) -> dict[str, Any]:
        """What the script is told; `base` is the number of KEYS before these keys."""
        for lot in self._lots.values():
            lot.sum_up()
        return {
            "base": base,
            "closed": str(self._closed),
            "shapes": list(self._shapes),
            "counters": self._counters,
            "kinds": self._kinds,
            "others": self._others,
            "of_group": self._of_group,
            "groups": self._groups,
            "members": self._members,
            "hashes": [(at, life, [field for field, _ in fields]) for at, life, fields in self._hashes],
            "sets": self._sets,
            "days": self._days,
            **self.quotas.program(),
        }

    def _lot(self, kind: Kind, moment: Moment) -> Lot:
        """A new one."""
        numbers = tuple([self._make(counting, "", moment, "") for counting in kind.countings])
        counters = [self._counters[number - 1] for number in numbers]
        found = self._lots[kind, moment.slot] = Lot(self._shape(numbers), counters, [])
        return found

    def _add_each(self, event: Event, moment: Moment, reading: Reading) -> Added:
        kind, values, groups = reading
        for counting, value, group in zip(kind.countings, values, groups, strict=True):
            self._aggregate(moment, event, counting, value, group)
        return self._shape(tuple(moment.added[::2])), moment.added[1::2]

    def _shape(self, numbers: tuple[int, ...]) -> int:
        return self._shapes.setdefault(numbers, len(self._shapes) + 1)

    def _aggregate(
        self, moment: Moment, event: Event, counting: Counting, value: int | str, group: Group | None
    ) -> None:
        match counting.aggregation, value:
            case "avg", _:
                self._put(moment, counting, "", value, group)
                self._put(moment, counting, "n", 1, group)
            case "latest", _:
                tie = f"{event.id.encode().hex()}.{event.source.encode().hex()}"
                self._put(moment, counting, "", f"{moment.at}|{value}|{tie}", group)
            case "weighted_sum", int(change):
                self._weigh(moment, counting, change, group)
            case "unique", str(text):
                self._put(moment, counting, "", self._member(text), group)
            case "percentile", int(amount):
                self._put(moment, counting, bin_of(amount), 1, group)
            case _:
                self._put(moment, counting, "", value, group)

    def _put(self, moment: Moment, counting: Counting, part: str, value: int | str, group: Group | None) -> None:
        """One amount, for the meter and for the group."""
        size = abs(value) if isinstance(value, int) else 0
        number = self._index.get((counting.key, part, moment.slot, "")) or self._make(counting, part, moment, "")
        self._counters[number - 1][0] += size
        moment.added.extend((number, value))
        if group is not None:
            number = self._grouped(counting, part, moment, group)
            self._counters[number - 1][0] += size
            self._counters[self._others[number] - 1][0] += size
            moment.added.extend((number, value))

    def _weigh(self, moment: Moment, counting: Counting, change: int, group: Group | None) -> None:
        """A change, and how much it weighs until the end of its minute, quarter of an hour and month."""
        second = moment.at // 1000
        month_end = period.month_bounds(self._spans_of(moment.at).month, self._zone)[1] // 1000
        high, low = divmod(change * (month_end - second), HIGH)
        self._put(moment, counting, "", change, group)
        self._put(moment, counting, "quarter", change * (QUARTER_S - second % QUARTER_S), group)
        if moment.minute:
            self._put(moment, counting, "minute", change * (60 - second % 60), group)
        self._put(moment, counting, "low", low, group)
        if high:
            self._put(moment, counting, "high", high, group)

    def _member(self, text: str) -> int:
        """The number of a value; its digest travels as two numbers, since MessagePack in Lua knows no bytes."""
        self._members += struct.unpack(">II", self._distinguisher.digest(text))
        return len(self._members) // 2

    def _grouped(self, counting: Counting, part: str, moment: Moment, group: Group) -> int:
        number = self._index.get((counting.key, part, moment.slot, group.id))
        if number is None:
            number = self._make(counting, part, moment, group.id)
            other = self._index.get((counting.key, part, moment.slot, OTHER))
            self._others[number] = other or self._make(counting, part, moment, OTHER)
            self._of_group[number] = self._group(counting.key, group)
        return number

    def _make(self, counting: Counting, part: str, moment: Moment, group: str) -> int:
        """A counter's number, from 1 as Lua counts."""
        match counting.aggregation:
            case "unique":
                cells = self._cells_of_sets(counting.key, moment, group)
            case "percentile":
                cells = self._cells_of_bins(counting.key, part, moment, group)
            case _:
                cells = self._cells_of_time(counting, part, moment, group)
        self._counters.append([0, self._day(counting.key, moment.at), *cells])
        number = self._index[counting.key, part, moment.slot, group] = len(self._counters)
        kind = "high" if part == "high" else KINDS.get(counting.aggregation)
        if kind:
            self._kinds[number] = kind
        if counting.sums and not group:
            self.quotas.add(number, counting, moment.at)
        return number

    def _cells_of_time(self, counting: Counting, part: str, moment: Moment, group: str) -> list[int]:
        """The quarter of an hour, the minute and the month, as far as this part is kept there."""
        tenant, meter, at, month = self._tenant, counting.key, moment.at, self._spans_of(moment.at).month
        suffix, cells, whole = FIELDS.get(part, ""), [], part in ("", "n")  # type: tuple[str, list[int], bool]
        if whole or part == "quarter":
            on = period.utc_day(at).isoformat()
            name = keys.grouped(tenant, meter, group, on) if group else keys.usage(tenant, meter, on)
            cells += self._cell(name, spans.USAGE_MS, f"{period.quarter_of_day(at)}{suffix}")
        if not group and (part == "minute" or (whole and moment.minute)):
            name = keys.minutes(tenant, meter, spans.utc_hour(at))
            cells += self._cell(name, spans.MINUTES_MS, f"{at // MINUTE_MS % 60}{suffix}")
        if whole or part in ("low", "high"):
            field = f"{group}{suffix}" if group else suffix[1:] or "sum"
            cells += self._cell(keys.total(tenant, meter, month), spans.TOTAL_MS, field, part == "high")
        if part == "" and counting.aggregation == "weighted_sum":
            cells += self._cell(keys.changes(tenant, meter), KEPT, f"{month}.{group}" if group else month)
        if counting.sums and not group:
            cells += self._cells_of_money(counting, moment, month)
        return cells

    def _cells_of_money(self, counting: Counting, moment: Moment, month: str) -> list[int]:
        tenant, meter, cells = self._tenant, counting.key, []  # type: tuple[str, str, list[int]]
        if moment.late:
            cells += self._cell(keys.adjustments(tenant, meter), KEPT, month)
        start = segment(self._cuts, moment.at)[0] if counting.meter.name in self._billed else NOWHERE
        if start != NOWHERE:
            cells += self._cell(keys.billed(tenant, meter), KEPT, f"{start}.late" if moment.late else str(start))
        return cells

    def _cells_of_bins(self, meter: str, bin_: str, moment: Moment, group: str) -> list[int]:
        cells: list[int] = []
        for span, life in zip(self._spans_of(moment.at), spans.SPAN_LIVES, strict=True):
            tenant = self._tenant
            name = keys.sketch_of_group(tenant, meter, span, group) if group else keys.sketch(tenant, meter, span)
            cells += self._cell(name, life, bin_)
        return cells

    def _cells_of_sets(self, meter: str, moment: Moment, group: str) -> list[int]:
        return [
            self._set(meter, span, group, life)
            for span, life in zip(self._spans_of(moment.at), spans.SPAN_LIVES, strict=True)
        ]

    def _cell(self, name: str, life: int, field: str, high: bool = False) -> tuple[int, int]:
        """The number of a hash, and of a field in it."""
        found = self._numbers.get(("hash", name))
        if found is None:
            self._hashes.append((self._key(name), life, {}))
            found = self._numbers["hash", name] = len(self._hashes)
        fields = self._hashes[found - 1][2]
        self._work += (field, high) not in fields
        return found, fields.setdefault((field, high), len(fields) + 1)

    def _set(self, meter: str, span: str, group: str, life: int) -> int:
        found = self._numbers.get(("set", meter, span, group))
        if found is None:
            of = (self._tenant, meter, span)
            exact = keys.unique_of_group(*of, group) if group else keys.unique(*of)
            estimate = keys.estimate_of_group(*of, group) if group else keys.estimate(*of)
            self._sets.append((self._key(exact), self._key(estimate), life))
            found = self._numbers["set", meter, span, group] = len(self._sets)
        return found

    def _group(self, meter: str, group: Group) -> int:
        found = self._numbers.get(("group", meter, group.id))
        if found is None:
            self._groups.append((self._key(keys.groups(self._tenant, meter)), group.id, group.values))
            found = self._numbers["group", meter, group.id] = len(self._groups)
            self._work += 1
        return found

    def _day(self, meter: str, at: int) -> int:
        member = f"{meter}:{period.utc_day(at).isoformat()}"
        found = self._numbers.get(("day", member))
        if found is None:
            self._days.append((member, at // DAY_MS))
            found = self._numbers["day", member] = len(self._days)
        return found

    def _key(self, name: str) -> int:
        """The place of a key among these, from 1."""
        found = self._numbers.get(("key", name))
        if found is None:
            self.keys.append(name)
            found = self._numbers["key", name] = len(self.keys)
            self._work += 1
        return found

    def _spans_of(self, at: int) -> Spans:
        quarter = at // period.QUARTER_MS
        found = self._spans.get(quarter)
        if found is None:
            found = self._spans[quarter] = spans.spans(quarter * period.QUARTER_MS, self._zone)
        return found
