"""The compared jobs on VeloFlux: its own use cases, called in process as its routes call them."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import date

import msgspec

from bench.commit import change
from bench.stage import Stage, put_policy, sync
from veloflux import identity
from veloflux.context import Context
from veloflux.db import keys
from veloflux.identity import sessions
from veloflux.limits import Question, check
from veloflux.metering import Event, read_usage, record
from veloflux.plans.policy import from_text

PASSWORD = "correct horse battery staple"
METER = "requests"
POLL_S = 0.5


class VeloFlux:
    """The jobs of one tenant, which has a quota and no rate limit."""

    def __init__(self, target: Stage) -> None:
        self.target = target

    async def prepare(self) -> None:
        """Take the rate limits from the policy: PostgreSQL decides none beside its quota."""
        ctx = self.target.ctx
        policy = from_text(await ctx.db.call("HGET", keys.limits(ctx.tenant), "policy"))
        await put_policy(ctx, msgspec.structs.replace(policy, rates=()))

    async def always(self) -> None:
        """Acknowledge what is on disk."""
        await sync(self.target.ctx, "always")

    async def everysec(self) -> None:
        """Acknowledge what the server has; a power cut may take a second of it."""
        await sync(self.target.ctx, "everysec")

    async def spend(self, cost: int) -> bool:
        """Take from the quota; whether it was enough."""
        return (await check(self.target.ctx.parts, self.target.ctx.tenant, Question(meter=METER, cost=cost))).allowed

    async def ingest(self, events: Sequence[Event]) -> None:
        """Count events; those of a batch that was sent again, since its answer was late, are recognised."""
        result = await record(self.target.ctx.parts, self.target.ctx.tenant, events)
        assert result.accepted + result.duplicates == len(events), result

    async def backfill(self, events: Sequence[Event]) -> None:
        """Count events however old they are."""
        await record(self.target.ctx.parts, self.target.ctx.tenant, events, backfill=True)

    async def read_usage(self, first: date, last: date) -> list[int]:
        """Requests of each hour."""
        usage = await read_usage(self.target.ctx, METER, "hour", first, last)
        return [int(row.value) for row in usage.rows]

    async def counted(self) -> int:
        """All requests."""
        return int((await read_usage(self.target.ctx, METER, "month")).total or 0)

    async def people(self, number: int) -> list[identity.SignedIn]:
        """A session for each of so many people."""
        ctx = Context(parts=self.target.ctx.parts)
        made = []
        for at in range(number):
            email = f"p{at}@example.com"
            await identity.register(ctx, name="Ana Souza", email=email, password=PASSWORD)
            made.append(await identity.log_in(ctx, email, PASSWORD))
        return made

    async def who(self, token: str) -> str:
        """Whose session it is."""
        return (await sessions.authenticate(self.target.ctx.parts, token)).email

    async def commit(self) -> None:
        """A document and its event."""
        await change(self.target).commit()

    async def rewritten(self) -> None:
        """Wait until the server does not write its file anew, which takes a core."""
        db = self.target.ctx.db
        while "aof_rewrite_in_progress:1" in (await db.every_master("INFO", "persistence"))[0]:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)


class Events:
    """New events without end, each an `http.request` with its bytes."""

    def __init__(self, prefix: str, at: int) -> None:
        self._prefix, self._at = prefix, at
        self._numbers = itertools.count()

    def one(self) -> Event:
        """At the time that was given, epoch ms."""
        number = next(self._numbers)
        return Event("http.request", f"{self._prefix}-{number:012d}", self._at, data={"bytes": number % 10_000})

    def some(self, number: int) -> list[Event]:
        """So many of them."""
        return [self.one() for _ in range(number)]
