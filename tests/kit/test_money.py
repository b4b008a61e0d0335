"""Money: rounding, places of currencies, amounts as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veloflux.errors import CurrencyUnknown, InputInvalid
from veloflux.kit.money import half_up, major, minor, minor_digits, parse, share, shown


@pytest.mark.parametrize(
    ("currency", "digits"), [("JPY", 0), ("KRW", 0), ("BRL", 2), ("USD", 2), ("EUR", 2), ("KWD", 3), ("TND", 3)]
)
def test_a_currency_has_places(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize("currency", ["ABC", "brl", "", "BRLX" * 9])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(CurrencyUnknown):
        minor_digits(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "portuguese", "english"),
    [
        (123456, "BRL", "R$ 1.234,56", "R$1,234.56"),
        (123456, "USD", "US$ 1.234,56", "$1,234.56"),
        (123456, "EUR", "€ 1.234,56", "€1,234.56"),
        (123456, "JPY", "JP¥ 123.456", "¥123,456"),
        (123456, "KWD", "KWD 123,456", "KWD 123.456"),
        (5, "KWD", "KWD 0,005", "KWD 0.005"),
        (0, "BRL", "R$ 0,00", "R$0.00"),
        (0, "JPY", "JP¥ 0", "¥0"),
        (-1, "BRL", "-R$ 0,01", "-R$0.01"),
        (-123456, "USD", "-US$ 1.234,56", "-$1,234.56"),
        (-7586, "JPY", "-JP¥ 7.586", "-¥7,586"),
        (-1500, "KWD", "-KWD 1,500", "-KWD 1.500"),
        (10**15 - 1, "BRL", "R$ 9.999.999.999.999,99", "R$9,999,999,999,999.99"),
    ],
)
def test_an_amount_is_shown_as_people_write_it(amount: int, currency: str, portuguese: str, english: str) -> None:
    found = [shown(amount, currency, language).replace("\N{NO-BREAK SPACE}", " ") for language in ("pt-BR", "en")]
    assert found == [portuguese, english]


def test_a_language_that_nobody_knows_reads_english() -> None:
    assert shown(123456, "USD", "xx") == "$1,234.56"


@pytest.mark.parametrize(
    ("precise", "expected"),
    [
        ("0.5", 1),
        ("-0.5", -1),
        ("1.5", 2),
        ("2.5", 3),
        ("-2.5", -3),
        ("2.499999999999", 2),
        ("0.49", 0),
        ("7586.2068", 7586),
    ],
)
def test_a_half_goes_away_from_zero(precise: str, expected: int) -> None:
    assert half_up(Decimal(precise)) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.125", "USD", 13),
        ("0.125", "KWD", 125),
        ("0.5", "JPY", 1),
        ("-0.005", "BRL", -1),
        ("0.004999999999", "BRL", 0),
    ],
)
def test_a_precise_amount_is_rounded_to_the_currency(amount: str, currency: str, expected: int) -> None:
    assert minor(Decimal(amount), currency) == expected


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [("29.99", "USD", 2999), ("30", "JPY", 30), ("1.5", "KWD", 1500), ("0.10", "BRL", 10), ("-3", "BRL", -300)],
)
def test_a_text_is_read(text: str, currency: str, expected: int) -> None:
    assert parse(text, currency) == expected


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        pytest.param("29.999", "USD", id="too many places"),
        pytest.param("0.5", "JPY", id="a currency without places"),
        pytest.param("1.0005", "KWD", id="one with three"),
        pytest.param("", "USD", id="nothing"),
        pytest.param("1,50", "BRL", id="a comma"),
        pytest.param("R$ 1", "BRL", id="a symbol"),
        pytest.param("NaN", "USD", id="not a number"),
        pytest.param("Infinity", "USD", id="infinite"),
        pytest.param("1e30", "USD", id="too much"),
        pytest.param("1e999999999999999999", "USD", id="more than numbers hold"),
    ],
)
def test_a_text_that_is_no_amount_of_the_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(InputInvalid) as refusal:
        parse(text, currency, field="price")
    assert refusal.value.extra["field"] == "price"


@pytest.mark.parametrize(
    ("amount", "part", "whole", "expected"),
    [
        (10000, 22, 29, 7586),
        (30000, 22, 29, 22759),
        (1, 1, 2, 1),
        (-1, 1, 2, -1),
        (1, 49, 99, 0),
        (2999, 0, 7, 0),
        (5, 7, 7, 5),
    ],
    ids=["the credit of the issue", "its debit", "a half", "a negative half", "less", "nothing", "all"],
)
def test_a_share_is_rounded_half_up(amount: int, part: int, whole: int, expected: int) -> None:
    assert share(amount, part, whole) == expected


@given(amount=st.integers(-(10**15) + 1, 10**15 - 1), currency=st.sampled_from(["JPY", "BRL", "KWD"]))
@settings(deadline=None)
def test_minor_units_come_back_from_major_ones(amount: int, currency: str) -> None:
    assert minor(major(amount, currency), currency) == amount
    assert parse(str(major(amount, currency)), currency) == amount


@given(amount=st.integers(-(10**15), 10**15), part=st.integers(0, 10**9), whole=st.integers(1, 10**9))
@settings(deadline=None)
def test_a_share_and_its_rest_are_the_amount_but_for_one(amount: int, part: int, whole: int) -> None:
    rest = share(amount, whole - part, whole) if part <= whole else 0
    assert part > whole or abs(share(amount, part, whole) + rest - amount) <= 1
    assert share(-amount, part, whole) == -share(amount, part, whole)
