"""Money: whole minor units of a currency (ISO 4217), and the one rule by which precise amounts become them.

Prices are texts in major units (`29.99`); what is computed from them stays exact until a line is rounded, half up,
once.
"""

import functools
import re
from decimal import ROUND_HALF_UP, Context, Decimal

from babel.core import UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision, list_currencies

from veloflux.errors import CurrencyUnknown, InputInvalid

EXACT = Context(prec=60)
"""Holds every sum and product of prices (24 digits) and quantities (24 digits) without rounding."""
LETTER_THEN_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")


@functools.cache
def minor_digits(currency: str) -> int:
    """How many decimal places a currency has (Unicode CLDR, which follows ISO 4217).

    >>> minor_digits("BRL"), minor_digits("JPY")
    (2, 0)

    :raises CurrencyUnknown: there is no such currency.
    """
    if currency not in list_currencies():
        raise CurrencyUnknown(f"{currency[:10]!r} is no currency of ISO 4217, like BRL", field="currency")
    return get_currency_precision(currency)


def half_up(precise: Decimal) -> int:
    """The nearest integer; a half goes away from zero, so that a credit is rounded as its debit was.

    >>> half_up(Decimal("0.5")), half_up(Decimal("-0.5")), half_up(Decimal("2.4999"))
    (1, -1, 2)
    """
    return int(precise.quantize(Decimal(1), ROUND_HALF_UP, EXACT))


def minor(major: Decimal, currency: str) -> int:
    """A precise amount in major units, rounded to minor ones.

    >>> minor(Decimal("0.125"), "BRL")
    13
    """
    return half_up(major.scaleb(minor_digits(currency), EXACT))


@functools.lru_cache(10_000)
def times(price: str, quantity: int, currency: str) -> int:
    """What so many cost, in minor units; remembered, for the same prices are asked for again and again.

    >>> times("14.995", 3, "BRL")
    4499
    """
    return minor(Decimal(price) * quantity, currency)


def major(amount: int, currency: str) -> Decimal:
    """Minor units as the decimal number of major ones.

    >>> major(4574, "USD")
    Decimal('45.74')
    """
    return Decimal(amount).scaleb(-minor_digits(currency), EXACT)


def parse(text: str, currency: str, field: str = "amount") -> int:
    """Minor units from a text in major ones.

    >>> parse("29.99", "USD")
    2999

    :raises InputInvalid: it is no number, or has more places than the currency.
    """
    try:
        scaled = Decimal(text).scaleb(minor_digits(currency), EXACT)
    except ArithmeticError:
        raise InputInvalid(f"{text[:40]!r} is not an amount of money, like 29.90", field=field) from None
    if not scaled.is_finite() or abs(scaled) >= 10**15:
        raise InputInvalid(f"{text[:40]!r} is not an amount of money, like 29.90", field=field)
    if scaled != scaled.to_integral_value():
        raise InputInvalid(f"{currency} has {minor_digits(currency)} decimal places, {text[:40]} has more", field=field)
    return int(scaled)


def share(amount: int, part: int, whole: int) -> int:
    """An amount times a fraction, rounded half up, away from zero.

    >>> share(10000, 22, 29), share(-5, 1, 2)
    (7586, -3)
    """
    magnitude = (2 * abs(amount) * part + whole) // (2 * whole)
    return -magnitude if amount < 0 else magnitude


def shown(amount: int, currency: str, language: str) -> str:
    """An amount as people of a language write it; a currency that is shown by letters stands apart from the digits.

    >>> shown(123456, "BRL", "pt-BR").replace(chr(160), " "), shown(123456, "USD", "en")
    ('R$ 1.234,56', '$1,234.56')
    """
    return _formatted(major(amount, currency), currency, language)


def price_shown(price: str, currency: str, language: str) -> str:
    """A price in major units as people of a language write it, with all its places.

    >>> price_shown("0.0001", "USD", "en"), price_shown("15", "USD", "en")
    ('$0.0001', '$15.00')
    """
    return _formatted(Decimal(price), currency, language)


def _formatted(precise: Decimal, currency: str, language: str) -> str:
    try:
        written = format_currency(precise, currency, locale=language.replace("-", "_"), decimal_quantization=False)
    except UnknownLocaleError:
        written = format_currency(precise, currency, locale="en", decimal_quantization=False)
    return LETTER_THEN_DIGIT.sub("\N{NO-BREAK SPACE}", written)  # as CLDR has it, which Babel leaves out
