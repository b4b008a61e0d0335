"""What a sender may have made by mistake or on purpose: each request is answered, and what it says was counted."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.customers import customer, key
from veloflux.context import Context
from veloflux.errors import EventRejected, InputInvalid, MediaTypeUnsupported, VeloFluxError
from veloflux.kit import ids
from veloflux.kit.http import Received
from veloflux.metering import read_usage
from veloflux.metering.decode import BATCH, JSON, LINES, MEDIA_TYPES, ONE
from veloflux.metering.ingest import ingest

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DEEP = [b'{"a":' * depth + b"1" + b"}" * depth for depth in (900, 930, 940, 950, 960, 970, 980, 990, 2000)]
NUMBERS = [
    b"NaN",
    b"-Infinity",
    b"1e400",
    b"1" * 400,
    b"1" * 5000,
    b"-" + b"9" * 30,
    b"1e-400",
    b"0.1",
    b"9007199254740992",
]
TEXTS = [
    b'"\\ud800"',
    b'"\\udc00x"',
    b'"\xff"',
    b'"a\\u0000"',
    "\u202e".encode().join([b'"', b'"']),
    b'""',
    b"[]",
    b"{}",
    b"null",
]


async def sent(ctx: Context, token: str, body: bytes, kind: str = JSON, **headers: str) -> Any:
    """What was answered; None: the whole was refused."""
    given_ = [(b"content-type", kind.encode()), *((name.encode(), text.encode()) for name, text in headers.items())]
    received = Received(token, body, b"", "203.0.113.9", headers=given_)
    try:
        return msgspec.json.decode(await ingest(ctx.parts, received))
    except (EventRejected, InputInvalid, MediaTypeUnsupported):
        return None


def event(id_: str = "a", **parts: bytes) -> bytes:
    fields = {"type": b'"http.request"', "id": msgspec.json.encode(id_), "data": b'{"bytes":1}'} | parts
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in fields.items()) + b"}"


@pytest.mark.parametrize("kind", [JSON, *LINES])
async def test_of_a_request_full_of_bad_events_the_good_ones_count(one_ctx: Context, kind: str) -> None:
    acme = await customer(one_ctx)
    token = (await key(acme)).token
    bad = [event("b", data=b'{"bytes":%s}' % number) for number in NUMBERS]
    bad += [event("b", **{name: text}) for name in ("id", "type", "source", "time", "data") for text in TEXTS]
    bad += [event("b", data=deep) for deep in DEEP]
    events = [event("first"), *bad, event("last")]
    if kind == JSON:  # there a part that is no JSON leaves no array
        events = [one for one in events if is_json(one)]
    body = b"\n".join(events) if kind != JSON else b"[" + b",".join(events) + b"]"
    answer = await sent(one_ctx, token, body, kind)
    assert answer["accepted"] + answer["duplicates"] + len(answer["rejected"]) == len(events)
    assert {0, len(events) - 1}.isdisjoint(one["index"] for one in answer["rejected"])
    assert len(answer["rejected"]) > 20
    assert (await read_usage(acme, "requests")).total == answer["accepted"]


def is_json(part: bytes, frames: int = 100) -> bool:
    """Whether it is, to a reader that stands so many calls deeper: nesting and calls share one limit."""
    if frames:
        return is_json(part, frames - 1)
    with contextlib.suppress(msgspec.DecodeError, ValueError, RecursionError):
        msgspec.json.decode(part, type=list[msgspec.Raw] if part.startswith(b"[") else msgspec.Raw)
        msgspec.json.decode(part)
        return True
    return False


@given(
    bodies=st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.text(alphabet='{}[]",:0123456789.eE-+truefalsn\\u \n', max_size=200).map(str.encode),
            st.builds(lambda wrong, at: event()[:at] + wrong + event()[at:], st.binary(max_size=4), st.integers(0, 60)),
        ),
        max_size=5,
    ),
    kind=st.sampled_from([*MEDIA_TYPES, "text/plain", "application/json; charset=utf-16"]),
)
@SLOW
async def test_whatever_comes_is_answered_and_the_answer_is_what_was_counted(
    one_ctx: Context, bodies: list[bytes], kind: str
) -> None:
    acme = await customer(one_ctx, f"Acme {ids.new('x')}")
    token, accepted = (await key(acme)).token, 0
    for body in [*bodies, b"\n".join(bodies), b"[" + b",".join(bodies) + b"]"]:
        answer = await sent(one_ctx, token, body, kind)
        accepted += answer["accepted"] if answer else 0
    assert (await read_usage(acme, "requests")).total == accepted


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    sent_=st.lists(
        st.fixed_dictionaries(
            {"type": st.just("http.request"), "id": st.sampled_from("abc")},
            optional={
                "data": JSON_VALUES | st.fixed_dictionaries({"bytes": st.integers(0, 3) | JSON_VALUES}),
                "time": st.sampled_from(["2026-13-01T00:00:00Z", "2016-12-31T23:59:60Z", ""]) | JSON_VALUES,
                "source": st.sampled_from(["/x", ""]) | JSON_VALUES,
                "specversion": st.sampled_from(["1.0", "0.3"]),
            },
        ),
        max_size=8,
    ),
    kind=st.sampled_from([JSON, BATCH, *LINES]),
)
@SLOW
async def test_every_event_of_a_batch_is_accepted_a_duplicate_or_rejected(
    one_ctx: Context, sent_: list[dict[str, Any]], kind: str
) -> None:
    acme = await customer(one_ctx, f"Acme {ids.new('x')}")
    body = b"\n".join(map(msgspec.json.encode, sent_)) if kind in LINES else msgspec.json.encode(sent_)
    answer = await sent(one_ctx, (await key(acme)).token, body, kind)
    assert answer["accepted"] + answer["duplicates"] + len(answer["rejected"]) == len(sent_)
    assert (await read_usage(acme, "requests")).total == answer["accepted"]


async def test_data_that_is_as_deep_as_can_be_read_is_no_fault_of_ours(one_ctx: Context) -> None:
    token = (await key(await customer(one_ctx))).token
    for depth in range(880, 1000):
        data = b'{"bytes":1,"deep":' + b"[" * depth + b"]" * depth + b"}"
        await sent(one_ctx, token, event(str(depth), data=data), JSON)


async def test_of_a_field_that_comes_twice_the_last_counts(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    token = (await key(acme)).token
    await sent(one_ctx, token, event(data=b'{"bytes":1,"bytes":5}'))
    assert (await read_usage(acme, "bytes")).total == 5


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("application/json; charset=utf-16", {}),
        ("application/json; charset=iso-8859-1", {}),
        ("application/json", {"content-encoding": "gzip"}),
        ("application/x-www-form-urlencoded", {}),
        ("multipart/form-data; boundary=x", {}),
    ],
)
async def test_a_body_in_another_writing_is_refused_as_that(
    one_ctx: Context, kind: str, headers: dict[str, str]
) -> None:
    token = (await key(await customer(one_ctx))).token
    received = Received(
        token,
        event(),
        b"",
        "203.0.113.9",
        headers=[(b"content-type", kind.encode()), *((a.encode(), b.encode()) for a, b in headers.items())],
    )
    with pytest.raises(VeloFluxError) as caught:
        await ingest(one_ctx.parts, received)
    assert (caught.value.code, caught.value.status) == ("media_type_unsupported", 415)


async def test_an_event_may_come_as_headers_and_data(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    token = (await key(acme)).token
    attributes = {"ce-specversion": "1.0", "ce-type": "http.request", "ce-id": "caf%C3%A9", "ce-source": "/web"}
    answer = await sent(one_ctx, token, b'{"bytes":7}', "application/json; charset=UTF-8", **attributes)
    assert answer == {"accepted": 1, "duplicates": 0, "rejected": []}
    again = event("café", source=b'"/web"', specversion=b'"1.0"', data=b'{"bytes":7}')
    assert (await sent(one_ctx, token, again, ONE))["duplicates"] == 1
    assert await sent(one_ctx, token, b"{}", JSON, **(attributes | {"ce-type": ""})) is None
    assert (await read_usage(acme, "bytes")).total == 7
