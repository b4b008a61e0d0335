"""The compared jobs on PostgreSQL, as well as we know how: prepared statements on eight connections, kept open.

What is counted goes to rows of the connection's own, so that only the quota, which must be exact, is one row for all.
An advisory lock around a spending was tried: it is slower than the lock of the row.
"""

import asyncio
import hashlib
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from veloflux.metering import Event

CONNECTIONS = 8
_encoded = msgspec.json.Encoder(order="deterministic").encode
TENANT, REQUESTS, BYTES = 1, 1, 2
SPEND = "UPDATE quota SET used = used + $2 WHERE tenant = $1 AND used + $2 <= quota RETURNING used"
ADD_UP = "ON CONFLICT (tenant, meter, quarter, part) DO UPDATE SET amount = usage.amount + excluded.amount"
RECORD = f"""
WITH fresh AS (INSERT INTO seen VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1)
INSERT INTO usage SELECT {TENANT}, meter, $3, $4, amount
FROM fresh, (VALUES ({REQUESTS}, 1::bigint), ({BYTES}, $5::bigint)) AS counted (meter, amount) {ADD_UP} RETURNING 1
"""
INGEST = f"""
WITH came AS (
  SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::int[], $4::bigint[]) AS t (digest, content, quarter, bytes)
),
fresh AS (INSERT INTO seen SELECT digest, content FROM came ON CONFLICT DO NOTHING RETURNING digest),
sums AS (
  SELECT quarter, count(*) AS n, sum(bytes)::bigint AS bytes FROM fresh JOIN came USING (digest) GROUP BY quarter
),
counted AS (
  INSERT INTO usage SELECT {TENANT}, meter, quarter, $5, CASE meter WHEN {REQUESTS} THEN n ELSE bytes END
  FROM sums, (VALUES ({REQUESTS}), ({BYTES})) AS counted (meter) {ADD_UP}
)
SELECT coalesce(sum(n), 0)::int FROM sums
"""
READ = f"""
SELECT date_trunc('hour', to_timestamp(quarter * 900.0), $1) AS hour, sum(amount)::bigint FROM usage
WHERE tenant = {TENANT} AND meter = {REQUESTS} AND quarter >= $2 AND quarter < $3 GROUP BY hour ORDER BY hour
"""
WHO = """
SELECT u.name, u.email, u.language, s.factors, s.via, now() - s.seen_at >= interval '1 minute' AS stale
FROM sessions s JOIN users u ON u.id = s.person AND u.epoch = s.epoch
WHERE s.digest = $1 AND s.ends_at > now() AND s.idle_at > now()
"""
KEEP_ALIVE = "UPDATE sessions SET seen_at = now(), idle_at = now() + interval '7 days' WHERE digest = $1"
ADD_SESSION = """
INSERT INTO sessions
VALUES ($1, $2, 0, '["password"]', '', now() + interval '30 days', now() + interval '7 days', now())
"""
COMMIT = f"""
WITH made AS (INSERT INTO documents VALUES ({TENANT}, $1, $2) RETURNING 1)
INSERT INTO events (commit_id, tenant, kind, data, published) SELECT $3, {TENANT}, $4, $5, false FROM made
"""


class Connection(msgspec.Struct, frozen=True):
    """`part` is the number of the connection's own rows of usage."""

    part: int
    raw: Any
    statements: dict[str, Any]

    async def fetch(self, text: str, *args: Any) -> list[Any]:
        """Run a statement, which was prepared when it came first."""
        statement = self.statements.get(text)
        if statement is None:
            statement = self.statements[text] = await self.raw.prepare(text)
        rows: list[Any] = await statement.fetch(*args)
        return rows


class Postgres:
    """The jobs; who calls waits until one of the connections is free."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in connections:
            self._free.put_nowait(connection)
        self._spending = Together(self._spend_all, 1)
        self._recording = Together(self.ingest, CONNECTIONS)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        taken = await self._free.get()
        try:
            yield taken
        finally:
            self._free.put_nowait(taken)

    async def spend(self, cost: int) -> bool:
        """Take from the quota with a statement of its own; whether it was enough."""
        async with self.connection() as connection:
            return bool(await connection.fetch(SPEND, TENANT, cost))

    async def spend_together(self, cost: int) -> bool:
        """The same; callers who wait meanwhile share the next statement, and so its commit."""
        allowed: bool = await self._spending.ask(cost)
        return allowed

    async def record(self, event: Event) -> None:
        """Count an event with a statement of its own, unless it was counted."""
        digest, content, quarter, amount = _row(event)
        async with self.connection() as connection:
            await connection.fetch(RECORD, digest, content, quarter, connection.part, amount)

    async def record_together(self, event: Event) -> None:
        """The same; callers who wait meanwhile share the next statement."""
        await self._recording.ask(event)

    async def ingest(self, events: Sequence[Event]) -> list[None]:
        """Count those of many events that were not counted, in one statement."""
        # In the order of the index, which spares it searching, and two batches a deadlock.
        rows = sorted({row[0]: row for row in map(_row, events)}.values())
        async with self.connection() as connection:
            await connection.fetch(INGEST, *map(list, zip(*rows, strict=True)), connection.part)
        return [None] * len(events)

    async def read_usage(self, zone: str, first: int, end: int) -> list[tuple[Any, int]]:
        """Requests of each hour; bounds are quarters of an hour since 1970."""
        async with self.connection() as connection:
            return [(hour, amount) for hour, amount in await connection.fetch(READ, zone, first, end)]

    async def who(self, token: str) -> tuple[str, str]:
        """Name and e-mail of whose session it is; keeps it alive, written at most once a minute."""
        digest = hashlib.sha256(token.encode()).digest()
        async with self.connection() as connection:
            [(name, email, _, _, _, stale)] = await connection.fetch(WHO, digest)
            if stale:
                await connection.fetch(KEEP_ALIVE, digest)
        return name, email

    async def commit(self, id_: str, body: dict[str, str], cause: str, kind: str, data: dict[str, Any]) -> None:
        """A document and its event, in one transaction; the same cause only once."""
        async with self.connection() as connection:
            await connection.fetch(COMMIT, id_, json.dumps(body), cause, kind, json.dumps(data))

    async def add_session(self, token: str, person: str, name: str, email: str) -> None:
        """A session of a person who is new."""
        digest = hashlib.sha256(token.encode()).digest()
        async with self.connection() as connection:
            await connection.fetch("INSERT INTO users VALUES ($1, $2, $3, 'en', 0)", person, name, email)
            await connection.fetch(ADD_SESSION, digest, person)

    async def set_quota(self, quota: int) -> None:
        """How much may be spent."""
        async with self.connection() as connection:
            await connection.fetch("INSERT INTO quota VALUES ($1, 0, $2)", TENANT, quota)

    async def run(self, *statements: str) -> None:
        """Statements that are asked once."""
        async with self.connection() as connection:
            for text in statements:
                await connection.raw.execute(text)

    async def size_of(self, table: str) -> int:
        """Bytes of a table with its indexes."""
        async with self.connection() as connection:
            [(size,)] = await connection.fetch("SELECT pg_total_relation_size($1::text::regclass)", table)
        return int(size)

    async def stored(self) -> int:
        """All events that are remembered."""
        async with self.connection() as connection:
            [(number,)] = await connection.fetch("SELECT count(*) FROM seen")
        return int(number)

    async def counted(self) -> int:
        """All requests."""
        async with self.connection() as connection:
            [(total,)] = await connection.fetch(f"SELECT sum(amount)::bigint FROM usage WHERE meter = {REQUESTS}")
        return total or 0

    async def used(self) -> int:
        """How much of the quota is spent."""
        async with self.connection() as connection:
            [(used,)] = await connection.fetch("SELECT used FROM quota")
        return int(used)

    async def _spend_all(self, costs: Sequence[int]) -> list[bool]:
        async with self.connection() as connection:
            [(allowed,)] = await connection.fetch("SELECT spend($1, $2)", TENANT, list(costs))
        return list(allowed)


class Together:
    """Whatever is asked while `lanes` batches are under way goes with the next one."""

    def __init__(self, run: Callable[[Sequence[Any]], Awaitable[Sequence[Any]]], lanes: int) -> None:
        self._run = run
        self._idle = lanes
        self._waiting: list[tuple[Any, asyncio.Future[Any]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, one: Any) -> Any:
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((one, answer))
        if self._idle:
            self._idle -= 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._answer(batch)
        finally:
            self._idle += 1

    async def _answer(self, batch: "Sequence[tuple[Any, asyncio.Future[Any]]]") -> None:
        try:
            values = await self._run([one for one, _ in batch])
        except Exception as error:  # whoever waits must hear of it
            for _, answer in batch:
                answer.set_exception(error)
            return
        for (_, answer), value in zip(batch, values, strict=True):
            answer.set_result(value)


@asynccontextmanager
async def connected(socket: str) -> AsyncIterator[Postgres]:
    """Make the tables in an empty database, and connect."""
    raw = [await asyncpg.connect(host=socket, user="bench", database="postgres") for _ in range(CONNECTIONS)]
    try:
        await raw[0].execute(Path(__file__).with_name("postgres_schema.sql").read_text("utf-8"))
        yield Postgres([Connection(part, one, {}) for part, one in enumerate(raw, 1)])
    finally:
        for one in raw:
            await one.close()


def _row(event: Event) -> tuple[int, int, int, int]:
    """Digest, content, quarter of an hour and bytes."""
    assert event.at is not None
    digest = hashlib.blake2b(f"{TENANT}\0{event.source}\0{event.id}".encode(), digest_size=8).digest()
    content = zlib.crc32(_encoded([event.type, event.at, event.data])) & 0x7FFF
    return int.from_bytes(digest, signed=True), content, event.at // 900_000, event.data["bytes"]
