"""A device in a few words, from what it says of itself (User-Agent, RFC 9110, 10.1.5).

All of them are words of this file: the trail keeps a device in plain text, so nobody can bring their own words there.
"""

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
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("python-", "Python"),
    ("okhttp/", "OkHttp"),
    ("Go-http-client/", "Go"),
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


def device(user_agent: str) -> str:
    """
    >>> device("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), device("curl/8.5.0")
    ('Firefox on Linux', 'curl')
    >>> device(""), device("AnasOwnProgram/1.0 (Linux)")
    ('', 'Linux')
    """
    return " on ".join(filter(None, (_first(PROGRAMS, user_agent), _first(SYSTEMS, user_agent))))


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in names if mark in text), "")
