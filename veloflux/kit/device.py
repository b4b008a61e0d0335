"""A device in a few words, from what it says of itself (User-Agent, RFC 9110, 10.1.5)."""

import re

# In this order: a browser names those that it resembles too.
PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,29}")


def device(user_agent: str) -> str:
    """
    >>> device("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), device("curl/8.5.0")
    ('Firefox on Linux', 'curl')
    >>> device("")
    ''
    """
    program = _first(PROGRAMS, user_agent)
    if not program:
        product = PRODUCT.match(user_agent)
        program = product[0] if product else ""
    return " on ".join(filter(None, (program, _first(SYSTEMS, user_agent))))


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in names if mark in text), "")
