"""What an event adds to each meter, as exact integers. Pure."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from veloflux.errors import EventInvalid, EventPropertyMissing, EventTypeUnknown, EventValueInvalid
from veloflux.kit.clock import EARLIEST, LATEST
from veloflux.metering.model import TEXT_MAX, Event
from veloflux.plans import Meter

AMOUNT_MAX = 2**53

Amounts = Sequence[tuple[str, int]]


class Measure:
    """The meters of a policy, by the type of event that they count."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._of_type: dict[str, list[Meter]] = {}
        for meter in meters:
            self._of_type.setdefault(meter.event_type, []).append(meter)

    def amounts(self, event: Event) -> Amounts:
        """Meter and amount, for each meter that counts this event.

        :raises EventInvalid, EventTypeUnknown, EventPropertyMissing, EventValueInvalid: the event cannot be counted.
        """
        if not (
            0 < len(event.id) <= TEXT_MAX
            and 0 < len(event.source) <= TEXT_MAX
            and (event.at is None or EARLIEST <= event.at < LATEST)
        ):
            raise _misshapen(event)
        meters = self._of_type.get(event.type)
        if meters is None:
            raise EventTypeUnknown(
                f"No meter counts events of type {event.type[:60]!r}; there are {', '.join(sorted(self._of_type))}"
            )
        return [(meter.key, amount(meter, event.data)) for meter in meters]


def amount(meter: Meter, data: Mapping[str, Any]) -> int:
    """What one event adds to a meter, in units of 10^-places.

    >>> gb = Meter(name="gb", event_type="e", aggregation="sum", value_property="gb", unit="GB", places=2)
    >>> amount(gb, {"gb": 0.1})
    10

    :raises EventPropertyMissing: it is missing. :raises EventValueInvalid: it is not a number, or finer or larger than
        the meter can hold.
    """
    one = 10**meter.places if meter.places else 1
    if meter.aggregation == "count":
        return one
    if meter.value_property not in data:
        raise EventPropertyMissing(f"data.{meter.value_property} is missing; the meter {meter.name} sums it")
    value = data[meter.value_property]
    if type(value) is int:
        scaled = value * one
    elif type(value) is float and math.isfinite(value):
        scaled = _exact(value, meter)
    else:
        raise EventValueInvalid(f"data.{meter.value_property} must be a number; the meter {meter.name} sums it")
    if not -AMOUNT_MAX < scaled < AMOUNT_MAX:
        raise EventValueInvalid(f"data.{meter.value_property} is too large: its amount must stay below 2^53")
    return scaled


def shown(value: int, places: int) -> int | Decimal:
    """An amount in whole units, as people and answers show it.

    >>> shown(150, 2), shown(150, 0)
    (Decimal('1.50'), 150)
    """
    return Decimal(value).scaleb(-places) if places else value


def _exact(value: float, meter: Meter) -> int:
    # repr gives the shortest decimal that is this float: the number that the sender wrote.
    scaled = Decimal(repr(value)).scaleb(meter.places)
    if scaled != scaled.to_integral_value():
        places = f"at most {meter.places} decimal places" if meter.places else "a whole number"
        raise EventValueInvalid(f"data.{meter.value_property} must be {places}; the meter {meter.name} sums exactly")
    return int(scaled)


def _misshapen(event: Event) -> EventInvalid:
    for name, text in (("id", event.id), ("source", event.source)):
        if not 0 < len(text) <= TEXT_MAX:
            return EventInvalid(f"{name} must have 1 to {TEXT_MAX} characters")
    return EventInvalid("time must lie between the years 2000 and 2100")
