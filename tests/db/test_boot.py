"""What is refused at the start, with its mend, and what is only said."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from tests import servers
from tests.servers import Server
from veloflux.db import boot, client, keys
from veloflux.db.client import Db
from veloflux.errors import StartRefused
from veloflux.settings import Settings

UNSAFE = [
    ("maxmemory-policy", "allkeys-lru", "forgets data"),
    ("appendonly", "no", "no append-only file"),
    ("no-appendfsync-on-rewrite", "yes", "does not sync"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with servers.standalone("--appendonly", "yes") as server:
        yield server


@pytest.fixture
async def db(server: Server) -> AsyncIterator[Db]:
    server.client.flushall()
    db = await client.connect(server.url)
    yield db
    await db.close()


@pytest.fixture
def chosen(server: Server, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, redis_url=server.url)


async def test_a_redis_that_keeps_what_it_acknowledged_passes_without_a_word(db: Db, chosen: Settings) -> None:
    with capture_logs() as logs:
        await boot.check(db, chosen)
    assert logs == []


@pytest.mark.parametrize("unsafe", UNSAFE)
async def test_an_unsafe_configuration_is_refused_with_a_mend_that_mends_it(
    server: Server, db: Db, chosen: Settings, unsafe: tuple[str, str, str]
) -> None:
    name, value, fault = unsafe
    server.client.config_set(name, value)
    with pytest.raises(StartRefused, match=fault) as refused:
        await boot.check(db, chosen)
    assert await db.call("EXISTS", keys.meta()) == 0
    mend = str(refused.value).split("; ")[1].split(", or")[0]
    server.client.execute_command(*mend.split())
    servers.wait_for(lambda: server.client.info("persistence")["aof_rewrite_in_progress"] == 0, "the append-only file")
    await boot.check(db, chosen)


async def test_a_setting_allows_an_unsafe_redis_and_the_log_says_so(server: Server, db: Db, chosen: Settings) -> None:
    server.client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with capture_logs() as logs:
            await boot.check(db, msgspec.structs.replace(chosen, redis_unsafe=True))
    finally:
        server.client.config_set("maxmemory-policy", "noeviction")
    assert [log["mend"] for log in logs] == ["CONFIG SET maxmemory-policy noeviction"]


async def test_where_config_is_refused_that_is_a_warning(server: Server, db: Db, chosen: Settings) -> None:
    server.client.acl_setuser("managed", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-config"])
    managed = await client.connect(server.url.replace("://", "://managed:secret@"))
    try:
        with capture_logs() as logs:
            await boot.check(managed, chosen)
    finally:
        await managed.close()
        server.client.acl_deluser("managed")
    assert [(log["log_level"], "CONFIG is refused" in log["finding"]) for log in logs] == [("warning", True)]
    assert await db.call("HGET", keys.meta(), "data_version") == str(boot.DATA_VERSION)


async def test_an_old_server_and_one_that_cannot_write_are_wrong() -> None:
    old = {"redis_version": "6.2.14", "aof_enabled": "1", "aof_last_write_status": "err"}
    assert [(finding.wrong, finding.mend) for finding in boot._of_info(old)] == [
        (True, "use Redis or Valkey 7.0 or later"),
        (True, "make room on its disk"),
    ]


async def test_one_unsafe_master_of_a_cluster_is_found(cluster: str) -> None:
    db = await client.connect(cluster)
    try:
        assert {finding.mend for finding in await boot.findings(db)} == {"CONFIG SET appendonly yes"}
        [node, *_] = await db.slots_by_master()
        await node[0].call("CONFIG", "SET", "no-appendfsync-on-rewrite", "yes")
        assert "CONFIG SET no-appendfsync-on-rewrite no" in {finding.mend for finding in await boot.findings(db)}
        await node[0].call("CONFIG", "SET", "no-appendfsync-on-rewrite", "no")
    finally:
        await db.close()


async def test_an_empty_redis_becomes_an_installation_and_stays_this_one(db: Db, chosen: Settings) -> None:
    await boot.check(db, chosen)
    first = await db.call("HGETALL", keys.meta())
    await boot.check(db, chosen)
    assert await db.call("HGETALL", keys.meta()) == first
    assert set(first[::2]) == {"installation", "created_at", "data_version"}


async def test_data_of_a_newer_version_is_refused(db: Db, chosen: Settings) -> None:
    await boot.check(db, chosen)
    await db.call("HSET", keys.meta(), "data_version", boot.DATA_VERSION + 1)
    with pytest.raises(StartRefused, match="start the newer VeloFlux"):
        await boot.check(db, chosen)
