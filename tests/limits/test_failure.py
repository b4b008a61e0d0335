"""What a check answers where Redis is away or late: a server of its own that is stopped, killed and comes back."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from tests import customers, servers
from tests.conftest import parts_on
from tests.customers import asked, customer, put_policy
from tests.servers import Server
from veloflux import limits, metering, tenants
from veloflux.context import Actor, Context, Parts
from veloflux.db import client
from veloflux.errors import FeatureMissing, NotAuthenticated, Unavailable
from veloflux.kit import ids
from veloflux.limits import Decision, Question, check, reserve
from veloflux.limits import failure as failing
from veloflux.metering import known as remembering
from veloflux.metering.known import known
from veloflux.tenants import NewApiKey

PASSED = Decision(allowed=True, used=None, failed_open=True)


@pytest.fixture
def server() -> Iterator[Server]:
    with servers.standalone() as one:
        yield one


@pytest.fixture
async def acme(server: Server, tmp_path: Path) -> AsyncIterator[Context]:
    """A tenant that fails open, as this process knows, and whose check takes 80 ms at most."""
    db = await client.connect(server.url)
    parts = parts_on(db, tmp_path)
    inside = await customer(Context(parts=parts, actor=Actor(id="cli:test")), clock="")
    await tenants.set_failure_policy(inside, True)
    yield msgspec.structs.replace(inside, parts=parts)
    await db.close()


async def known_key(ctx: Context) -> NewApiKey:
    """A key that this process has found valid; a busy machine may take its time."""
    new = await customers.key(ctx)
    assert (await check(patient(ctx), ctx.tenant, asked(new))).allowed
    return new


def patient(ctx: Context) -> Parts:
    return msgspec.structs.replace(ctx.parts, settings=msgspec.structs.replace(ctx.settings, check_timeout_ms=10_000))


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


async def test_a_tenant_that_fails_open_passes_without_figures_while_redis_stands_still(
    server: Server, acme: Context
) -> None:
    mine = asked(await known_key(acme))
    before = limits.passed_open()
    with stopped(server):
        assert await check(acme.parts, acme.tenant, mine) == PASSED
        assert await check(acme.parts, acme.tenant, Question(meter="requests")) == PASSED
    assert limits.passed_open() == before + 2


async def test_it_passes_while_redis_is_dead(server: Server, acme: Context) -> None:
    mine = asked(await known_key(acme))
    server.stop()
    for _ in range(3):
        assert await check(acme.parts, acme.tenant, mine) == PASSED


async def test_a_tenant_that_fails_closed_is_refused_and_so_is_one_that_nobody_knows(
    server: Server, acme: Context
) -> None:
    globex = await customer(acme, "Globex", clock="")
    mine = asked(await known_key(globex))
    with stopped(server):
        with pytest.raises(Unavailable):
            await check(acme.parts, globex.tenant, mine)
        with pytest.raises(Unavailable):
            await check(acme.parts, ids.new("ten"), Question(meter="requests"))


async def test_the_setting_that_counts_is_the_last_one_that_this_process_read(server: Server, acme: Context) -> None:
    mine = asked(await known_key(acme))
    await tenants.set_failure_policy(acme, False)
    await check(patient(acme), acme.tenant, mine)
    with stopped(server), pytest.raises(Unavailable):
        await check(acme.parts, acme.tenant, mine)


async def test_a_key_that_was_not_found_valid_here_does_not_pass(server: Server, acme: Context) -> None:
    good = await known_key(acme)
    unseen, revoked = await customers.key(acme), await known_key(acme)
    wrong = msgspec.structs.replace(asked(good), key=(good.key.id, "0" * 64))
    with pytest.raises(NotAuthenticated):
        await check(patient(acme), acme.tenant, wrong)
    await tenants.revoke_api_key(acme, revoked.key.id)
    with pytest.raises(NotAuthenticated):
        await check(patient(acme), acme.tenant, asked(revoked))
    with stopped(server):
        for question in (asked(unseen), wrong, asked(revoked)):
            with pytest.raises(Unavailable):
                await check(acme.parts, acme.tenant, question)
        assert await check(acme.parts, acme.tenant, asked(good)) == PASSED


async def test_a_key_is_trusted_for_minutes_only(
    server: Server, acme: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = asked(await known_key(acme))
    with stopped(server):
        assert (await check(acme.parts, acme.tenant, mine)).failed_open
        monkeypatch.setattr(remembering, "TRUSTED_S", 0.0)
        with pytest.raises(Unavailable):
            await check(acme.parts, acme.tenant, mine)


async def test_a_key_of_other_networks_does_not_pass(server: Server, acme: Context) -> None:
    new = await customers.key(acme, addresses=("203.0.113.0/24",))
    inside, outside = asked(new, address="203.0.113.9"), asked(new, address="198.51.100.1")
    assert (await check(patient(acme), acme.tenant, inside)).allowed
    with stopped(server):
        assert (await check(acme.parts, acme.tenant, inside)).failed_open
        with pytest.raises(Unavailable):
            await check(acme.parts, acme.tenant, outside)


async def test_a_feature_that_the_plan_lacks_does_not_pass(server: Server, acme: Context) -> None:
    await put_policy(acme, features={"seats": 5, "sso": False}, fails_open=True)
    await check(patient(acme), acme.tenant, Question(feature="seats"))
    with stopped(server):
        assert (await check(acme.parts, acme.tenant, Question(feature="seats"))).feature == 5
        with pytest.raises(FeatureMissing):
            await check(acme.parts, acme.tenant, Question(feature="sso"))


async def test_a_reservation_fails_closed(server: Server, acme: Context) -> None:
    mine = asked(await known_key(acme))
    with stopped(server), pytest.raises(Unavailable):
        await reserve(acme.parts, acme.tenant, mine)


async def test_it_is_said_once_a_minute(server: Server, acme: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = asked(await known_key(acme))
    with stopped(server), capture_logs() as lines:
        for _ in range(3):
            await check(acme.parts, acme.tenant, mine)
        assert [(line["event"], line["tenant"]) for line in lines] == [("check_failed_open", acme.tenant)]
        monkeypatch.setattr(failing, "LOGGED_EVERY_S", 0.0)
        await check(acme.parts, acme.tenant, mine)
    assert len(lines) == 2


async def test_when_redis_is_back_it_decides_and_counts_again(server: Server, acme: Context) -> None:
    mine = asked(await known_key(acme))
    with stopped(server):
        assert (await check(acme.parts, acme.tenant, mine)).failed_open
    usage = await metering.read_usage(acme, "requests")
    decision = await check(patient(acme), acme.tenant, mine)
    assert not decision.failed_open
    assert decision.used == usage.total + 1


async def test_the_keys_that_are_remembered_are_bounded() -> None:
    state = known("ten_of_many_keys")
    for number in range(remembering.API_KEYS + 1):
        state.trust(f"key_{number}", "digest")
    assert not state.trusts("key_0", "digest", "")
    assert state.trusts(f"key_{remembering.API_KEYS}", "digest", "")
