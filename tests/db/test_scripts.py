"""Each script keeps what its header and its file name promise."""

import re
from pathlib import Path

import pytest

from tests.db.fence import fenced
from tests.db.script_examples import EXAMPLES
from veloflux.context import Actor, Context
from veloflux.db import scripts
from veloflux.db.client import Db
from veloflux.db.scripts import Script
from veloflux.settings import Settings
from veloflux.wiring import assemble

FLAGS = {"allow-oom", "no-writes"}
CALL = re.compile(r"redis\.p?call\('([A-Z]+)'(?:,\s*([^,()]+(?:\[[^\]]*\])?))?")
KEYLESS = {"TIME"}
every_script = pytest.mark.parametrize("script", scripts.every(), ids=lambda script: script.name)


def header(script: Script) -> str:
    """The comment at the head, as one text a declaration."""
    lines = script.source.splitlines()[1:]
    count = next(at for at, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(line.removeprefix("--").removeprefix(" ") for line in lines[:count])


def declared(script: Script, kind: str) -> tuple[set[int], bool]:
    """The numbers of the KEYS or ARGV in the header, and whether more may follow."""
    text = re.search(rf"^{kind} (.*?)(?=^\S|\n\n|\Z)", header(script), re.MULTILINE | re.DOTALL)
    if text is None:
        return set(), False
    plain = re.sub(r"\([^)]*\)|\{[^}]*\}", "", text[1])
    numbers = re.findall(r"(?:^|\s{2,}|\band |, )([1-9]\d*)(\.\.)?(?= )", plain)
    return {int(number) for number, _ in numbers}, any(more for _, more in numbers)


def code(script: Script) -> str:
    """The script without comments."""
    return re.sub(r"--.*", "", script.source)


@every_script
def test_a_script_says_its_purpose_and_its_flags_are_known(script: Script) -> None:
    assert re.match(r"[A-Z][^\n]{20,}", header(script)), "the header begins with a sentence"
    assert script.flags <= FLAGS


@every_script
def test_the_declared_keys_are_those_of_the_file_name_and_all_are_used(script: Script) -> None:
    numbers, more = declared(script, "KEYS")
    fixed = numbers - {max(numbers)} if more else numbers
    assert (fixed, more) == (set(range(1, script.keys + 1)), script.more_keys)
    used = {int(number) for number in re.findall(r"KEYS\[(\d+)\]", code(script))}
    assert used <= numbers
    assert fixed <= used


@every_script
def test_every_argument_that_is_declared_is_used_and_none_else(script: Script) -> None:
    numbers, more = declared(script, "ARGV")
    assert numbers == set(range(1, len(numbers) + 1))
    used = {int(number) for number in re.findall(r"ARGV\[(\d+)\]", code(script))}
    assert used <= numbers
    assert (numbers - {max(numbers)} if more else numbers) <= used


@every_script
def test_the_codes_that_are_returned_are_those_declared(script: Script) -> None:
    returned = set(re.findall(r"return \{'([A-Z]+)'", code(script)))
    assert returned == script.codes
    assert re.findall(r"return (?!\{'[A-Z]+')(?!.*\bend\b)", _body(script)) == []


@every_script
def test_no_script_builds_a_key_or_takes_one_from_its_arguments(script: Script) -> None:
    for command, key in CALL.findall(code(script)):
        assert command in KEYLESS or (key and not re.search(r"\.\.|'|\"|ARGV", key)), (command, key)


def test_every_script_has_examples_and_every_lua_file_is_a_script() -> None:
    assert EXAMPLES.keys() == {script.name for script in scripts.every()}
    assert {path.suffix for path in scripts.FOLDER.rglob("*") if path.is_file()} == {".lua"}


@every_script
async def test_its_examples_give_every_code_with_no_other_keys_however_many_clients_race(
    db: Db, script: Script, tmp_path: Path
) -> None:
    async with fenced(db) as behind:
        parts = assemble(Settings(data_dir=tmp_path, redis_url=db.url), behind, b"a secret of the tests, 32 bytes!")
        for example in EXAMPLES[script.name]:
            await example(Context(parts=parts, actor=Actor(id="cli:test")))
            await db.every_master("FLUSHALL")
    assert behind.codes[script.name] == script.codes


async def test_the_fence_refuses_a_key_that_is_not_declared(db: Db) -> None:
    source = "#!lua\nreturn {'OK', redis.call('GET', '{' .. KEYS[1] .. '}:hidden')}"
    hidden = scripts.Script("tests/hidden", source, "0" * 40, 1, False, frozenset(), frozenset({"OK"}))
    async with fenced(db) as behind:
        with pytest.raises(Exception, match="No permissions to access a key"):
            await behind.script(hidden, ["name"], [])


async def test_a_script_that_a_server_does_not_know_is_loaded_by_its_first_call(db: Db) -> None:
    for _ in range(2):
        await db.every_master("SCRIPT", "FLUSH")
        assert await db.script(scripts.load("worker", "hold"), ["vf:test"], ["wrk_1", 1_000]) == ["OK"]


async def test_scripts_that_are_loaded_ahead_are_known_to_every_master(db: Db) -> None:
    await db.every_master("SCRIPT", "FLUSH")
    await db.load(scripts.every())
    shas = [script.sha for script in scripts.every()]
    assert await db.every_master("SCRIPT", "EXISTS", *shas) == [[1] * len(shas)] * len(await db.slots_by_master())


def _body(script: Script) -> str:
    """The code outside of local functions."""
    return re.sub(r"(?ms)^( *)local function.*?^\1end$|^local \w+ = \{.*?^\}$", "", code(script))
