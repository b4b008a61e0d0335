"""Events from a request's body: one JSON object, or an array of them of which the good ones count. Pure."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from veloflux.errors import EventInvalid, InputInvalid
from veloflux.kit.http import parsed
from veloflux.metering.model import SOURCE, TEXT_MAX, Event, Rejection, rejection

EVENTS_MAX = 10_000
Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Attributes as in CloudEvents 1.0. Without a time the event happens when it arrives."""

    specversion: Literal["1.0"] = "1.0"
    type: Annotated[Text, Meta(description="What happened; meters count one type", examples=["http.request"])]
    id: Annotated[Text, Meta(description="Counts once for its source", examples=["request-1"])]
    source: Annotated[Text, Meta(description="Where the id is unique")] = SOURCE
    time: Annotated[datetime, Meta(tz=True)] | None = None
    data: Annotated[dict[str, Any], Meta(examples=[{"bytes": 512}])] = msgspec.field(default_factory=dict)


_one = msgspec.json.Decoder(CloudEvent)
_many = msgspec.json.Decoder(list[CloudEvent])
_raw = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder()


class Decoded(msgspec.Struct, frozen=True):
    """`positions` are the places of the good events in the request."""

    events: list[Event]
    positions: list[int]
    rejected: list[Rejection]


def decode(body: bytes) -> Decoded:
    """The events of a body; those of an array that are malformed are rejected one by one.

    :raises InputInvalid: not JSON, more than 10,000 events, or a single event that is malformed.
    """
    if not is_array(body):
        return Decoded([_event(parsed(_one, body))], [0], [])
    try:
        events = [_event(one) for one in _many.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _one_by_one(body)
    _check_number(len(events))
    return Decoded(events, list(range(len(events))), [])


def is_array(body: bytes) -> bool:
    """Whether a body, if it is JSON, is an array."""
    return body.lstrip()[:1] == b"["


def _one_by_one(body: bytes) -> Decoded:
    parts = parsed(_raw, body)
    _check_number(len(parts))
    good, positions, rejected = [], [], []
    for index, part in enumerate(parts):
        try:
            good.append(_event(parsed(_one, part)))
            positions.append(index)
        except InputInvalid as error:
            parsed(_any, part)
            rejected.append(rejection(index, EventInvalid(str(error))))
    return Decoded(good, positions, rejected)


def _check_number(number: int) -> None:
    if number > EVENTS_MAX:
        raise InputInvalid(f"A request holds at most {EVENTS_MAX} events; this one has {number}")


def _event(one: CloudEvent) -> Event:
    at = None if one.time is None else int(one.time.timestamp() * 1000)
    return Event(one.type, one.id, at, one.source, one.data)
