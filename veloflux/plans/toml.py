"""Parts of the catalogue as TOML that people edit: written with a line for each small thing, and read back with the line
that a fault is in. Pure."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

WIDTH = 100
HEADER = re.compile(r"\[\[?\s*([A-Za-z0-9_.-]+)\s*\]\]?\s*(#.*)?")
KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
STEP = re.compile(r"[A-Za-z0-9_]+|\[\d+\]")
Place = tuple[str | int, ...]


def written(table: Mapping[str, Any]) -> str:
    """A table as TOML: what fits into a line stands there, the rest in tables of its own.

    >>> print(written({"id": "pro", "fixed": [{"name": "base", "prices": {"USD": "29.00"}}]}), end="")
    id = "pro"
    fixed = [
      { name = "base", prices = { USD = "29.00" } },
    ]
    """
    return "\n".join(_table(table, ())).lstrip("\n") + "\n"


def read(text: str) -> dict[str, Any]:
    """:raises ValueError: it is no TOML; says the line."""
    return tomllib.loads(text)


def place_of(path: str) -> Place:
    """The place that msgspec names, as far as it says which one.

    >>> place_of("$.plans[0].usage[1].prices[...].unit")
    ('plans', 0, 'usage', 1, 'prices')
    """
    steps = STEP.findall(path.removeprefix("$").partition("[...]")[0])
    return tuple(int(step[1:-1]) if step[0] == "[" else step for step in steps)


def line_of(text: str, place: Place) -> int:
    """The line, counted from 1, that a place of what the text says is in, or that of what has it.

    >>> line_of('[[plans]]\\nid = "a"\\n\\n[[plans]]\\nid = "b"\\nrates = [\\n  { x = 1 },\\n]', ("plans", 1, "rates", 0))
    7
    """
    known = dict(_places(text))
    while place and place not in known:
        place = place[:-1]
    return known.get(place, 1)


def _table(table: Mapping[str, Any], path: Place) -> Iterator[str]:
    large = {}
    for key, value in table.items():
        if len(line := f"{key} = {_inline(value)}") <= WIDTH and not _rows(value):
            yield line
        elif _rows(value) and all(len(_inline(row)) <= WIDTH for row in value):
            yield from (f"{key} = [", *(f"  {_inline(row)}," for row in value), "]")
        else:
            large[key] = value
    for key, value in large.items():
        name = ".".join(map(str, (*path, key)))
        for row in value if isinstance(value, list) else ():
            yield from ("", f"[[{name}]]", *_table(row, (*path, key)))
        if not isinstance(value, list):
            yield from ("", f"[{name}]", *_table(value, (*path, key)))


def _rows(value: Any) -> bool:
    """Whether it is a list of tables."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _inline(value: Any) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{key} = {_inline(each)}" for key, each in value.items()) + " }" if value else "{}"
        case list():
            return f"[{', '.join(map(_inline, value))}]"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _places(text: str) -> Iterator[tuple[Place, int]]:
    """The places that begin in each line."""
    counts: dict[Place, int] = {}
    table: Place = ()
    key, element = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.fullmatch(line.strip()):
            table = _resolved(header[1].split("."), counts, again=line.lstrip().startswith("[["))
            yield table, number
        elif line.strip().startswith("{") and key:
            yield (*table, key, element), number
            element += 1
        elif found := KEY.match(line):
            key, element = found[1], 0
            yield (*table, key), number


def _resolved(names: list[str], counts: dict[Place, int], *, again: bool) -> Place:
    """The place that a header means: of arrays their last element, of its own array the next one."""
    place: Place = ()
    for at, name in enumerate(names):
        place = (*place, name)
        if again and at == len(names) - 1:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place
