"""What must be documented is: the generated pages say what the program says, and the written ones name what exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tests.test_repository import ROOT, files, shown
from veloflux import cli, docs
from veloflux.db import keys
from veloflux.plans.catalogue import parse
from veloflux.settings import PREFIX, Settings
from veloflux.web import app

WRITTEN = [path for path in files("*.md") if path.name not in docs.PAGES]
SECTIONS = ["## Context", "## Decision", "## Consequences", "## When to change it"]
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
PLACE = re.compile(r"`((?:veloflux|tests|docs|bench)/[\w./+-]+)`")


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", docs.PAGES)
def test_a_generated_page_says_what_the_program_says(name: str) -> None:
    assert (docs.FOLDER / name).read_text("utf-8") == docs.page(name), "`make docs` writes it anew"


def test_every_setting_is_documented() -> None:
    page = text("docs/settings.md")
    assert [name for name in Settings.__struct_fields__ if f"`{PREFIX}{name.upper()}`" not in page] == []


def test_every_error_code_is_documented_with_its_meaning() -> None:
    codes = re.findall(r'^    code = "(\w+)"', text("veloflux/errors.py"), re.MULTILINE)
    rows = {
        row.split(" | ")[0].strip("|` "): row for row in text("docs/errors.md").splitlines() if row.startswith("| `")
    }
    assert set(rows) == set(codes) - {"error"}
    assert [code for code, row in rows.items() if row.endswith("|  |")] == []


def test_every_event_is_documented() -> None:
    names = re.findall(r'^    name = "([\w.]+)"', text("veloflux/events.py"), re.MULTILINE)
    page = text("docs/events.md")
    assert names
    assert [name for name in names if f"## {name}\n" not in page] == []


def test_every_key_is_documented() -> None:
    described = re.findall(r'^    """\w+ \| .* \| .* \| .*$', text("veloflux/db/keys.py"), re.MULTILINE)
    page = text("docs/data-layout.md")
    assert len(described) == len(keys.registry())
    assert [entry.pattern for entry in keys.registry() if entry.meaning not in page] == []


def test_every_command_is_documented() -> None:
    page = text("docs/cli.md")
    assert [words for words in command_names() if f"## {words}\n" not in page] == []


def test_every_route_is_documented() -> None:
    routes = [(method, path) for handler in app.API for path in handler.paths for method in handler.http_methods]
    page = text("docs/api.md")
    assert [route for route in [*routes, *app.RAW] if f"| `{route[0]} {plain(route[1])}` |" not in page] == []


def test_every_link_leads_somewhere() -> None:
    links = [(path, target) for path in files("*.md") for target in LINK.findall(path.read_text("utf-8"))]
    inside = [(path, target) for path, target in links if "://" not in target]
    assert inside
    assert [f"{shown(path)}: {target}" for path, target in inside if not (path.parent / target).exists()] == []


def test_every_file_that_a_page_names_exists() -> None:
    named = {(shown(path), place) for path in WRITTEN for place in PLACE.findall(path.read_text("utf-8"))}
    assert named
    assert [found for found in sorted(named) if not list(ROOT.glob(found[1].replace("[", "[[]")))] == []


def test_every_target_that_a_page_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    named = {name for path in WRITTEN for name in re.findall(r"`make ([a-z]+)", path.read_text("utf-8"))}
    assert named
    assert named <= targets


def test_every_command_that_a_page_names_exists() -> None:
    known = {part for words in command_names() for part in (words, words.rpartition(" ")[0])}
    named = [found for path in WRITTEN for found in named_commands(path)]
    assert named
    assert [words for words in named if words not in known] == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs/adr").glob("0*.md")), ids=lambda path: path.stem)
def test_a_decision_is_listed_and_has_its_four_parts(path: Path) -> None:
    assert f"]({path.name})" in text("docs/adr/README.md")
    assert re.findall(r"^## .*", path.read_text("utf-8"), re.MULTILINE) == SECTIONS


def command_names() -> list[str]:
    return [words for words, _ in docs.every_command()]


def named_commands(path: Path) -> Iterator[str]:
    """`veloflux <command>` or `veloflux <part> <verb>`, as far as the words are those of a command."""
    top = get_command(cli.app)
    assert isinstance(top, TyperGroup)
    for first, second in re.findall(r"\bveloflux ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", path.read_text("utf-8")):
        yield (
            f"veloflux {first} {second}"
            if isinstance(top.commands.get(first), TyperGroup) and second
            else f"veloflux {first}"
        )


def plain(path: str) -> str:
    """A route as OpenAPI writes it, without the types of its parameters."""
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


def test_the_catalogue_of_the_guide_is_one() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", text("docs/metering-and-limits.md"), re.DOTALL)
    assert {plan.id for plan in parse(example).plans} == {"team"}
