"""Jinja2 for the console's pages: one environment, escaped, translated, strict about what a page was given.

A page reads the names of FRAME, which every page has, and its own, which the head of its template lists.
"""

from datetime import date
from decimal import Decimal
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from veloflux.context import PLATFORM
from veloflux.kit import i18n, money

HERE = Path(__file__).parent
STATIC_PATH = "/static"

# Who looks (None or a Person), their permissions on the platform, at which tenant (None or a Tenant), the tenants to
# switch to, the use cases that the viewer may do (by operation id), the path with its query, the use case just done,
# what went wrong (None or code, sentence, field, request_id), the fields as they were sent, and the clock of a sandbox
# tenant (None or a console.clock_bar.Bar).
FRAME: dict[str, Any] = {
    "viewer": None,
    "platform": frozenset(),
    "tenant": None,
    "tenants": (),
    "may": frozenset(),
    "path": "/console",
    "done": None,
    "problem": None,
    "form": {},
    "clock": None,
    "zone": "UTC",
    "public_url": "",
}


def render(name: str, locale: str, **context: Any) -> str:
    """The HTML of one page, in one of `i18n.LANGUAGES`.

    :raises jinja2.UndefinedError: the page reads a name that was not given.
    """
    return environment().get_template(name).render({**FRAME, **context, "locale": locale})


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(_gettext, _ngettext, newstyle=True, pgettext=_pgettext)  # type: ignore[attr-defined]
    made.filters.update(number=_number, bytes=_bytes, date=_date, time=_time, sentence=_sentence)
    made.filters.update(money=_money, price=_price, quantity=_quantity, percent=_percent)
    made.globals.update(asset=asset, zip=zip, LANGUAGES=i18n.LANGUAGES, PLATFORM=PLATFORM)
    return made


@cache
def asset(name: str) -> str:
    """The path of a static file with its content's fingerprint, so that browsers may keep it for ever."""
    digest = blake2b((HERE / "static" / name).read_bytes(), digest_size=6).hexdigest()
    return f"{STATIC_PATH}/{name}?v={digest}"


@pass_context
def _gettext(context: Context, message: str) -> str:
    return i18n.translations(context["locale"]).gettext(message)


@pass_context
def _pgettext(context: Context, about: str, message: str) -> str:
    """A word whose translation depends on what it is said of."""
    return i18n.translations(context["locale"]).pgettext(about, message)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int) -> str:
    return i18n.translations(context["locale"]).ngettext(singular, plural, count)


@pass_context
def _number(context: Context, value: int | float) -> str:
    return i18n.number(value, context["locale"])


@pass_context
def _bytes(context: Context, value: int) -> str:
    return i18n.byte_size(value, context["locale"])


@pass_context
def _date(context: Context, on: date | str, style: str = "medium") -> str:
    return i18n.date_text(on, context["locale"], style)


@pass_context
def _time(context: Context, at: int, style: str = "seconds") -> str:
    return i18n.time_text(at, context["locale"], context["zone"], style)


@pass_context
def _money(context: Context, amount: int, currency: str) -> str:
    return money.shown(amount, currency, context["locale"])


@pass_context
def _price(context: Context, price: str, currency: str) -> str:
    return money.price_shown(price, currency, context["locale"])


@pass_context
def _quantity(context: Context, quantity: str) -> str:
    return i18n.exact(Decimal(quantity), context["locale"])


@pass_context
def _percent(context: Context, percent: str) -> str:
    return i18n.percent_text(percent, context["locale"])


@pass_context
def _sentence(context: Context, text: str) -> str:
    """A sentence from outside the templates, translated where the catalogue knows it."""
    return i18n.translations(context["locale"]).gettext(text)
