"""The console's two themes: the same names, and text that can be read on every ground it stands on."""

import re

import pytest

from veloflux.web.app import STATIC

AA = 4.5
"""Contrast of text, WCAG 2.2, success criterion 1.4.3."""
FIELD = 3.0
"""Contrast of what shows the edge of a field, 1.4.11."""
READ_ON = {
    "ink": ("page", "surface", "surface-sunk", "accent-soft", "good-soft", "bad-soft", "warn-soft"),
    "ink-soft": ("page", "surface", "surface-sunk", "line"),
    "ink-faint": ("page", "surface"),
    "accent": ("page", "surface", "surface-sunk"),
    "accent-strong": ("surface", "surface-sunk", "accent-soft"),
    "on-accent": ("accent", "accent-strong"),
    "bad": ("surface", "bad-soft"),
    "warn": ("surface", "warn-soft"),
    "good": ("surface", "good-soft"),
}


def themes() -> dict[str, dict[str, str]]:
    css = (STATIC / "console.css").read_text("utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w+);", block)) for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    )
    return {"light": light, "dark": dark}


def luminance(colour: str) -> float:
    """Relative luminance of `#rgb` or `#rrggbb`, 0 to 1 (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


def test_both_themes_give_every_colour() -> None:
    light, dark = themes().values()
    assert light.keys() == dark.keys()
    assert len(light) > 20


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_its_grounds(theme: str) -> None:
    colours = themes()[theme]
    pairs = [(ink, ground) for ink, grounds in READ_ON.items() for ground in grounds]
    faint = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in faint.items() if ratio < AA} == {}
    assert contrast(colours["line-field"], colours["surface"]) >= FIELD
