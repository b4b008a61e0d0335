"""What an event means to each meter: an exact integer, or a value to be told from others, and its group. Pure."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from veloflux.errors import (
    EventGroupInvalid,
    EventInvalid,
    EventPropertyMissing,
    EventTypeUnknown,
    EventValueInvalid,
    EventValueNotFinite,
    EventValueNotNumeric,
    EventValueTooFine,
    EventValueTooLarge,
)
from veloflux.kit.clock import EARLIEST, LATEST
from veloflux.kit.period import QUARTER_MS
from veloflux.metering.groups import Group, group_of
from veloflux.metering.model import TEXT_MAX, Event
from veloflux.metering.scalar import canonical
from veloflux.plans import Meter
from veloflux.plans.catalogue import SUMS

AMOUNT_MAX = 2**53
COUNTER_MAX = 10**18
MONTH_MAX_S = 31 * 86_400 + 3_600
"""Seconds of the longest month, whose clock is set back."""
CHANGE_MAX = COUNTER_MAX // MONTH_MAX_S
"""What one change of a weighted sum stays below (372,856,077,554): times a month's seconds it fits a counter."""


QUARTER_S = QUARTER_MS // 1000
WEIGHTS = {"count": 1, "sum": 1, "avg": 1, "weighted_sum": 2 * QUARTER_S}
"""How much more than its amounts a batch adds to the sums of a meter; the others have none that become large."""


class Counting:
    """A meter as the events are counted for it; `key` is its part of keys, `one` a whole unit in its places."""

    __slots__ = ("aggregation", "key", "meter", "one", "property", "sums", "weight")

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.key = meter.key
        self.aggregation = meter.aggregation
        self.one = 10**meter.places
        self.property = meter.value_property
        self.sums = meter.aggregation in SUMS
        self.weight = WEIGHTS.get(meter.aggregation, 0)


class Kind:
    """A type of events: the meters that count it; `adds`: they only add up what comes, and have no groups."""

    __slots__ = ("adds", "countings", "type")

    def __init__(self, type_: str, meters: Sequence[Meter]) -> None:
        self.type = type_
        self.countings = [Counting(meter) for meter in meters]
        self.adds = all(one.sums and not one.meter.group_by for one in self.countings)

    def amounts(self, data: Mapping[str, Any]) -> list[int]:
        """What an event of a kind that only adds up is to each meter.

        :raises EventPropertyMissing, EventValueInvalid: see `amount`, which this is for the most of what comes.
        """
        found = []
        for one in self.countings:
            value = data.get(one.property) if one.property else 1
            if type(value) is int and -AMOUNT_MAX < value * one.one < AMOUNT_MAX:
                found.append(value * one.one)
            else:
                found.append(amount(one.meter, data))
        return found

    def weigh(self, values: Sequence[int | str]) -> int:
        """By how much an event may change the sums of its meters, at most."""
        weight = 0
        for one, value in zip(self.countings, values, strict=True):
            if one.weight:
                weight += abs(value) * one.weight  # type: ignore[arg-type]
        return weight


Reading = tuple[Kind, Sequence[int | str], Sequence[Group | None]]
"""What an event is to each meter of its kind: an amount in the meter's places (of `unique` the text of the value), and
the group. There are no groups where the kind only adds up."""


class Measure:
    """The meters of a policy, by the type of event that they count."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        of_type: dict[str, list[Meter]] = {}
        for meter in meters:
            of_type.setdefault(meter.event_type, []).append(meter)
        self._kinds = {type_: Kind(type_, found) for type_, found in of_type.items()}

    def read(self, event: Event) -> Reading:
        """What each meter that counts this event reads in it.

        :raises EventInvalid, EventTypeUnknown, EventGroupInvalid, EventPropertyMissing: the event cannot be counted.
        :raises EventValueInvalid: nor can it by its value.
        """
        if not (
            0 < len(event.id) <= TEXT_MAX
            and 0 < len(event.source) <= TEXT_MAX
            and (event.at is None or EARLIEST <= event.at < LATEST)
        ):
            raise _misshapen(event)
        kind = self._kinds.get(event.type)
        if kind is None:
            raise EventTypeUnknown(
                f"No meter counts events of type {event.type[:60]!r}; there are {', '.join(sorted(self._kinds))}"
            )
        data = event.data
        if kind.adds:
            return kind, kind.amounts(data), ()
        values: list[int | str] = []
        groups: list[Group | None] = []
        for one in kind.countings:
            meter = one.meter
            values.append(distinct(meter, data) if one.aggregation == "unique" else amount(meter, data))
            groups.append(group(meter, data) if meter.group_by else None)
        return kind, values, groups


def amount(meter: Meter, data: Mapping[str, Any]) -> int:
    """The number that an event has for a meter, in units of 10^-places.

    >>> gb = Meter(name="gb", event_type="e", aggregation="sum", value_property="gb", unit="GB", places=2)
    >>> amount(gb, {"gb": 0.1})
    10

    :raises EventPropertyMissing, EventValueNotNumeric, EventValueNotFinite, EventValueTooFine: there is none.
    :raises EventValueTooLarge: 2^53 or more of 10^-places, of a change that is weighted `CHANGE_MAX`.
    """
    one: int = 10**meter.places if meter.places else 1
    if meter.aggregation == "count":
        return one
    value = data.get(meter.value_property)
    if type(value) is int:
        scaled = value * one
    elif type(value) is float:
        scaled = _exact(value, meter)
    elif value is None:
        raise _missing(meter)
    else:
        raise EventValueNotNumeric(f"data.{meter.value_property} must be a number, for the meter {meter.name}")
    bound = CHANGE_MAX if meter.aggregation == "weighted_sum" else AMOUNT_MAX
    if not -bound < scaled < bound:
        limit = shown(bound, meter.places)
        raise EventValueTooLarge(f"data.{meter.value_property} is too large: the meter {meter.name} ends at {limit}")
    return scaled


def distinct(meter: Meter, data: Mapping[str, Any]) -> str:
    """The text of the value that a meter tells from others: any string, number or boolean.

    >>> distinct(Meter(name="users", event_type="e", aggregation="unique", value_property="u", unit="user"), {"u": 7.0})
    '7'

    :raises EventPropertyMissing, EventValueNotFinite, EventValueInvalid: there is none.
    """
    value = data.get(meter.value_property)
    if value is None:
        raise _missing(meter)
    if isinstance(value, float) and not math.isfinite(value):
        raise _not_finite(meter)
    try:
        return canonical(value)
    except ValueError:
        raise EventValueInvalid(f"data.{meter.value_property} must be a string, a number or a boolean") from None


def group(meter: Meter, data: Mapping[str, Any]) -> Group:
    """The group of an event, for a meter that has any.

    :raises EventGroupInvalid: one of its values is no scalar, or too long.
    """
    values = [data.get(name) for name in meter.group_by]
    try:
        if all(type(value) is not str or len(value) <= TEXT_MAX for value in values):
            return group_of(values)
    except ValueError:
        pass
    names = ", ".join(f"data.{name}" for name in meter.group_by)
    raise EventGroupInvalid(
        f"{names} must be strings of at most {TEXT_MAX} characters, numbers or booleans: the meter {meter.name} groups"
    )


def shown(value: int, places: int) -> int | Decimal:
    """An amount in whole units, as people and answers show it.

    >>> shown(150, 2), shown(150, 0)
    (Decimal('1.50'), 150)
    """
    return Decimal(value).scaleb(-places) if places else value


def _exact(value: float, meter: Meter) -> int:
    if not math.isfinite(value):
        raise _not_finite(meter)
    # repr gives the shortest decimal that is this float: the number that the sender wrote.
    scaled = Decimal(repr(value)).scaleb(meter.places)
    if scaled != scaled.to_integral_value():
        places = f"at most {meter.places} decimal places" if meter.places else "a whole number"
        raise EventValueTooFine(f"data.{meter.value_property} must be {places}: the meter {meter.name} is exact")
    return int(scaled)


def _missing(meter: Meter) -> EventPropertyMissing:
    return EventPropertyMissing(f"data.{meter.value_property} is missing, which the meter {meter.name} aggregates")


def _not_finite(meter: Meter) -> EventValueNotFinite:
    return EventValueNotFinite(f"data.{meter.value_property} must be finite, for the meter {meter.name}")


def _misshapen(event: Event) -> EventInvalid:
    for name, text in (("id", event.id), ("source", event.source)):
        if not 0 < len(text) <= TEXT_MAX:
            return EventInvalid(f"{name} must have 1 to {TEXT_MAX} characters")
    return EventInvalid("time must lie between the years 2000 and 2100")
