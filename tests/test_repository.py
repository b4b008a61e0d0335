"""What the repository promises about itself, file by file."""

import ast
import fnmatch
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST, LONGEST_TEST = 300, 500
REGISTRIES = {"veloflux/db/keys.py", "veloflux/events.py", "veloflux/errors.py"}
"""Lists, which grow with the product and are searched, not read."""
VAGUE = {"service", "services", "util", "utils", "helper", "helpers", "manager", "managers", "misc", "common"}
# Put together here, so that this file does not contain what it forbids.
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "crates" + ".io"]
PLACES = ["/" + "work/", "/" + "tmp/w/", "/" + "home/", "/" + "root/"]
CLOCKS = re.compile(r"\btime\.(time|time_ns|monotonic|perf_counter)\(|\b(datetime|date)\.(now|today|utcnow)\(")
ASKS = re.compile(r"\b(db|bulk)\.(call|script|repeat)\(")
EDGES = {"asyncio", "litestar", "typer", "redis", "httpx2", "os", "subprocess", "socket"}
IMPURE = re.compile(r"veloflux(\.(db|context|transaction|settings|web|worker|terminal|wiring|cli)\b|$)")


def files(*patterns: str) -> Iterator[Path]:
    """The repository's own files, without what .gitignore leaves out."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()] + [".git"]
    for folder, folders, names in os.walk(ROOT):
        here = Path(folder)
        folders[:] = [name for name in sorted(folders) if not is_ignored(here / name, ignored)]
        for name in sorted(names):
            if any(fnmatch.fnmatch(name, pattern) for pattern in patterns) and not is_ignored(here / name, ignored):
                yield here / name


def is_ignored(path: Path, ignored: list[str]) -> bool:
    """A rule with a slash means a place from the root, one without a name anywhere."""
    place = f"/{shown(path)}"
    return any(
        fnmatch.fnmatch(place if "/" in rule else path.name, f"/{rule.lstrip('/')}" if "/" in rule else rule)
        for rule in ignored
    )


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("forbidden", HOSTS + PLACES)
def test_no_file_names_a_registry_or_a_place_of_one_machine(forbidden: str) -> None:
    assert [shown(path) for path in files("*") if forbidden.encode() in path.read_bytes()] == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [shown(path) for path in files("*") if path.stem.lower() in VAGUE] == []


def test_every_python_file_can_be_read_in_one_sitting() -> None:
    lengths = {shown(path): path.read_text("utf-8").count("\n") for path in files("*.py")}
    longest = {name: LONGEST_TEST if name.startswith("tests/") else LONGEST for name in lengths}
    assert [name for name in lengths if lengths[name] > longest[name] and name not in REGISTRIES] == []


def test_only_one_module_reads_the_clock() -> None:
    assert [shown(path) for path in product() if CLOCKS.search(path.read_text("utf-8"))] == ["veloflux/kit/clock.py"]


def test_every_pure_calculation_says_what_it_computes() -> None:
    pure = [path for path in product() if is_pure(path)]
    assert ROOT / "veloflux/kit/period.py" in pure
    assert ROOT / "veloflux/web/app.py" not in pure
    silent = [f"{shown(path)}: {name}" for path in pure for name in public_functions_without_docstring(path)]
    assert silent == []


def test_no_slice_reads_the_store_of_another_one() -> None:
    strangers = []
    for path in product():
        names = {name for node in ast.walk(parsed(path)) for name in imported_names(node)}
        stores = {found[1] for name in names if (found := re.match(r"veloflux\.(\w+)\.store\b", name))}
        strangers += [f"{shown(path)}: {slice_}" for slice_ in stores if f"veloflux/{slice_}/" not in shown(path)]
    assert strangers == []


def test_a_slice_asks_redis_in_its_store_alone() -> None:
    slices = {path.parent.name for path in product() if path.name == "store.py"}
    callers = [path for path in product() if ASKS.search(path.read_text("utf-8")) and path.parent.name in slices]
    assert [shown(path) for path in callers if path.name != "store.py"] == []


def product() -> list[Path]:
    return [path for path in files("*.py") if shown(path).startswith("veloflux/")]


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def is_pure(path: Path) -> bool:
    """No I/O: neither async functions nor an import of what does I/O."""
    tree = parsed(path)
    imported = {name for node in ast.walk(tree) for name in imported_names(node)}
    waits = any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(tree))
    touches = any(name.partition(".")[0] in EDGES or IMPURE.match(name) for name in imported)
    return not waits and not touches


def imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def public_functions_without_docstring(path: Path) -> list[str]:
    functions = [node for node in parsed(path).body if isinstance(node, ast.FunctionDef)]
    return [node.name for node in functions if not node.name.startswith("_") and not ast.get_docstring(node)]
