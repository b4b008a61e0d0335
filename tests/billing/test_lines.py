"""A line is stored as an array, and comes back as it was."""

import msgspec

from veloflux.billing.arithmetic.lines import Line

USAGE = Line(
    "usage", "API requests", 500, 50, 1_700_000_000_000, 1_702_592_000_000, "pro", "requests", "5000", "0.001", 2
)


def test_a_line_comes_back_from_its_array() -> None:
    stored = msgspec.json.encode(USAGE)
    assert stored.startswith(b'["usage","API requests",500,50,')
    assert msgspec.json.decode(stored, type=Line) == USAGE


def test_a_line_of_a_former_release_that_lacks_the_last_fields_is_read() -> None:
    assert msgspec.json.decode(b'["fixed","Pro",2999]', type=Line) == Line("fixed", "Pro", 2999)


def test_what_is_left_is_the_amount_without_the_discount() -> None:
    assert (USAGE.net, Line("credit", "Pro", -500, discount=-50).net) == (450, -450)
