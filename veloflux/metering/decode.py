"""Events from a request's body: one, or many of which the good ones count. Pure.

    application/json                        an object, or an array of them; an unknown attribute is a fault
    application/cloudevents+json            one event of CloudEvents 1.0
    application/cloudevents-batch+json      an array of them
    application/x-ndjson, application/jsonl  one event a line

What CloudEvents 1.0 allows and no meter reads (subject, dataschema, datacontenttype, extension attributes) is accepted
and ignored.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from veloflux.errors import (
    EventAttributeMissing,
    EventInvalid,
    EventMalformed,
    EventRejected,
    InputInvalid,
    MediaTypeUnsupported,
)
from veloflux.metering.model import SOURCE, TEXT_MAX, Event, Rejection, rejection

EVENTS_MAX = 10_000
JSON, ONE, BATCH = "application/json", "application/cloudevents+json", "application/cloudevents-batch+json"
LINES = ("application/x-ndjson", "application/jsonl")
MEDIA_TYPES = (JSON, ONE, BATCH, *LINES)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Attributes as in CloudEvents 1.0. Without a time the event happens when it arrives."""

    specversion: Literal["1.0"] = "1.0"
    type: Annotated[Text, Meta(description="What happened; meters count one type", examples=["http.request"])]
    id: Annotated[Text, Meta(description="Counts once for its source", examples=["request-1"])]
    source: Annotated[Text, Meta(description="Where the id is unique")] = SOURCE
    time: Annotated[datetime, Meta(tz=True, description="RFC 3339, with an offset")] | None = None
    data: Annotated[dict[str, Any], Meta(examples=[{"bytes": 512}])] | None = None


class Extended(CloudEvent, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """One that may have further attributes."""


class Standard(Extended, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """One as the standard's media types carry it."""

    specversion: Literal["1.0"]
    source: Text


Kind = TypeVar("Kind", bound=CloudEvent)


class Form(Generic[Kind]):
    """How events of one kind are read."""

    def __init__(self, kind: type[Kind]) -> None:
        self.one = msgspec.json.Decoder(kind)
        self.many = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]


SHORT, EXTENDED, STANDARD = Form(CloudEvent), Form(Extended), Form(Standard)
_raw = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder()


class Decoded(msgspec.Struct, frozen=True):
    """`positions` are the places of the good events in the request, `faulty` has what came at those of the others;
    `alone`: it was one event, not a list of one.
    """

    events: list[Event]
    positions: list[int]
    rejected: list[Rejection]
    faulty: dict[int, bytes] = msgspec.field(default_factory=dict)
    alone: bool = False


def decode(body: bytes, media_type: str = JSON) -> Decoded:
    """The events of a body; those of a list that are malformed are rejected one by one.

    :raises InputInvalid: no JSON, or more than 10,000 events. :raises EventRejected: a single event that is malformed.
    :raises MediaTypeUnsupported: no kind of body that is read here.
    """
    if media_type == ONE:
        return _alone(body, STANDARD)
    if media_type == BATCH:
        return _array(body, STANDARD)
    if media_type in LINES:
        return _lines(body)
    if media_type != JSON:
        raise MediaTypeUnsupported(f"Send events as {', '.join(MEDIA_TYPES)}; this body is {media_type[:80]}")
    return _array(body, SHORT) if body.lstrip()[:1] == b"[" else _alone(body, SHORT)


def single(attributes: dict[str, str], data: bytes) -> Decoded:
    """The event whose attributes came beside its data (the binary mode of CloudEvents over HTTP).

    :raises EventRejected: it is malformed.
    """
    try:
        given = _any.decode(data) if data.strip() else None
        return _of_one(msgspec.convert(attributes | {"data": given}, Standard))
    except FAULTS as error:
        raise fault(error, data) from None


def fault(error: Exception, part: bytes) -> EventRejected:
    """What an error of the decoder means to the sender; `part` is what was decoded.

    >>> str(fault(msgspec.ValidationError("Expected `str`, got `int` - at `$.id`"), b"{}"))
    'id: Expected `str`, got `int`'
    """
    if not isinstance(error, msgspec.ValidationError):
        return EventMalformed(f"The event is not JSON: {error}")
    what, _, place = str(error).partition(" - at `$")
    field = place.rstrip("`").lstrip(".") or "event"
    if "RFC3339" in what and b":60" in part:
        what = "a leap second cannot be counted; send the second before it, :59"
    kind = EventAttributeMissing if "missing required field" in what else EventInvalid
    return kind(f"{field}: {what}", errors=[{"field": field, "message": what}])


def _alone(body: bytes, form: Form[Kind]) -> Decoded:
    try:
        return _of_one(form.one.decode(body))
    except FAULTS as error:
        raise fault(error, body) from None


def _of_one(one: CloudEvent) -> Decoded:
    return Decoded([_event(one)], [0], [], alone=True)


def _array(body: bytes, form: Form[Kind]) -> Decoded:
    try:
        return _all(form.many.decode(body))
    except FAULTS:
        pass
    try:
        parts = _raw.decode(body)
    except FAULTS as error:
        raise InputInvalid(f"The body is not JSON: {error}") from None
    return _one_by_one([bytes(part) for part in parts], form)


def _lines(body: bytes) -> Decoded:
    try:
        return _all(EXTENDED.one.decode_lines(body))
    except FAULTS:
        return _one_by_one([line for line in body.split(b"\n") if line.strip()], EXTENDED)


def _all(found: Sequence[CloudEvent]) -> Decoded:
    _check_number(len(found))
    return Decoded([_event(one) for one in found], list(range(len(found))), [])


def _one_by_one(parts: Sequence[bytes], form: Form[Kind]) -> Decoded:
    _check_number(len(parts))
    good, positions, rejected, faulty = [], [], [], {}
    for index, part in enumerate(parts):
        try:
            good.append(_event(form.one.decode(part)))
            positions.append(index)
        except FAULTS as error:
            rejected.append(rejection(index, fault(error, part)))
            faulty[index] = part
    return Decoded(good, positions, rejected, faulty)


def _check_number(number: int) -> None:
    if number > EVENTS_MAX:
        raise InputInvalid(f"A request holds at most {EVENTS_MAX} events; this one has {number}")


def _event(one: CloudEvent) -> Event:
    return Event(one.type, one.id, None if one.time is None else _ms(one.time), one.source, one.data or {})


def _ms(time: datetime) -> int:
    """Whole milliseconds since 1970: by integers, since a float would lose some."""
    since = time - EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
