"""The registry of keys is complete and well-formed, and no crafted part leaves its place in a key."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veloflux.db import client, keys
from veloflux.errors import IdInvalid, NameInvalid

PACKAGE = Path(keys.__file__).parents[1]
PLAIN = {"slot", "tags", "due_of_slot", "near_member", "watched_member", "registry", "entry", "entry_of", "owner_in"}
"""Public functions that are no entry of the registry."""
OF_THE_PLATFORM = {"catalogue", "fiscal_fake", "rollout", "schedule"}
"""Entries with the pattern of a tenant that the operators' own alone has."""
TYPES = {"string", "hash", "zset", "set", "stream"}
HOSTILE = [
    "",
    "}",
    "{",
    ":",
    "a:b",
    "a}b",
    "a{b}",
    "a b",
    "a\n",
    "é",
    "ten_",
    "TEN_1",
    "a" * 65,
    "1",
    "ten__1",
    "\u0661",
    "*",
]

entries = pytest.mark.parametrize("entry", keys.registry(), ids=lambda entry: entry.name)


def functions() -> dict[str, Callable[..., str]]:
    return {
        name: function
        for name, function in inspect.getmembers(keys, inspect.isroutine)
        if not name.startswith("_") and function.__module__ == keys.__name__
    }


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text("utf-8"))


def test_every_key_function_is_in_the_registry() -> None:
    assert {entry.name for entry in keys.registry()} == functions().keys() - PLAIN


@entries
def test_an_entry_says_type_life_slice_and_meaning(entry: keys.Entry) -> None:
    assert entry.type in TYPES
    assert re.fullmatch(r"no ttl.*|\d+ (second|minute|hour|day)s?.*|until .+", entry.life)
    assert re.fullmatch(r"[a-z]+(, [a-z]+)*", entry.slice)
    assert entry.meaning


@entries
def test_an_entry_says_of_whom_it_is_and_what_becomes_of_it(entry: keys.Entry) -> None:
    form = r"nobody|(person|tenant|owner): (not exported|exported( without [a-z_]+(, [a-z_]+)*)?); (\w+)"
    said = re.fullmatch(form, entry.whose)
    assert said, f"{entry.name}: end its docstring with `| nobody`, or as the module's says"
    assert said[5] in (None, "deleted", "pseudonymised", "kept", "passing")
    assert said[5] != "passing" or "no ttl" not in entry.life or entry.slice == "worker"
    assert not re.search(r"\{<(user|tenant|owner)>\}", entry.pattern) or said[1] or entry.name in OF_THE_PLATFORM


def test_a_key_of_the_platform_is_made_for_nobody_else() -> None:
    made = [
        (node.func.attr, ast.unparse(node.args[0]))
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in OF_THE_PLATFORM
        if ast.unparse(node.func.value) == "keys"
    ]
    assert set(made) == {(name, "PLATFORM") for name in OF_THE_PLATFORM}


@entries
def test_a_key_is_found_again_in_the_registry(entry: keys.Entry) -> None:
    name = entry.glob().replace("tenant|user", "user").replace("*", "a1")
    found = keys.entry_of(name)
    assert found
    assert found.name == {"owner": "user"}.get(entry.name, entry.name)
    assert keys.entry_of(f"{name}:further:parts:of:a:key") is None


@entries
def test_the_slices_of_an_entry_exist(entry: keys.Entry) -> None:
    for name in entry.slice.split(", "):
        assert (PACKAGE / name).is_dir(), name


@entries
def test_a_pattern_has_at_most_one_hash_tag_and_names_its_parts(entry: keys.Entry) -> None:
    assert re.fullmatch(r"vf(:([a-z_|]+|<[a-z_]+>|\{<[a-z_]+>\}))+", entry.pattern)
    assert entry.pattern.count("{") <= 1


def test_no_two_entries_have_the_same_pattern() -> None:
    patterns = [re.sub(r"<[a-z_]+>", "<>", entry.pattern) for entry in keys.registry()]
    aliases = {"vf:tenant:{<>}", "vf:user:{<>}"}
    assert len([p for p in patterns if p not in aliases]) == len({p for p in patterns if p not in aliases})


@pytest.mark.parametrize("part", HOSTILE)
def test_a_crafted_part_is_refused_at_every_place_of_every_key(part: str) -> None:
    for name in functions().keys() - PLAIN:
        function = functions()[name]
        places = len(inspect.signature(function).parameters)
        for place in range(places):
            if _accepts(function, place, places, part):
                assert re.fullmatch(r"[a-z0-9_-]+", part), (name, place)


@given(st.text(max_size=60))
def test_a_key_of_any_accepted_id_stays_in_its_owners_slot(part: str) -> None:
    try:
        key = keys.member("ten_1", part)
    except IdInvalid:
        return
    assert keys.slot(key) == keys.slot(keys.tenant("ten_1"))
    assert key.count(":") == keys.member("ten_1", "usr_1").count(":")


def test_all_keys_of_an_owner_share_its_slot_with_its_due_set() -> None:
    for owner in ("ten_0", "ten_01jd8x3k2m", "usr_1"):
        slot = keys.slot(keys.owner(owner))
        names = [keys.events(owner), keys.outbox(owner), keys.jobs(owner), keys.done(owner, "cmt_1"), keys.due(owner)]
        assert {keys.slot(name) for name in names} == {slot}


def test_the_tags_hash_to_their_slots_and_are_the_smallest() -> None:
    tags = keys.tags()
    assert len(tags) == keys.SLOTS
    assert all(keys.slot(tag) == at for at, tag in enumerate(tags))
    assert all(keys.slot(str(smaller)) != 0 for smaller in range(int(tags[0])))


async def test_the_slots_are_those_of_the_server(cluster: str) -> None:
    db = await client.connect(cluster)
    for name in ("vf:users", "vf:tenant:{ten_1}:events", keys.due("ten_1"), "a{}b{c}", "{a}{b}", "x{y"):
        assert set(await db.every_master("CLUSTER", "KEYSLOT", name)) == {keys.slot(name)}
    await db.close()


def test_nobody_else_spells_a_key() -> None:
    spelt = [
        f"{path}:{node.lineno}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("vf:")
        if path != Path("db/keys.py")
    ]
    assert spelt == []
    assert not [path for path in PACKAGE.rglob("*.lua") if "vf:" in path.read_text("utf-8")]


def test_no_other_package_imports_redis() -> None:
    importing = {
        path.parts[0]
        for path, tree in modules()
        for node in ast.walk(tree)
        for name in _imported(node)
        if name.split(".")[0] in ("redis", "hiredis")
    }
    assert importing == {"db"}


def _accepts(function: Callable[..., str], place: int, places: int, part: str) -> bool:
    """Whether a key can be made with this part here and a good one everywhere else."""
    for good in ("ten_1", "requests", "2015-05-17"):
        for other in ("ten_1", "requests", "2015-05-17"):
            parts = [good if at else "ten_1" for at in range(places)]
            parts = [other if at == places - 1 and places > 1 else one for at, one in enumerate(parts)]
            parts[place] = part
            try:
                function(*parts)
            except (IdInvalid, NameInvalid):
                continue
            return True
    return False


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
