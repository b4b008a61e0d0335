"""The Lua scripts: `lua/<slice>/<verb>-<number of keys>.lua`, `+` after the number when more keys may follow.

Each file begins with a shebang and its flags, then a header: what it does, its KEYS, its ARGV, and every code that it
returns. A test holds header, file name and code together. A script is run by its SHA and loaded where a server does
not know it yet (NOSCRIPT means: not executed).

What several scripts do alike stands once, in `lua/parts/<part>.lua`: a line `-- include <part>` is replaced by its
text, whose first comment says what it reads and which locals it makes.
"""

import functools
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "lua"
PARTS = FOLDER / "parts"
INCLUDE = re.compile(r"^-- include ([a-z_]+)\n", re.MULTILINE)
FILE = re.compile(r"(?P<verb>[a-z_]+)-(?P<keys>\d+)(?P<more>\+?)\.lua")


class Script(NamedTuple):
    """`codes` are the first elements that its answer can have."""

    name: str
    source: str
    sha: str
    keys: int
    more_keys: bool
    flags: frozenset[str]
    codes: frozenset[str]


@functools.cache
def load(slice_: str, verb: str) -> Script:
    """The script `lua/<slice_>/<verb>-*.lua`."""
    return _read(next((FOLDER / slice_).glob(f"{verb}-*.lua")))


def every() -> list[Script]:
    """All scripts of the product, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*/*.lua")) if path.parent != PARTS]


def _read(path: Path) -> Script:
    named = FILE.fullmatch(path.name)
    assert named, f"{path.name} is not <verb>-<keys>.lua"
    source = INCLUDE.sub(lambda line: (PARTS / f"{line[1]}.lua").read_text("utf-8"), path.read_text("utf-8"))
    flags = re.match(r"#!lua(?: flags=(\S+))?\n", source)
    assert flags, f"{path.name} does not begin with #!lua"
    return Script(
        name=f"{path.parent.name}/{named['verb']}",
        source=source,
        sha=hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest(),
        keys=int(named["keys"]),
        more_keys=bool(named["more"]),
        flags=frozenset(filter(None, (flags[1] or "").split(","))),
        codes=frozenset(re.findall(r"^-- code ([A-Z]+)", source, re.MULTILINE)),
    )
