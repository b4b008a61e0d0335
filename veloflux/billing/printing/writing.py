"""How a document is written for its reader: words, money, dates and numbers of a language. Pure."""

from decimal import Decimal
from typing import NamedTuple

from veloflux.billing.arithmetic.lines import Line
from veloflux.kit import i18n, money
from veloflux.kit.period import day_of


class Writing(NamedTuple):
    """The language of a document, the zone of its days, its currency."""

    language: str
    zone: str
    currency: str

    def gettext(self, sentence: str) -> str:
        """A sentence of the catalogues, in the document's language."""
        return i18n.translations(self.language).gettext(sentence)

    def money(self, amount: int) -> str:
        """Minor units."""
        return money.shown(amount, self.currency, self.language)

    def price(self, line: Line) -> str:
        """What one unit of a line costs, "" where it has no such price; of a percentage, how much of the money."""
        if not line.price:
            return ""
        if line.kind == "percent":
            return i18n.percent_text(line.price, self.language)
        return money.price_shown(line.price, self.currency, self.language)

    def number(self, text: str) -> str:
        """A quantity as lines keep it."""
        return i18n.exact(Decimal(text), self.language) if text else ""

    def percent(self, percent: str) -> str:
        return i18n.percent_text(percent, self.language)

    def day(self, at: int | None) -> str:
        """The date of epoch ms, "" of none."""
        return "" if at is None else i18n.date_text(day_of(at, self.zone), self.language)

    def days(self, start: int, end: int) -> str:
        """From the day of a moment to the last one before another; one day says itself once, no period nothing.

        >>> Writing("en", "UTC", "USD").days(1_767_225_600_000, 1_767_312_000_000)
        '1 Jan 2026'
        """
        if not end:
            return ""
        first, last = self.day(start), self.day(max(end - 1, start))
        return first if first == last else f"{first} \N{EN DASH} {last}"
