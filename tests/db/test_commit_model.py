"""The commit script against a plain dict that follows its header: random programs, and random interleavings."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import ResponseError

from veloflux.db import client, commit, keys
from veloflux.db.client import Db
from veloflux.db.commit import COMMIT, Commit
from veloflux.errors import CommitRefused

State = dict[str, Any]
"""Key -> dict (hash), str (string), dict of scores under "zset", set, or list of events."""

NAMES = ("hash", "other_hash", "string", "zset", "set")
TYPES = {
    "HSET": "hash",
    "HDEL": "hash",
    "HINCRBY": "hash",
    "SET": "string",
    "ZADD": "zset",
    "ZREM": "zset",
    "SADD": "set",
    "SREM": "set",
}
SETTINGS = settings(
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
counter = itertools.count()


class Program(msgspec.Struct, frozen=True):
    """What a commit is made of, with names instead of indexes of KEYS."""

    expect: list[list[Any]]
    write: list[list[Any]]
    events: list[list[Any]]


class Refused(Exception):
    """The model's answer when a program must change nothing."""


RANKED = st.just("@")
fields = st.sampled_from(["a", "b", "c"])
numbers = st.sampled_from(["0", "1", "-7", "400000000000000000", "-900000000000000000"])
texts = st.sampled_from(["", "x", "5", "05", "-", "1e3", "é", "\x00", "9223372036854775807"]) | numbers
usual = st.one_of(
    st.tuples(st.just("HSET"), st.sampled_from(["hash", "other_hash"]), fields, texts),
    st.tuples(st.just("HSET"), st.just("hash"), fields, texts, fields, texts),
    st.tuples(st.just("HDEL"), st.sampled_from(["hash", "other_hash"]), fields),
    st.tuples(st.just("HINCRBY"), st.sampled_from(["hash", "other_hash"]), fields, numbers),
    st.tuples(st.just("SET"), st.just("string"), texts),
    st.tuples(st.just("SET"), st.just("string"), texts, st.just("PX"), st.just("600000")),
    st.tuples(st.just("DEL"), st.sampled_from(NAMES)),
    st.tuples(st.just("PEXPIRE"), st.sampled_from(NAMES), st.just("600000")),
    st.tuples(st.just("ZADD"), st.just("zset"), numbers, texts),
    st.tuples(st.just("ZREM"), st.just("zset"), texts, texts),
    st.tuples(st.just("SADD"), st.just("set"), texts, texts),
    st.tuples(st.just("SREM"), st.just("set"), texts),
)
crossing = st.one_of(
    st.tuples(st.just("HSET"), st.sampled_from(NAMES), st.just("a"), numbers),
    st.tuples(st.just("SET"), st.sampled_from(NAMES), texts),
    st.tuples(st.just("ZADD"), st.sampled_from(NAMES), numbers, texts),
    st.tuples(st.just("HINCRBY"), st.just("hash"), st.just("a"), numbers),
)
odd_arguments = st.lists(texts, max_size=5)
odd = st.builds(
    lambda command, name, arguments: (command, name, *arguments),
    st.sampled_from([*TYPES, "DEL", "PEXPIRE", "FLUSHALL", "EVAL", ""]),
    st.sampled_from(NAMES),
    odd_arguments,
)
expectations = st.one_of(
    st.tuples(st.sampled_from(NAMES), fields, texts),
    st.tuples(st.sampled_from(["hash", "other_hash"]), fields),
    st.tuples(st.sampled_from(["string", "hash"]), st.just(""), texts),
    st.tuples(st.sampled_from(NAMES), st.just("")),
    st.tuples(st.sampled_from(["zset", "zset", "hash", "string"]), texts, st.sampled_from(["0", "1", "-7"]), RANKED),
)
events = st.lists(st.tuples(fields, texts).map(list), max_size=2)
odd_events = st.lists(odd_arguments, max_size=2)
programs = st.builds(
    Program,
    st.lists(expectations.map(list), max_size=1),
    st.lists((usual | crossing).map(list), max_size=5).map(
        lambda writes: sorted(writes, key=lambda write: write[0] != "HINCRBY")
    ),
    events,
)
odd_programs = st.builds(
    Program,
    st.lists(expectations.map(list), max_size=2),
    st.lists((usual | crossing | odd).map(list), max_size=5),
    events | odd_events,
)


@pytest.fixture
async def clients(db: Db) -> AsyncIterator[list[Db]]:
    others = [await client.connect(db.url) for _ in range(2)]
    yield [db, *others]
    for other in others:
        await other.close()


@settings(SETTINGS, max_examples=400)
@given(steps=st.lists(programs | odd_programs, max_size=8))
async def test_every_program_has_the_effect_of_the_model_or_none_at_all(db: Db, steps: list[Program]) -> None:
    owner, state = f"ten_m{next(counter)}", State()
    for at, program in enumerate(steps):
        code, after = _model(state, program)
        answer = await _run(db, owner, f"cmt_{at}", program)
        assert answer[0] == code, (program, answer)
        assert await _actual(db, owner) == after, program
        if code == "OK":
            assert await _run(db, owner, f"cmt_{at}", program) == ["REPLAY", answer[1]]
            assert await _actual(db, owner) == after
        state = after


@settings(SETTINGS, max_examples=150)
@given(
    pool=st.lists(programs, min_size=1, max_size=5),
    turns=st.lists(st.lists(st.integers(0, 4), max_size=6), min_size=2, max_size=3),
)
async def test_interleaved_clients_have_the_effect_of_some_order(
    clients: list[Db], pool: list[Program], turns: list[list[int]]
) -> None:
    owner = f"ten_i{next(counter)}"
    pool = [
        Program(program.expect, program.write, [*program.events, ["a", f"program {at}"]])
        for at, program in enumerate(pool)
    ]

    async def play(db: Db, turn: list[int]) -> list[tuple[int, list[Any]]]:
        return [(at % len(pool), await _run(db, owner, f"cmt_{at % len(pool)}", pool[at % len(pool)])) for at in turn]

    played = await asyncio.gather(*(play(db, turn) for db, turn in zip(clients, turns, strict=False)))
    answers = [answer for answered in played for answer in answered]

    done = [int(event[1].split()[1]) for event in await _events(clients[0], owner) if event[1].startswith("program ")]
    states = [State()]
    for at in done:
        code, after = _model(states[-1], pool[at])
        assert code == "OK", f"program {at} was done where it must be refused"
        states.append(after)
    assert await _actual(clients[0], owner) == states[-1]
    for at in range(len(pool)):
        own = [answer for number, answer in answers if number == at]
        assert sum(answer[0] == "OK" for answer in own) == done.count(at) <= 1
        assert len({answer[1] for answer in own if answer[0] in ("OK", "REPLAY")}) <= 1
        for answer in own:
            possible = {_model(state, pool[at])[0] for state in states}
            assert answer[0] == "REPLAY" or answer[0] in possible


async def test_ids_of_events_rise_in_the_order_of_the_commits(db: Db) -> None:
    program = Program([], [], [["a", "1"], ["a", "2"], ["a", "3"]])
    answers = [await _run(db, "ten_0rder", f"cmt_{at}", program) for at in range(20)]
    ids = [tuple(map(int, id_.split("-"))) for _, text in answers for id_ in text.split()]
    assert ids == sorted(set(ids))
    assert len(ids) == 60


@pytest.mark.parametrize(
    "program",
    [
        Program([], [], [["x"] * 1_000] * 20),
        Program([], [["SADD", "set", "x"]] * 201, []),
        Program([], [["SADD", "set", *["x"] * 1_001]], []),
        Program([], [], [["x"] * 1_002]),
    ],
)
async def test_a_program_beyond_the_bounds_is_refused_whole(db: Db, program: Program) -> None:
    assert (await _run(db, "ten_b0unds", "cmt_1", program))[0] == "INVALID"
    assert await _actual(db, "ten_b0unds") == {}


@pytest.mark.parametrize(
    "program",
    [
        Program([], [["SADD", "set", "x"]] * 200, []),
        Program([], [["SADD", "set", *(str(number) for number in range(1_000))]], []),
        Program([], [], [["x"] * 1_000]),
    ],
)
async def test_a_program_within_the_bounds_is_done(db: Db, program: Program) -> None:
    assert (await _run(db, "ten_b0unds", "cmt_1", program))[0] == "OK"
    assert await _actual(db, "ten_b0unds") == _model({}, program)[1]


async def test_a_commit_that_is_too_long_is_not_sent(db: Db) -> None:
    change = Commit("ten_b0unds")
    change.set(keys.setup("ten_b0unds"), "x" * 262_144)
    with pytest.raises(CommitRefused):
        await commit.run(db, change)
    assert await _actual(db, "ten_b0unds") == {}


@settings(SETTINGS, max_examples=300)
@given(program=programs, at=st.integers(0, 40), word=texts | st.sampled_from(["1", "2", "1.5", "-1", "nan", "inf"]))
async def test_a_program_with_a_wrong_word_is_done_or_changes_nothing(
    db: Db, program: Program, at: int, word: str
) -> None:
    owner = f"ten_w{next(counter)}"
    words = _words(owner, program)
    words[at % len(words)] = word
    try:
        code, *_ = await _run_words(db, owner, "cmt_1", words)
    except ResponseError:
        code = "ERROR"
    assert code == "OK" or await _actual(db, owner) == {}


async def test_a_counter_never_passes_18_digits(db: Db) -> None:
    add = Program([], [["HINCRBY", "hash", "a", "400000000000000000"]], [])
    codes = [(await _run(db, "ten_c0unt", f"cmt_{at}", add))[0] for at in range(3)]
    assert codes == ["OK", "OK", "RANGE"]
    twice = Program([], [["HINCRBY", "hash", "a", "150000000000000000"]] * 2, [])
    assert (await _run(db, "ten_c0unt", "cmt_twice", twice))[0] == "RANGE"
    assert await _actual(db, "ten_c0unt") == {"hash": {"a": "800000000000000000"}}


# The model


def _model(state: State, program: Program) -> tuple[str, State]:
    try:
        _check(state, program)
    except Refused as refused:
        return str(refused), state
    after = {name: value.copy() if isinstance(value, dict | set | list) else value for name, value in state.items()}
    for command, name, *arguments in program.write:
        _write(after, command, name, arguments)
    if program.events:
        after["events"] = [*after.get("events", []), *program.events]
    return "OK", after


def _check(state: State, program: Program) -> None:
    for name, field, *value in program.expect:
        if value[1:] == ["@"]:
            _check_rank(state.get(name), field, value[0])
        else:
            _check_expectation(state.get(name), field, value[0] if value else None)
    wanted: dict[str, str] = {}
    counters: dict[tuple[str, str], int] = {}
    others = False
    for command, name, *arguments in program.write:
        _require(command in {*TYPES, "DEL", "PEXPIRE"}, "INVALID")
        _require(_valid(command, arguments), "INVALID")
        if command in TYPES:
            _require(wanted.setdefault(name, TYPES[command]) == TYPES[command], "INVALID")
        if command == "HINCRBY":
            _require(not others, "INVALID")
            counters[name, arguments[0]] = counters.get((name, arguments[0]), 0) + abs(int(arguments[1]))
        else:
            others = True
    for event in program.events:
        _require(len(event) >= 2 and len(event) % 2 == 0, "INVALID")
    for name, kind in wanted.items():
        _require(name not in state or _type(state[name]) == kind, "WRONGTYPE")
    for (name, field), amount in counters.items():
        now = state.get(name, {}).get(field, "0")
        _require(_is_integer(now) and abs(int(now)) + amount < 10**18, "RANGE")


def _check_expectation(value: Any, field: str, expected: str | None) -> None:
    if field:
        _require(value is None or _type(value) == "hash", "WRONGTYPE")
        _require((value or {}).get(field) == expected, "EXPECTED")
    elif expected is None:
        _require(value is None, "EXPECTED")
    else:
        _require(value is None or isinstance(value, str), "WRONGTYPE")
        _require(value == expected, "EXPECTED")


def _check_rank(value: Any, member: str, score: str) -> None:
    _require(value is None or _type(value) == "zset", "WRONGTYPE")
    _require(value is not None and value["zset"].get(member) == float(score), "EXPECTED")


def _require(condition: bool, code: str) -> None:
    if not condition:
        raise Refused(code)


def _valid(command: str, arguments: list[str]) -> bool:  # noqa: PLR0911  one line a command
    match command:
        case "HSET":
            return len(arguments) >= 2 and len(arguments) % 2 == 0
        case "HINCRBY":
            return len(arguments) == 2 and _is_integer(arguments[1])
        case "SET":
            lives = len(arguments) == 3 and arguments[1] == "PX" and _is_integer(arguments[2])
            return len(arguments) == 1 or (lives and int(arguments[2]) > 0)
        case "DEL":
            return not arguments
        case "PEXPIRE":
            return len(arguments) == 1 and _is_integer(arguments[0])
        case "ZADD":
            return len(arguments) == 2 and _is_integer(arguments[0])
        case _:
            return len(arguments) >= 1


def _is_integer(text: str) -> bool:
    digits = text.removeprefix("-")
    return text == "0" or (digits.isascii() and digits.isdigit() and digits[0] != "0" and len(digits) <= 18)


def _type(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    if isinstance(value, set):
        return "set"
    return "zset" if "zset" in value else "hash"


def _write(state: State, command: str, name: str, arguments: list[str]) -> None:
    match command:
        case "HSET":
            state.setdefault(name, {}).update(zip(arguments[::2], arguments[1::2], strict=True))
        case "HINCRBY":
            values = state.setdefault(name, {})
            values[arguments[0]] = str(int(values.get(arguments[0], "0")) + int(arguments[1]))
        case "SET":
            state[name] = arguments[0]
        case "ZADD":
            state.setdefault(name, {"zset": {}})["zset"] = {
                **state.get(name, {"zset": {}})["zset"],
                arguments[1]: float(arguments[0]),
            }
        case "SADD":
            state.setdefault(name, set()).update(arguments)
        case "DEL":
            state.pop(name, None)
        case "PEXPIRE":
            if int(arguments[0]) <= 0:
                state.pop(name, None)
        case _:
            _remove(state, name, arguments)


def _remove(state: State, name: str, members: list[str]) -> None:
    value = state.get(name)
    if isinstance(value, set):
        value -= set(members)
    elif value is not None:
        value = {"zset": value["zset"].copy()} if "zset" in value else value
        for member in members:
            value.get("zset", value).pop(member, None)
        state[name] = value
    if value in (set(), {}, {"zset": {}}):
        del state[name]


# Redis


def _keys(owner: str) -> dict[str, str]:
    return {
        "hash": keys.tenant(owner),
        "other_hash": keys.limits(owner),
        "string": keys.setup(owner),
        "zset": keys.members(owner),
        "set": keys.sessions(owner),
    }


async def _run(db: Db, owner: str, id_: str, program: Program) -> list[Any]:
    return await _run_words(db, owner, id_, _words(owner, program))


async def _run_words(db: Db, owner: str, id_: str, words: list[str]) -> list[Any]:
    fixed = [keys.events(owner), keys.done(owner, id_), keys.due(owner)]
    return list(await db.script(COMMIT, [*fixed, *_keys(owner).values()], words))


def _words(owner: str, program: Program) -> list[str]:
    at = {name: str(index) for index, name in enumerate(_keys(owner), 4)}
    words = [owner, str(len(program.expect)), str(len(program.write))]
    for name, field, *value in program.expect:
        words += (at[name], field, f"{(value[1:] or ['='])[0]}{value[0]}" if value else "")
    for command, name, *arguments in program.write:
        words += (command, at[name], str(len(arguments)), *arguments)
    for event in program.events:
        words += (str(len(event)), *event)
    return words


async def _actual(db: Db, owner: str) -> State:
    found = {name: await _read(db, key) for name, key in _keys(owner).items()}
    if events := await _events(db, owner):
        found["events"] = events
        assert await db.call("ZSCORE", keys.due(owner), owner) is not None
    return {name: value for name, value in found.items() if value is not None}


async def _events(db: Db, owner: str) -> list[list[str]]:
    return [pairs for _, pairs in await db.call("XRANGE", keys.events(owner), "-", "+")]


async def _read(db: Db, key: str) -> Any:
    match await db.call("TYPE", key):
        case "hash":
            pairs = await db.call("HGETALL", key)
            return dict(zip(pairs[::2], pairs[1::2], strict=True))
        case "string":
            return await db.call("GET", key)
        case "zset":
            pairs = await db.call("ZRANGE", key, 0, -1, "WITHSCORES")
            return {"zset": {member: float(score) for member, score in zip(pairs[::2], pairs[1::2], strict=True)}}
        case "set":
            return set(await db.call("SMEMBERS", key))
    return None
