"""The languages of people: catalogues, the choice of one for a request, numbers and times as its readers write them.

Sentences are English where they are said; `locales/<language>.po` holds their translations, read once at the first use.
"""

import gettext
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date as babel_date
from babel.dates import format_datetime, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

LOCALES = Path(__file__).parent / "locales"
LANGUAGES: Mapping[str, str] = {"pt-BR": "Português (Brasil)", "en": "English"}
DEFAULT_LANGUAGE = "en"
LANGUAGE_COOKIE = "lang"
BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


@cache
def locale_of(language: str) -> Locale:
    """Babel's locale of one of LANGUAGES."""
    return Locale.parse(language, sep="-")


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of one of LANGUAGES, compiled in memory.

    :raises KeyError: the language is not one of ours.
    """
    _ = LANGUAGES[language]
    locale, compiled = locale_of(language), BytesIO()
    with (LOCALES / f"{locale}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=locale))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def choose(cookie: str | None, accept_language: str | None) -> str:
    """The language of a request: the cookie's, else the first acceptable one of Accept-Language (RFC 9110, 12.5.4).

    >>> choose(None, "fr, pt;q=0.8, en;q=0.5"), choose("en", "pt-BR"), choose("xx", None)
    ('pt-BR', 'en', 'en')
    """
    if cookie is not None and cookie in LANGUAGES:
        return cookie
    for wanted in _by_preference(accept_language or ""):
        for language in LANGUAGES:
            if language.lower() == wanted or language.partition("-")[0] == wanted.partition("-")[0]:
                return language
    return DEFAULT_LANGUAGE


def _by_preference(header: str) -> list[str]:
    weighted = [(_weight(parameters), tag.strip().lower()) for tag, _, parameters in _ranges(header)]
    return [tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0]


def _ranges(header: str) -> list[tuple[str, str, str]]:
    return [part.partition(";") for part in header.split(",")]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def number(value: int | float, language: str) -> str:
    """
    >>> number(2747282740, "pt-BR"), number(2747282740, "en")
    ('2.747.282.740', '2,747,282,740')
    """
    return format_decimal(value, locale=locale_of(language))


def byte_size(value: int, language: str) -> str:
    """Decimal units (kB = 1,000 B, IEC 80000-13), three significant figures.

    >>> byte_size(2747282740, "pt-BR"), byte_size(999, "en")
    ('2,75 GB', '999 B')
    """
    power = min((len(str(abs(value))) - 1) // 3, len(BYTE_UNITS) - 1)
    scaled = value / 1000**power
    pattern = "#,##0" if power == 0 else "#,##0.00" if abs(scaled) < 10 else "#,##0.0"
    return f"{format_decimal(scaled, pattern, locale=locale_of(language))} {BYTE_UNITS[power]}"


def date_text(on: date | str, language: str, style: str = "medium") -> str:
    """A date, or a date's ISO text; style: medium, day (with its weekday) or month (`on` may then be `2015-05`).

    >>> date_text("2015-05-17", "en"), date_text("2015-05", "pt-BR", "month"), date_text("2015-05-17", "en", "day")
    ('17 May 2015', 'maio de 2015', 'Sun 17 May')
    """
    day = date.fromisoformat(f"{on}-01" if len(on) == len("2015-05") else on) if isinstance(on, str) else on
    locale = locale_of(language)
    if style == "month":
        return format_skeleton("yMMMM", day, locale=locale)
    return babel_date(day, {"medium": "d MMM y", "day": "EEE d MMM"}[style], locale=locale)


def time_text(at: int, language: str, zone: str = "UTC", style: str = "seconds") -> str:
    """Epoch milliseconds in a zone (IANA name); style: seconds or minutes.

    >>> time_text(1431857100000, "pt-BR", "America/Sao_Paulo"), time_text(1431857100000, "en", style="minutes")
    ('17 mai. 2015 07:05:00', '17 May 2015 10:05')
    """
    moment = datetime.fromtimestamp(at / 1000, UTC)
    pattern = {"seconds": "d MMM y HH:mm:ss", "minutes": "d MMM y HH:mm"}[style]
    return format_datetime(moment, pattern, tzinfo=ZoneInfo(zone), locale=locale_of(language))


def exact(value: Decimal, language: str) -> str:
    """A number with all its places.

    >>> exact(Decimal("30000.000000001"), "pt-BR")
    '30.000,000000001'
    """
    return format_decimal(value, locale=locale_of(language), decimal_quantization=False)


def percent_text(percent: str, language: str) -> str:
    """A percentage with all its places.

    >>> percent_text("9.975", "pt-BR"), percent_text("20", "en")
    ('9,975%', '20%')
    """
    return format_percent(Decimal(percent) / 100, locale=locale_of(language), decimal_quantization=False)


def country_name(code: str, language: str) -> str:
    """A country of ISO 3166, by its name where it is known.

    >>> country_name("BR", "en"), country_name("XX", "en")
    ('Brazil', 'XX')
    """
    return str(locale_of(language).territories.get(code, code))
