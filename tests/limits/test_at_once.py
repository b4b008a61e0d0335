"""Questions that come at once share a call of the script, and are decided as one after the other."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import script_calls, whole_database
from tests.customers import asked, customer, key, put_policy, quota, rate
from tests.limits.test_grants import given as granted
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import FeatureMissing, IdReused, InputInvalid, NotAuthenticated, VeloFluxError
from veloflux.kit import ids
from veloflux.limits import Decision, check, reserve
from veloflux.metering import read_usage
from veloflux.plans.policy import RateLimit
from veloflux.tenants import NewApiKey


def windowed(name: str, per: str, algorithm: str, count: int, shadow: bool = False) -> RateLimit:
    return RateLimit(
        name=name,
        meter="requests",
        per=per,
        emission_us=0,
        tolerance_us=0,
        algorithm=algorithm,
        count=count,
        window_us=60_000_000,
        shadow=shadow,
    )


BY_ADDRESS: dict[str, Any] = {
    "rates": (
        rate("gcra", burst=25),
        windowed("shadow", "tenant", "window", 3, shadow=True),
        windowed("window", "address", "window", 12),
        windowed("log", "key", "log", 20),
    ),
    "quotas": (
        quota(9, thresholds=(50, 100)),
        quota(4, period="day", hard=False, thresholds=(80,)),
        quota(2, period="lifetime", shadow=True),
    ),
}
WIDE: dict[str, Any] = {
    "rates": (
        rate("gcra", burst=120),
        windowed("shadow", "tenant", "window", 60, shadow=True),
        windowed("window", "key", "window", 90),
        windowed("log", "key", "log", 70),
    ),
    "quotas": (
        quota(80, thresholds=(10, 50, 100)),
        quota(60, period="day", hard=False, thresholds=(80,)),
        quota(40, period="lifetime", shadow=True),
    ),
}
"""What many questions pass together, and some more do not."""

questions = st.lists(
    st.fixed_dictionaries(
        {
            "cost": st.sampled_from([1, 1, 2, 3, 7, 40]),
            "id": st.sampled_from(["", "", "", "a", "b"]),
            "address": st.sampled_from(["203.0.113.1", "203.0.113.2"]),
            "dry_run": st.sampled_from([False, False, False, True]),
            "holds": st.sampled_from([False, False, True]),
        }
    ),
    min_size=2,
    max_size=30,
)


async def prepared(ctx: Context, name: str, limits: dict[str, Any] = BY_ADDRESS) -> tuple[Context, NewApiKey]:
    acme = await customer(ctx, name)
    new = await key(acme)
    await put_policy(acme, **limits)
    await granted(acme, 6)
    await check(acme.parts, acme.tenant, msgspec.structs.replace(asked(new), dry_run=True))
    return acme, new


async def answer(acme: Context, new: NewApiKey, said: dict[str, Any]) -> object:
    """The decision, or the code of the error."""
    holds = said["holds"]
    mine = msgspec.structs.replace(
        asked(new, cost=said["cost"], id_=said["id"], address=said["address"]), dry_run=said["dry_run"] and not holds
    )
    try:
        if holds:
            return (await reserve(acme.parts, acme.tenant, mine)).decision
        return await check(acme.parts, acme.tenant, mine)
    except VeloFluxError as error:
        return error.code


async def left_behind(acme: Context, new: NewApiKey) -> dict[str, Any]:
    """What checks have written, but for times of the real clock and random names."""
    found: dict[str, Any] = {}
    for name in await whole_database.keys_holding(acme.db, acme.tenant):
        entry = keys.entry_of(name)
        if entry and entry.name in ("counted", "total", "minutes", "usage", "address_limit", "credit_state"):
            fields = await acme.db.call("HGETALL", name)
            plain = name.replace(acme.tenant, "acme")
            found[plain] = (
                sorted(fields[1::2])
                if entry.name == "credit_state"
                else dict(zip(fields[::2], fields[1::2], strict=True))
            )
    fields = await acme.db.call("HGETALL", keys.limits(acme.tenant))
    told = ("rate:", "own:", "watched:", "reserved:", "open:")
    found["limits"] = {
        field: value for field, value in zip(fields[::2], fields[1::2], strict=True) if field.startswith(told)
    }
    found["key"] = await acme.db.call("HMGET", keys.api_key(acme.tenant, new.key.id), "rate:log", "rate:window")
    found["told"] = sorted(
        dict(zip(event[::2], event[1::2], strict=True))["data"]
        for _, event in await acme.db.call("XRANGE", keys.events(acme.tenant), "-", "+")
        if "quota.threshold_reached" in event
    )
    return found


@pytest.mark.parametrize("limits", [BY_ADDRESS, WIDE], ids=["by address", "wide"])
@given(questions, st.booleans())
@settings(
    max_examples=40, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_questions_at_once_are_decided_as_one_after_the_other(
    one_ctx: Context, limits: dict[str, Any], said: list[dict[str, Any]], all_count: bool
) -> None:
    if all_count:
        said = [question | {"dry_run": False, "holds": False} for question in said]
    run = ids.bare(ids.new("run"))
    together, one = await prepared(one_ctx, f"a{run}", limits)
    apart, other = await prepared(one_ctx, f"b{run}", limits)
    at_once = await asyncio.gather(*(answer(together, one, question) for question in said))
    assert at_once == [await answer(apart, other, question) for question in said]
    assert await left_behind(together, one) == await left_behind(apart, other)


async def test_a_hundred_questions_at_once_are_four_calls(ctx: Context) -> None:
    acme, new = await prepared(ctx, "Acme")
    await put_policy(acme, rates=(), quotas=(quota(70),))
    await check(acme.parts, acme.tenant, asked(new))
    before = await script_calls.count(acme.db)
    decisions = await asyncio.gather(*(check(acme.parts, acme.tenant, asked(new)) for _ in range(100)))
    assert [one.allowed for one in decisions] == [True] * 75 + [False] * 25, "69 of the quota, 6 of the credits"
    assert [one.used for one in decisions[:3]] == [2, 3, 4]
    assert await script_calls.count(acme.db) == before + 4


async def test_what_passes_together_leaves_what_it_would_leave_alone(ctx: Context) -> None:
    acme, new = await prepared(ctx, "Acme", WIDE)
    await check(acme.parts, acme.tenant, asked(new, id_="first"))
    answers = await asyncio.gather(
        *(check(acme.parts, acme.tenant, asked(new, cost=cost, id_=id_)) for cost, id_ in ((2, "a"), (1, "first"))),
        *(
            check(acme.parts, acme.tenant, asked(new, cost=cost, id_=id_))
            for cost, id_ in ((2, "a"), (3, ""), (4, "a"))
        ),
        return_exceptions=True,
    )
    conflict = answers.pop()
    assert isinstance(conflict, IdReused)
    decisions = [one for one in answers if isinstance(one, Decision)]
    assert [(one.used, one.remaining) for one in decisions] == [(3, 57), (3, 57), (3, 57), (6, 54)]
    assert [[rate.remaining for rate in one.rates] for one in decisions] == [[117, 87, 67]] * 3 + [[114, 84, 64]]
    assert (await read_usage(acme, "requests")).total == 6


async def test_what_is_wrong_with_one_question_is_not_wrong_with_those_beside_it(ctx: Context) -> None:
    acme, new = await prepared(ctx, "Acme")
    near = await key(acme, addresses=("203.0.113.0/24",))
    await put_policy(acme, rates=())
    asks = [
        asked(new, id_="one"),
        asked(new, id_="one", cost=2),
        asked(new, cost=0.5),  # type: ignore[arg-type]
        msgspec.structs.replace(asked(new), feature="no such"),
        asked(near, address="203.0.113.7"),
        asked(near, address="198.51.100.7"),
        asked(near, address="203.0.113.8"),
    ]
    waiting = [asyncio.ensure_future(check(acme.parts, acme.tenant, one)) for one in asks]
    gone = asyncio.ensure_future(check(acme.parts, acme.tenant, asked(new)))
    await asyncio.sleep(0)
    gone.cancel()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    errors = [type(one) if isinstance(one, Exception) else None for one in answers]
    assert errors == [None, IdReused, InputInvalid, FeatureMissing, None, NotAuthenticated, None]
    assert (await read_usage(acme, "requests")).total in (3, 4), "who is gone may be counted, or not"
