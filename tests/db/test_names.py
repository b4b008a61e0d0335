"""Global names: one owner at most, and nothing stranded, wherever somebody crashes."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from veloflux.db import commit, keys, names
from veloflux.db.client import Db
from veloflux.db.commit import Commit
from veloflux.db.names import Claim, Name
from veloflux.db.scripts import Script
from veloflux.errors import ChangedMeanwhile, NameTaken, Unknown

ALICE, BOB, CAROL = "ten_a1ice", "ten_b0b", "ten_car0l"
ACME = Name("slug", "acme", "slug")
counter = itertools.count()


async def take(db: Db, name: Name, owner: str) -> None:
    """As a use case does it: claim, commit the document that carries the name, confirm."""
    async with names.claimed(db, name, owner) as claim:
        await commit.run(db, carrying(name, owner, claim))


def carrying(name: Name, owner: str, claim: Claim) -> Commit:
    change = Commit(owner)
    claim.guard(change)
    change.put(keys.owner(owner), {name.field: name.value})
    return change


async def let_time_pass(db: Db, name: Name = ACME) -> None:
    """A pending claim becomes six seconds old."""
    claim = msgspec.json.decode(await db.call("GET", name.key), type=Claim)
    assert not claim.confirmed
    older = msgspec.structs.replace(claim, since=claim.since - names.PENDING_MS - 1_000)
    await db.call("SET", name.key, msgspec.json.encode(older))


async def claim_of(db: Db, name: Name = ACME) -> Claim:
    return msgspec.json.decode(await db.call("GET", name.key), type=Claim)


async def test_of_many_claimants_at_once_one_gets_the_name(db: Db) -> None:
    owners = [f"ten_{number}" for number in range(20)]
    outcomes = await asyncio.gather(*(take(db, ACME, owner) for owner in owners), return_exceptions=True)
    [winner] = [owner for owner, outcome in zip(owners, outcomes, strict=True) if outcome is None]
    assert all(isinstance(outcome, NameTaken) for outcome in outcomes if outcome is not None)
    assert await names.resolve(db, ACME) == winner
    assert (await claim_of(db)).confirmed


async def test_a_name_whose_commit_fails_is_free_at_once(db: Db) -> None:
    with pytest.raises(ZeroDivisionError):
        async with names.claimed(db, ACME, ALICE):
            raise ZeroDivisionError
    await take(db, ACME, BOB)
    assert await names.resolve(db, ACME) == BOB


async def test_a_claimant_that_is_cancelled_leaves_the_name_free(db: Db) -> None:
    entered = asyncio.Event()

    async def dawdle() -> None:
        async with names.claimed(db, ACME, ALICE):
            entered.set()
            await asyncio.Event().wait()

    dawdling = asyncio.create_task(dawdle())
    await entered.wait()
    dawdling.cancel()
    await asyncio.gather(dawdling, return_exceptions=True)
    await take(db, ACME, BOB)


async def test_a_claimant_that_crashed_before_its_commit_holds_the_name_for_five_seconds_and_never_again(
    db: Db,
) -> None:
    late = await _crash(db, commits=False)
    with pytest.raises(NameTaken):
        await take(db, ACME, BOB)
    await let_time_pass(db)
    await take(db, ACME, BOB)
    with pytest.raises(ChangedMeanwhile):
        await commit.run(db, late)
    assert await names.resolve(db, ACME) == BOB


async def test_a_claimant_that_crashed_after_its_commit_has_the_name(db: Db) -> None:
    await _crash(db, commits=True)
    assert await names.resolve(db, ACME) == ALICE
    assert not (await claim_of(db)).confirmed
    await let_time_pass(db)
    with pytest.raises(NameTaken):
        await take(db, ACME, BOB)
    claim = await claim_of(db)
    assert (claim.owner, claim.confirmed) == (ALICE, True)


async def test_who_crashed_while_judging_a_claim_leaves_it_to_the_next(db: Db) -> None:
    late = await _crash(db, commits=False)
    claim = await claim_of(db)
    fence = keys.fence(ALICE, claim.token)
    assert await db.script(names.JUDGE, [keys.owner(ALICE), fence], [ACME.field, ACME.value]) == ["FENCED"]
    await let_time_pass(db)
    await take(db, ACME, BOB)
    with pytest.raises(ChangedMeanwhile):
        await commit.run(db, late)


async def test_readers_trust_the_document_alone(db: Db) -> None:
    await _crash(db, commits=False)
    assert await names.resolve(db, ACME) is None
    await db.call("DEL", ACME.key)
    await take(db, ACME, ALICE)
    await db.call("HSET", keys.owner(ALICE), "slug", "another")
    assert (await claim_of(db)).confirmed
    assert await names.resolve(db, ACME) is None


async def test_a_confirmed_claim_that_no_document_carries_is_given_to_the_next(db: Db) -> None:
    await take(db, ACME, ALICE)
    await db.call("HSET", keys.owner(ALICE), "slug", "another")
    await take(db, ACME, BOB)
    assert await names.resolve(db, ACME) == BOB


async def test_after_a_change_of_name_the_new_one_is_its_owners_and_the_old_one_free(db: Db) -> None:
    globex = Name("slug", "globex", "slug")
    await take(db, ACME, ALICE)
    await take(db, globex, ALICE)
    await names.release(db, ACME, ALICE)
    assert await db.call("EXISTS", ACME.key) == 0
    assert [await names.resolve(db, name) for name in (globex, ACME)] == [ALICE, None]
    await take(db, ACME, BOB)


async def test_a_name_that_the_document_carries_is_not_released(db: Db) -> None:
    await take(db, ACME, ALICE)
    for owner in (ALICE, BOB):
        await names.release(db, ACME, owner)
    assert await names.resolve(db, ACME) == ALICE


async def test_names_of_different_kinds_do_not_collide(db: Db) -> None:
    await take(db, ACME, ALICE)
    await take(db, Name("domain", "acme", "domain"), BOB)


# Random interleavings: every call of every claimant is a step, and each may crash before any of them.


class Crashed(BaseException):
    """The process is no more."""


class Stage:
    """Lets one call happen at a time, in an order from outside."""

    def __init__(self) -> None:
        self.waiting: dict[int, asyncio.Future[None]] = {}
        self.changed = asyncio.Event()

    async def turn(self, actor: int) -> None:
        self.waiting[actor] = asyncio.get_running_loop().create_future()
        self.changed.set()
        await self.waiting[actor]


class SteppedDb(Db):
    """One actor's view of the database."""

    def __init__(self, db: Db, stage: Stage, actor: int) -> None:
        super().__init__(db.url, db._nodes, None)
        self._stage = stage
        self._actor = actor
        self.crashed = False

    async def call(self, command: str, key: str, *args: Any) -> Any:
        await self._step()
        return await super().call(command, key, *args)

    async def script(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        await self._step()
        return await super().script(script, keys, args)

    async def _step(self) -> None:
        if not self.crashed:
            await self._stage.turn(self._actor)
        if self.crashed:
            raise Crashed


@settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.lists(st.integers(0, 2), max_size=25),
    crashes=st.dictionaries(st.integers(0, 24), st.integers(0, 2), max_size=2),
)
async def test_whatever_the_order_and_the_crashes_one_owner_has_the_name_or_the_next_gets_it(
    db: Db, order: list[int], crashes: dict[int, int]
) -> None:
    run = next(counter)
    name = Name("slug", f"acme-{run}", "slug")
    owners = [f"ten_{run}x{actor}" for actor in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "PENDING_MS", 0)  # every pending claim is judged: the harshest case
        outcomes = await _play(db, name, owners, order, crashes)
        carriers = [owner for owner in owners if await db.call("HGET", keys.owner(owner), "slug") == name.value]
        assert len(carriers) <= 1
        assert {owner for owner, outcome in outcomes.items() if outcome is None} <= set(carriers)
        if carriers:
            assert await names.resolve(db, name) == carriers[0]
            with pytest.raises(NameTaken):
                await take(db, name, f"ten_{run}next")
        else:
            await take(db, name, f"ten_{run}next")


async def _play(
    db: Db, name: Name, owners: list[str], order: list[int], crashes: dict[int, int]
) -> dict[str, BaseException | None]:
    stage = Stage()
    views = [SteppedDb(db, stage, actor) for actor in range(3)]
    tasks = [asyncio.create_task(_outcome(take(view, name, owner))) for view, owner in zip(views, owners, strict=True)]
    for at in itertools.count():
        async with _settled(stage, tasks):
            if not stage.waiting:
                break
            if at in crashes:
                views[crashes[at]].crashed = True
            wanted = order[at] if at < len(order) else at % 3
            actor = wanted if wanted in stage.waiting else min(stage.waiting)
            stage.waiting.pop(actor).set_result(None)
    return dict(zip(owners, await asyncio.gather(*tasks), strict=True))


@asynccontextmanager
async def _settled(stage: Stage, tasks: Sequence[asyncio.Task[Any]]) -> AsyncIterator[None]:
    """Wait until every actor waits for its turn or has ended."""
    for task in tasks:
        task.add_done_callback(lambda _: stage.changed.set())
    while len(stage.waiting) + sum(task.done() for task in tasks) < len(tasks):
        stage.changed.clear()
        await stage.changed.wait()
    yield


async def _outcome(taking: Any) -> BaseException | None:
    try:
        await taking
    except (NameTaken, ChangedMeanwhile, Crashed) as outcome:
        return outcome
    return None


async def _crash(db: Db, *, commits: bool) -> Commit:
    """Alice claims and dies before or after her commit, which is given back."""
    change: Commit | None = None
    with suppress(Unknown):
        async with names.claimed(db, ACME, ALICE) as claim:
            change = carrying(ACME, ALICE, claim)
            if commits:
                await commit.run(db, change)
            raise Unknown("the process ended here")
    assert change
    return change
