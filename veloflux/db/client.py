"""The database as the product sees it: commands and scripts, on one server or a cluster, from one `REDIS_URL`."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from redis.asyncio.client import PubSub, Redis
from redis.asyncio.connection import ConnectionPool
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from veloflux.db.cluster import Cluster
from veloflux.db.keys import SLOTS
from veloflux.db.lane import Lane
from veloflux.db.scripts import Script
from veloflux.errors import NotSent, RedisFull, StartRefused, Unknown

SCANNED_AT_A_TIME = 1_000
REPEAT_PAUSES_S = (0.01, 0.05, 0.2, 0.5, 1.0)
DRIVER = DriverInfo()
"""What CLIENT LIST shows. Made once: to find out its own version takes redis-py longer than to connect."""


class Standalone:
    """One server: a cluster's interface on one lane."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    def call(self, _key: str, *args: Any) -> "asyncio.Future[Any]":
        return self._lane.call(*args)

    async def masters(self) -> list[Lane]:
        return [self._lane]

    async def slots_by_master(self) -> list[tuple[Lane, tuple[int, ...]]]:
        return [(self._lane, tuple(range(SLOTS)))]

    async def close(self) -> None:
        await self._lane.close()


class Db:
    """Made by `connect`. `bulk` has connections of its own, so that large calls do not delay small ones."""

    def __init__(self, url: str, nodes: Standalone | Cluster, bulk: "Db | None") -> None:
        self.url = url
        self._nodes = nodes
        self.bulk = bulk or self

    @property
    def is_cluster(self) -> bool:
        return isinstance(self._nodes, Cluster)

    async def call(self, command: str, key: str, *args: Any) -> Any:
        """One command on one key; answers are str, int, list or None.

        :raises NotSent, Unknown, RedisFull: see veloflux.errors.
        """
        try:
            return await self._nodes.call(key, command, key, *args)
        except ResponseError as error:
            raise _translated(error) from None

    async def calls(self, commands: Iterable[Sequence[Any]]) -> list[Any]:
        """Several commands at once, each with its key as in `call`; their answers, in order. Errors as in `call`."""
        try:
            return await asyncio.gather(*[self._nodes.call(command[1], *command) for command in commands])
        except ResponseError as error:
            raise _translated(error) from None

    async def script(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run a script whose keys share one slot. Loaded where it is not known yet."""
        assert len(keys) == script.keys or (script.more_keys and len(keys) > script.keys), script.name
        try:
            return await self._nodes.call(keys[0], "EVALSHA", script.sha, len(keys), *keys, *args)
        except ResponseError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise _translated(error) from None
        try:
            return await self._nodes.call(keys[0], "EVAL", script.source, len(keys), *keys, *args)
        except ResponseError as error:
            raise _translated(error) from None

    async def load(self, scripts: Iterable[Script]) -> None:
        """Let every master know some scripts, so that nobody's first call is the slower one. Where this is refused, the
        first call loads its script."""
        with suppress(ResponseError):
            await asyncio.gather(*(self.every_master("SCRIPT", "LOAD", script.source) for script in scripts))

    async def repeat(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run a script that recognises its own repetition, until its outcome is known.

        :raises NotSent, Unknown: when Redis stays away for two seconds.
        """
        for pause in REPEAT_PAUSES_S:
            try:
                return await self.script(script, keys, args)
            except (NotSent, Unknown):
                await asyncio.sleep(pause)
        return await self.script(script, keys, args)

    async def every_master(self, *args: Any) -> list[Any]:
        """A command without a key, on each master: INFO, PING, SCRIPT LOAD."""
        return list(await asyncio.gather(*(lane.call(*args) for lane in await self._nodes.masters())))

    async def slots_by_master(self) -> list[tuple[Lane, tuple[int, ...]]]:
        """Each master with the slots that it serves now; a single server serves all."""
        return await self._nodes.slots_by_master()

    async def scan(self, pattern: str) -> list[str]:
        """The names of all keys that match a glob, sorted. It looks at every name that there is: not for requests that
        come often. Keys that come into being meanwhile may be missing."""
        found: set[str] = set()
        for lane in await self._nodes.masters():
            cursor = "0"
            while True:
                cursor, names = await lane.call("SCAN", cursor, "MATCH", pattern, "COUNT", SCANNED_AT_A_TIME)
                found.update(names)
                if cursor == "0":
                    break
        return sorted(found)

    async def publish(self, channel: str, message: str) -> None:
        """Tell whoever listens now; nobody may rely on it."""
        await (await self._nodes.masters())[0].call("PUBLISH", channel, message)

    @asynccontextmanager
    async def subscription(self, channel: str) -> AsyncIterator[PubSub]:
        """Listen on a channel, on a connection of its own.

        :raises NotSent: from the block, when the connection cannot be made or is lost.
        """
        client = Redis.from_url(self.url, decode_responses=True, retry=Retry(NoBackoff(), 0), driver_info=DRIVER)
        try:
            async with client.pubsub() as pubsub:
                await pubsub.subscribe(channel)
                yield pubsub
        except (RedisError, OSError) as error:
            raise NotSent(f"Redis cannot be listened to: {error}") from None
        finally:
            await client.aclose()

    async def close(self) -> None:
        if self.bulk is not self:
            await self.bulk.close()
        await self._nodes.close()


async def connect(url: str, timeout_ms: int = 2_000, replicas: int = 0) -> Db:
    """Connect to the server or cluster behind a URL; which of both it is, is asked.

    With `replicas`, nothing is answered before so many replicas have it.

    :raises StartRefused: when the URL is malformed or nothing answers there.
    """
    pool = _pool(url, timeout_ms)
    lane = Lane(pool, timeout_ms / 1000, replicas)
    try:
        info = await lane.call("INFO", "cluster")
    except (NotSent, Unknown, ResponseError) as error:
        raise StartRefused(f"{shown(url)} cannot be used: {error}") from None
    if "cluster_enabled:1" not in info:
        return Db(url, Standalone(lane), Db(url, Standalone(Lane(pool, timeout_ms / 1000, replicas)), None))
    await lane.close()
    return Db(url, _cluster(pool, timeout_ms, replicas), Db(url, _cluster(pool, timeout_ms, replicas), None))


def shown(url: str) -> str:
    """A Redis URL without its password.

    >>> shown("redis://app:hunter2@db.example:6379/0")
    'redis://app:…@db.example:6379/0'
    """
    scheme, _, rest = url.partition("://")
    credentials, at, host = rest.rpartition("@")
    return f"{scheme}://{credentials.partition(':')[0]}{':…@' if at else ''}{host}"


def _pool(url: str, timeout_ms: int, **changes: Any) -> ConnectionPool:
    try:
        pool = ConnectionPool.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            driver_info=DRIVER,
            protocol=2,
            socket_connect_timeout=timeout_ms / 1000,
        )
    except ValueError as error:
        raise StartRefused(f"REDIS_URL {shown(url)} is malformed: {error}") from None
    pool.connection_kwargs.update(changes)
    return pool


def _cluster(pool: ConnectionPool, timeout_ms: int, replicas: int) -> Cluster:
    def open_lane(host: str, port: int) -> Lane:
        node = ConnectionPool(
            connection_class=pool.connection_class, **{**pool.connection_kwargs, "host": host, "port": port}
        )
        return Lane(node, timeout_ms / 1000, replicas)

    seed = (pool.connection_kwargs.get("host", "localhost"), pool.connection_kwargs.get("port", 6379))
    return Cluster(open_lane, seed, 2.5 * timeout_ms / 1000)


def _translated(error: ResponseError) -> Exception:
    if str(error).startswith(("OOM", "MISCONF", "READONLY")):
        return RedisFull("Redis refuses writes now: it is full or cannot save; `veloflux doctor` says how to mend it")
    return error
