"""Where the console sends a browser: only to pages of its own."""

import re
from urllib.parse import quote

START = "/console"
SIGN_IN = "/console/sign-in"
SECOND_FACTOR_NEEDED = "/console/account?needed=second-factor"
OURS = re.compile(r"/console(?:[/?][!-\[\]-~]*)?")
"""A path of the console in printable ASCII, without backslashes, which browsers read as slashes."""


def second_factor(then: str) -> str:
    """The page that asks for the second factor and leads on to another page of ours.

    >>> second_factor("/console/account")
    '/console/sign-in/second-factor?next=/console/account'
    """
    return f"{SIGN_IN}/second-factor?next={quote(within_console(then))}"


def within_console(path: str) -> str:
    """The path if it is one of the console's, else where the console begins.

    >>> within_console("/console/tenants?cursor=1"), within_console("//evil.example"), within_console("/consolex")
    ('/console/tenants?cursor=1', '/console', '/console')
    """
    return path if OURS.fullmatch(path) else START


def sign_in(then: str) -> str:
    """The sign-in page that leads on to another page of ours.

    >>> sign_in("/console/t/acme/usage?meter=bytes")
    '/console/sign-in?next=/console/t/acme/usage%3Fmeter%3Dbytes'
    """
    return f"{SIGN_IN}?next={quote(within_console(then))}"
