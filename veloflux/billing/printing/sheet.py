"""The PDF of a rendered invoice or credit note: A4. Pure, and work for a CPU.

The same document gives the same bytes. It is written in a font that every reader of PDFs has, with the characters of
Windows-1252, so Portuguese whole. A document with others is in DejaVu, which goes into the file: all that is Latin,
Greek or Cyrillic, and most signs of currencies. What that lacks, too, is written without its accents, a currency's sign
as its code, and anything else as a question mark: the page shows it.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from veloflux.billing.printing.parties import Heading
from veloflux.billing.printing.rendered import Rendered, Sum

ENCODING = "cp1252"
FONT, WIDE_FONT = "Helvetica", "dejavu"
WIDE_FONTS = {"": "DejaVuSansCondensed.ttf", "B": "DejaVuSansCondensed-Bold.ttf"}
RIGHT_TO_LEFT = ("R", "AL")
"""Characters that nothing here puts in their order, or joins."""
FONTS = Path(__file__).parent / "fonts"
"""`make install` puts them there."""
INK, SOFT, FAINT, MARK = (24, 33, 43), (81, 93, 105), (225, 229, 233), (11, 107, 114)
MARGIN, COLUMN = 18, 87
WIDTHS = (92, 24, 28, 30)
SUM_WIDTHS = (74, 36)
LINE, GAP, SUM_GAP = 4.6, 1.4, 0.3
Colour = tuple[int, int, int]
LONGEST = 600
"""Characters of a text: so a row never is higher than a page."""
PAGES = "\x01\x01\x01"
"""Stands for the number of pages until it is known; no text has it."""


def pdf(document: Rendered) -> bytes:
    """The PDF of a document."""
    sheet = _Sheet(document)
    sheet.add_page()
    sheet.write_head()
    sheet.write_rows()
    sheet.write_sums()
    return bytes(sheet.output())


def in_windows_1252(character: str) -> bool:
    """Whether every reader of PDFs has a font with it.

    >>> in_windows_1252("ç"), in_windows_1252("ł")
    (True, False)
    """
    try:
        return bool(character.encode(ENCODING))
    except UnicodeEncodeError:
        return False


def printable(text: str, currency: str, has: Callable[[str], bool] = in_windows_1252) -> str:
    """A text in one line, of characters that the font `has`.

    >>> printable("Łódź, 株式会社 -₹5", "INR"), printable("1\\n2 €", "EUR")
    ('?ódz, ???? -INR\\xa05', '1 2 €')
    """
    text = unicodedata.normalize("NFC", text)
    line = " ".join(text.split(" ")) if text.isprintable() else "".join(_shown(each) for each in text)
    if len(line) > LONGEST:
        line = f"{line[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
    return "".join(each if has(each) else _nearest(each, currency, has) for each in line)


def _shown(character: str) -> str:
    return character if character.isprintable() or character == "\N{NO-BREAK SPACE}" else " "


def _nearest(character: str, currency: str, has: Callable[[str], bool]) -> str:
    if unicodedata.category(character) == "Sc":
        return f"{currency}\N{NO-BREAK SPACE}"
    return "".join(filter(has, unicodedata.normalize("NFKD", character))) or "?"


def _is_wide(document: Rendered) -> bool:
    return not all(
        map(in_windows_1252, {_shown(each) for text in _texts(document) for each in unicodedata.normalize("NFC", text)})
    )


def _texts(part: object) -> Iterator[str]:
    """All that a part of a document says."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Iterable):
        for each in part:
            yield from _texts(each)


class _Row(NamedTuple):
    """Cells of texts in their colours, the first one to the left, the others to the right."""

    cells: list[list[tuple[str, Colour]]]
    widths: tuple[float, ...]
    size: int = 9
    style: str = ""
    gap: float = GAP


class _Sheet(FPDF):
    """Draws a document from top to bottom; lengths are in millimetres."""

    def __init__(self, document: Rendered) -> None:
        super().__init__(format="A4")
        self._document = document
        self.core_fonts_encoding = ENCODING
        self._is_wide = _is_wide(document)
        if self._is_wide:
            for style, file in WIDE_FONTS.items():
                self.add_font(WIDE_FONT, style, FONTS / file)
        self.alias_nb_pages(PAGES)
        self.set_margin(MARGIN)
        self.set_auto_page_break(True, MARGIN + 6)
        self.set_creation_date(datetime.fromtimestamp(document.issued_at / 1000, UTC))
        self.set_title(f"{document.title} {document.number}")
        self.set_author(self._text(document.seller[1].name))
        self.set_lang(document.language)

    def header(self) -> None:
        """On every page but the first: what it belongs to."""
        if self.page_no() == 1:
            return
        self._ink(SOFT, 9)
        self._put(f"{self._document.title} {self._document.number}", self.epw / 2)
        self._put(self._document.seller[1].name, self.epw / 2, align="R", ends=True)
        self.ln(4)

    def footer(self) -> None:
        """On every page: its number."""
        self.set_y(-MARGIN)
        self._ink(SOFT, 8)
        text = self._document.page % {"page": self.page_no(), "pages": PAGES}
        self.cell(self.epw, 5, text)

    def write_head(self) -> None:
        """Title, stamp, facts, and both sides."""
        document = self._document
        self._ink(INK, 20, "B")
        self._put(document.title, self.epw / 2, 10)
        self._ink(MARK if document.stamp == "paid" else SOFT, 14, "B")
        self._put(document.status.upper() if document.stamp else "", self.epw / 2, 10, align="R", ends=True)
        self.ln(2)
        for label, value in document.facts:
            self._ink(SOFT, 9)
            self._put(label, 32, 5)
            self._ink(INK, 9)
            self._put(value, self.epw - 32, 5, ends=True)
        self.ln(6)
        top = self.y
        bottoms = [self._write_party(side, MARGIN + COLUMN * at, top) for at, side in enumerate(self._sides())]
        self.set_xy(MARGIN, max(bottoms, default=top) + 8)

    def write_rows(self) -> None:
        """The table of lines, whose head is on every page."""
        self.set_draw_color(*FAINT)
        self._write_columns()
        for row in self._document.rows:
            name = [(row.name, INK), (row.about, SOFT)] if row.about else [(row.name, INK)]
            figures = [[(text, INK)] for text in (row.quantity, row.price, row.amount)]
            self._write_row(_Row([name, *figures], WIDTHS), self._write_columns)
            self._rule()
        self.ln(4)

    def write_sums(self) -> None:
        """What the lines come to, to the right and on one page, and what else is to be said."""
        if self.will_page_break(len(self._document.sums) * (LINE + 2 * SUM_GAP)):
            self.add_page()
        for one in self._document.sums:
            self._write_sum(one)
        if self._document.note:
            self.ln(6)
            self._ink(SOFT, 9)
            self.multi_cell(self.epw, LINE, self._text(self._document.note), align="L")

    def _write_columns(self) -> None:
        self._write_row(_Row([[(column, SOFT)] for column in self._document.columns], WIDTHS, style="B"))
        self._rule()

    def _write_sum(self, one: Sum) -> None:
        colour, style = SOFT if one.weight == "said" else INK, "B" if one.weight == "total" else ""
        cells = [[(one.label, colour)], [(one.amount, colour)]]
        self._write_row(_Row(cells, SUM_WIDTHS, 10 if style else 9, style, gap=SUM_GAP))

    def _write_row(self, row: _Row, on_new_page: Callable[[], None] = lambda: None) -> None:
        """A row that ends at the right margin, on the next page if there is no room on this one."""
        self._ink(INK, row.size, row.style)
        wrapped = [
            [(line, colour) for text, colour in cell for line in self._wrapped(text, width)]
            for cell, width in zip(row.cells, row.widths, strict=True)
        ]
        height = LINE * max(len(lines) for lines in wrapped) + 2 * row.gap
        if self.will_page_break(height):
            self.add_page()
            on_new_page()
            self._ink(INK, row.size, row.style)
        left, top = self.w - MARGIN - sum(row.widths), self.y
        for lines, width in zip(wrapped, row.widths, strict=True):
            align = "R" if lines is not wrapped[0] else "L"
            for at, (text, colour) in enumerate(lines):
                self.set_xy(left, top + row.gap + LINE * at)
                self.set_text_color(*colour)
                self.cell(width, LINE, text, align=align)
            left += width
        self.set_xy(MARGIN, top + height)

    def _rule(self) -> None:
        self.line(MARGIN, self.y, MARGIN + self.epw, self.y)

    def _write_party(self, side: tuple[str, Heading], left: float, top: float) -> float:
        """Gives where it ends."""
        label, party = side
        self.set_xy(left, top)
        for text, colour, style in [
            (label, SOFT, ""),
            (party.name, INK, "B"),
            *((line, INK, "") for line in party.lines),
        ]:
            self._ink(colour, 9, style)
            self.set_x(left)
            self.multi_cell(COLUMN - 6, LINE, self._text(text), align="L", new_x=XPos.LEFT, new_y=YPos.NEXT)
        return self.y

    def _sides(self) -> list[tuple[str, Heading]]:
        return [side for side in (self._document.seller, self._document.buyer) if side[1].name]

    def _wrapped(self, text: str, width: float) -> list[str]:
        """A text in lines that fit, in the font of now."""
        text = self._text(text)
        if self.get_string_width(text) <= width - 2 * self.c_margin:
            return [text]
        lines = self.multi_cell(width, LINE, text, align="L", dry_run=True, output="LINES")
        assert isinstance(lines, list)
        if self._is_wide:
            return lines
        return [line.encode("latin-1").decode(ENCODING) for line in lines]  # its bytes are what the library measures

    def _put(self, text: str, width: float, height: float = 5, *, align: str = "L", ends: bool = False) -> None:
        """A text in one line; `ends` begins the next one."""
        new_x, new_y = (XPos.LMARGIN, YPos.NEXT) if ends else (XPos.RIGHT, YPos.TOP)
        self.cell(width, height, self._text(text), align=align, new_x=new_x, new_y=new_y)

    def _ink(self, colour: Colour, size: int, style: str = "") -> None:
        self.set_font(WIDE_FONT if self._is_wide else FONT, style, size)
        self.set_text_color(*colour)

    def _text(self, text: str) -> str:
        return printable(text, self._document.currency, self._has)

    def _has(self, character: str) -> bool:
        if not self._is_wide:
            return in_windows_1252(character)
        is_there = all(isinstance(font, TTFFont) and ord(character) in font.cmap for font in self.fonts.values())
        return is_there and unicodedata.bidirectional(character) not in RIGHT_TO_LEFT
