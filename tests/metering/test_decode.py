"""Events as they come over HTTP."""

import msgspec
import pytest

from veloflux.errors import InputInvalid
from veloflux.metering import Event
from veloflux.metering.decode import EVENTS_MAX, decode

GOOD = {"type": "http.request", "id": "a", "data": {"bytes": 1}}


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
    assert [(one.index, one.code) for one in decoded.rejected] == [(n, "event_invalid") for n in (1, 2, 3)]
    assert decoded.rejected[0].reason.endswith("Object missing required field `type`")


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
        b'[{"type": "\xff"}]',
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
