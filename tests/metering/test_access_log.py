"""Lines of an access log, good and bad."""

import io

import pytest

from veloflux.demo import EXCERPT
from veloflux.metering import Event
from veloflux.metering.access_log import HOURS_KEPT, LINE_MAX, Bad, Parsed, lines, parse, read

GOOD = b'203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 512 "-" "curl/8"'
AT = 1_431_857_103_000


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (GOOD, 512),
        (GOOD.replace(b" 512", b" -"), 0),
        (GOOD.partition(b' "-"')[0], 512),
        (GOOD[:-5], 512),
        (GOOD.replace(b"203.0.113.9", b"2001:db8::1"), 512),
        (GOOD.replace(b"203.0.113.9", b"host.example.com"), 512),
        (GOOD.replace(b"- - [", b"- maria [silva".partition(b" [")[0] + b" ["), 512),
        (GOOD.replace(b"GET / HTTP/1.1", b"-"), 512),
        (GOOD.replace(b"GET /", b'GET /\\"quoted\\"'), 512),
        (GOOD.replace(b"GET /", b"GET /\xff\xfe"), 512),
        (GOOD.replace(b"10:05:03 +0000", b"07:05:03 -0300"), 512),
    ],
)
def test_a_line_with_address_time_request_status_and_size_counts(line: bytes, size: int) -> None:
    assert parse(line) == Parsed(AT, size)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        GOOD.replace(b" 200 512", b" 200"),
        GOOD.replace(b" 200", b""),
        GOOD.replace(b'"GET / HTTP/1.1" ', b""),
        GOOD.replace(b"203.0.113.9 - - ", b""),
        GOOD.replace(b"[17/May/2015:10:05:03 +0000] ", b""),
        GOOD.replace(b"512", b"5k"),
        GOOD.replace(b"512", b"9" * 16),
        GOOD.replace(b"17/May", b"32/May"),
        GOOD.replace(b"May", b"Mai"),
        GOOD.replace(b"2015", b"1815"),
        GOOD.replace(b"10:05", b"25:05"),
        GOOD.replace(b"+0000", b"+9900"),
        GOOD.replace(b"200", b"999"),
    ],
)
def test_a_line_that_lacks_one_of_them_is_bad_and_says_why(line: bytes) -> None:
    assert isinstance(parse(line), str)


def test_the_excerpt_has_200_good_lines_the_one_without_its_end_too() -> None:
    with EXCERPT.open("rb") as file:
        events = list(read(lines(file)))
    assert [one for one in events if isinstance(one, Bad)] == []
    assert len({one.id for one in events if isinstance(one, Event)}) == 200


def test_identical_lines_are_different_events_and_the_same_ones_each_time() -> None:
    first = list(read([GOOD, GOOD, GOOD]))
    assert len({one.id for one in first if isinstance(one, Event)}) == 3
    assert list(read([GOOD, GOOD, GOOD])) == first


def test_appended_lines_leave_the_ids_before_them_as_they_were() -> None:
    assert list(read([GOOD, b"bad", GOOD, GOOD]))[:3] == list(read([GOOD, b"bad", GOOD]))


def test_identical_lines_are_told_apart_across_the_hours_that_are_remembered() -> None:
    others = [
        GOOD.replace(b"17/May/2015:10", b"%02d/May/2015:%02d" % (18 + n // 24, n % 24)) for n in range(HOURS_KEPT)
    ]
    assert len({one.id for one in read([GOOD, *others[1:], GOOD]) if isinstance(one, Event)}) == HOURS_KEPT + 1


def test_a_bad_line_has_its_number() -> None:
    assert [one.line for one in read([GOOD, b"", GOOD, b"x"]) if isinstance(one, Bad)] == [2, 4]


def test_line_ends_of_any_kind_make_the_same_events() -> None:
    texts = [GOOD + end + GOOD + end for end in (b"\n", b"\r\n")] + [GOOD + b"\n" + GOOD]
    assert len({str(list(read(lines(io.BytesIO(text))))) for text in texts}) == 1


def test_a_line_without_an_end_for_very_long_does_not_fill_the_memory() -> None:
    text = GOOD + b" " * (3 * LINE_MAX) + b"\n" + GOOD
    assert [len(line) for line in lines(io.BytesIO(text))] == [LINE_MAX, len(GOOD)]
