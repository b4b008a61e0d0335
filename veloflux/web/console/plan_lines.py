"""A plan's quotas, rates and features as lines of text, as the form of the console has them. Pure."""

from collections.abc import Callable
from typing import Any, TypeVar, get_args

import msgspec

from veloflux.errors import InputInvalid
from veloflux.plans.catalogue import Period, Quota, Rate, Value

T = TypeVar("T")
PERIODS = get_args(Period)
WORDS: dict[str, bool] = {"true": True, "false": False}
TERMS: dict[str, dict[str, Any]] = {"soft": {"hard": False}, "shadow": {"shadow": True}}


def quota_line(quota: Quota) -> str:
    """One quota.

    >>> quota_line(Quota(meter="gb", limit=5, hard=False, thresholds=(90,)))
    'gb 5 month soft at=90'
    """
    words = [quota.meter, str(quota.limit), quota.period]
    words += ["soft"] * (not quota.hard) + ["shadow"] * quota.shadow
    if quota.thresholds != Quota(meter="m", limit=0).thresholds:
        words.append(f"at={','.join(map(str, quota.thresholds))}")
    return " ".join(words)


def rate_line(rate: Rate) -> str:
    """One rate.

    >>> rate_line(Rate(name="fast", meter="requests", limit="10/s", burst=20, per="key"))
    'fast requests 10/s burst=20 per=key'
    """
    plain = Rate(name=rate.name, meter=rate.meter, limit=rate.limit)
    named = [name for name in ("burst", "per", "algorithm", "route") if getattr(rate, name) != getattr(plain, name)]
    words = [rate.name, rate.meter, rate.limit, *(f"{name}={getattr(rate, name)}" for name in named)]
    return " ".join(words + ["shadow"] * rate.shadow)


def feature_line(name: str, value: Value) -> str:
    """One feature.

    >>> feature_line("sso", True), feature_line("seats", 5)
    ('sso = true', 'seats = 5')
    """
    return f"{name} = {str(value).lower() if isinstance(value, bool) else value}"


def read_quotas(text: str) -> tuple[Quota, ...]:
    """:raises InputInvalid: a line is none; its field is `quotas`."""
    return tuple(_lines(text, "quotas", _quota))


def read_rates(text: str) -> tuple[Rate, ...]:
    """:raises InputInvalid: a line is none; its field is `rates`."""
    return tuple(_lines(text, "rates", _rate))


def read_features(text: str) -> dict[str, Value]:
    """:raises InputInvalid: a line is none; its field is `features`."""
    return dict(_lines(text, "features", _feature))


def read_value(text: str) -> Value:
    """A number, yes or no, or the text.

    >>> read_value("5"), read_value("true"), read_value("100/s")
    (5, True, '100/s')
    """
    return int(text) if text.isascii() and text.isdigit() else WORDS.get(text, text)


def _lines(text: str, field: str, read: Callable[[str], T]) -> list[T]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found += [read(line)] if line.strip() else []
        except ValueError as error:  # of msgspec too
            raise InputInvalid(f"Line {number}: {error}", field=field) from None
    return found


def _quota(line: str) -> Quota:
    """As `quota_line` writes it."""
    meter, limit, *words = _at_least(line, 2, "a meter and a number")
    values: dict[str, Any] = {"meter": meter, "limit": limit}
    for word in words:
        if word in PERIODS:
            values["period"] = word
        elif word.startswith("at="):
            values["thresholds"] = word[3:].split(",")
        else:
            values |= TERMS.get(word, {word: ""})
    return msgspec.convert(values, Quota, strict=False)


def _rate(line: str) -> Rate:
    """As `rate_line` writes it."""
    name, meter, limit, *words = _at_least(line, 3, "a name, a meter and a rate like 10/s")
    values: dict[str, Any] = dict(word.partition("=")[::2] for word in words)
    if "shadow" in values:
        values["shadow"] = True
    return msgspec.convert({**values, "name": name, "meter": meter, "limit": limit}, Rate, strict=False)


def _feature(line: str) -> tuple[str, Value]:
    name, is_there, text = (part.strip() for part in line.partition("="))
    if not is_there or not text:
        raise ValueError("write a name, =, and a value")
    return name, msgspec.convert(read_value(text), Value)


def _at_least(line: str, count: int, what: str) -> list[str]:
    words = line.split()
    if len(words) < count:
        raise ValueError(f"write {what}")
    return words
