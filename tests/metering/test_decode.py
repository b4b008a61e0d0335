"""Events as they come over HTTP."""

import msgspec
import pytest

from veloflux.errors import EventAttributeMissing, EventInvalid, EventMalformed, InputInvalid, MediaTypeUnsupported
from veloflux.metering import Event
from veloflux.metering.decode import BATCH, EVENTS_MAX, JSON, LINES, MEDIA_TYPES, ONE, decode, single

GOOD = {"type": "http.request", "id": "a", "data": {"bytes": 1}}
STANDARD = GOOD | {"specversion": "1.0", "source": "/web"}
EXTENDED = STANDARD | {"subject": "customer 7", "datacontenttype": "application/json", "traceparent": "00-1"}
EVENT = Event("http.request", "a", None, "/web", {"bytes": 1})


def body(value: object) -> bytes:
    return msgspec.json.encode(value)


def test_one_object_is_one_event_and_an_array_is_many() -> None:
    event = Event("http.request", "a", None, "api", {"bytes": 1})
    assert decode(body(GOOD)).events == [event]
    assert decode(b" \n" + body([GOOD, GOOD])).events == [event, event]


def test_attributes_are_those_of_cloudevents() -> None:
    [event] = decode(
        body(GOOD | {"specversion": "1.0", "source": "/web", "time": "2015-05-17T07:05:03.5-03:00"})
    ).events
    assert (event.source, event.at) == ("/web", 1_431_857_103_500)


def test_the_malformed_events_of_an_array_are_rejected_one_by_one() -> None:
    decoded = decode(body([GOOD, {"id": "b"}, GOOD | {"extra": 1}, 5, GOOD | {"id": "c"}]))
    assert decoded.positions == [0, 4]
    codes = {1: "event_attribute_missing", 2: "event_invalid", 3: "event_invalid"}
    assert {one.index: one.code for one in decoded.rejected} == codes
    assert decoded.rejected[0].reason.endswith("Object missing required field `type`")
    assert decoded.faulty == {1: b'{"id":"b"}', 2: body(GOOD | {"extra": 1}), 3: b"5"}


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"{",
        b"[{]",
        b"null",
        b"5",
        b'"\xff"',
        b'{"type": "\xff"}',
        body(GOOD | {"id": ""}),
        body(GOOD | {"id": 5}),
        body(GOOD | {"time": "yesterday"}),
        body(GOOD | {"time": "2015-05-17T07:05:03"}),
        body(GOOD | {"data": []}),
        body(GOOD | {"unknown": 1}),
        b"[" * 10_000,
        b'{"data":' * 10_000,
        body([GOOD] * (EVENTS_MAX + 1)),
        body([*[GOOD] * EVENTS_MAX, {}]),
    ],
)
def test_what_is_no_event_at_all_is_one_error(wrong: bytes) -> None:
    with pytest.raises(InputInvalid):
        decode(wrong)


def test_a_cloudevent_may_have_attributes_that_no_meter_reads() -> None:
    assert decode(body(EXTENDED), ONE).events == [EVENT]
    assert decode(body([EXTENDED, STANDARD]), BATCH).events == [EVENT, EVENT]
    for lines in LINES:
        assert decode(body(EXTENDED) + b"\n" + body(STANDARD) + b"\n", lines).events == [EVENT, EVENT]
    with pytest.raises(EventInvalid, match="subject"):
        decode(body(EXTENDED), JSON)


@pytest.mark.parametrize("missing", ["specversion", "id", "source", "type"])
def test_the_standards_types_ask_for_what_the_standard_asks_for(missing: str) -> None:
    event = {name: value for name, value in STANDARD.items() if name != missing}
    with pytest.raises(EventAttributeMissing, match=missing):
        decode(body(event), ONE)
    [rejected] = decode(body([event]), BATCH).rejected
    assert (rejected.index, rejected.code) == (0, "event_attribute_missing")


def test_another_version_of_the_standard_is_another_language() -> None:
    with pytest.raises(EventInvalid, match="specversion"):
        decode(body(STANDARD | {"specversion": "0.3"}), ONE)


def test_each_line_is_an_event_and_a_bad_one_is_named_by_its_place_among_them() -> None:
    line = body(GOOD)
    decoded = decode(b"\n".join([line, b"", b"{", line + b" " + line, b" \r", b'{"id": "b"}', line + b"\r"]), LINES[0])
    assert decoded.positions == [0, 4]
    codes = [(1, "event_malformed"), (2, "event_malformed"), (3, "event_attribute_missing")]
    assert [(one.index, one.code) for one in decoded.rejected] == codes


@pytest.mark.parametrize("lines", [b"", b"\n\n", b" \r\n"])
def test_no_line_is_no_event(lines: bytes) -> None:
    assert decode(lines, LINES[0]).events == decode(b"[]").events == []


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2016-12-31T23:59:59.999999999Z", 1_483_228_800_000),  # to the microsecond first
        ("2016-12-31T23:59:59.9996Z", 1_483_228_799_999),
        ("2016-12-31t23:59:59z", 1_483_228_799_000),
        ("2017-01-01T05:29:59+05:30", 1_483_228_799_000),
        ("2016-12-31T09:59:59-14:00", 1_483_228_799_000),
        ("2026-11-22T08:00:00.123Z", 1_795_334_400_123),
    ],
)
def test_a_time_has_any_offset_and_is_cut_to_its_millisecond(time: str, at: int) -> None:
    assert decode(body(GOOD | {"time": time})).events[0].at == at


def test_a_leap_second_is_refused_with_what_to_send_instead() -> None:
    with pytest.raises(EventInvalid, match=r"leap second.*:59"):
        decode(body(GOOD | {"time": "2016-12-31T23:59:60Z"}))


def test_data_that_is_null_is_none() -> None:
    assert decode(body(GOOD | {"data": None})).events[0].data == {}


def test_a_body_of_another_kind_is_refused_with_those_that_are_read() -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain", "application/xml", "application/cloudevents"):
        with pytest.raises(MediaTypeUnsupported) as caught:
            decode(body(GOOD), kind)
        assert all(one in str(caught.value) for one in MEDIA_TYPES)


def test_the_attributes_of_one_event_may_come_beside_its_data() -> None:
    attributes = {"specversion": "1.0", "type": "http.request", "id": "a", "source": "/web"}
    assert single(attributes, b'{"bytes":1}').events == [EVENT]
    assert single(attributes | {"time": "2015-05-17T10:05:03Z"}, b"").events[0].at == 1_431_857_103_000
    with pytest.raises(EventMalformed):
        single(attributes, b"{")
    with pytest.raises(EventAttributeMissing, match="source"):
        single({name: value for name, value in attributes.items() if name != "source"}, b"")
