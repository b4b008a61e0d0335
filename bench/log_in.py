"""Log-ins over HTTP, one web process, 16 connections, against the bare hashing of as many passwords on the same cores.

Beside them /api/auth/me is asked fifty times a second: it must not notice.
"""

import asyncio
import time

import httpx2

from bench.load import ROUNDS, SECONDS, Load, drive, middle, post
from bench.report import Row
from bench.stage import Stage, stage, web
from veloflux import identity
from veloflux.context import Context
from veloflux.identity import passwords
from veloflux.settings import Settings

CONNECTIONS, PEOPLE = 16, 32
PASSWORD = "correct horse battery staple"
BODY = f"""'{{"email":"p' .. n % {PEOPLE} .. '@example.com","password":"{PASSWORD}"}}'"""
PAUSE_S = 0.02
P99_MS = 20


async def measure() -> list[Row]:
    async with stage() as target:
        session = await _people(target)
        bare: list[float] = []
        loads: list[Load] = []
        waits: list[float] = []
        with web(target) as url:
            for _ in range(ROUNDS):
                bare.append(await _hashing(target.settings))
                load = asyncio.create_task(
                    asyncio.to_thread(drive, url, post("/api/auth/login", "", BODY), CONNECTIONS)
                )
                waits += await _asking(url, session, load)
                loads.append(await load)
    top, load, p99_ms = sorted(bare)[ROUNDS // 2], middle(loads), 1000 * sorted(waits)[len(waits) * 99 // 100]
    return [
        Row(
            what=f"log-in over HTTP, one web process, {CONNECTIONS} connections",
            script="log_in.py",
            figure=load.per_second,
            unit="log-ins/s",
            ceiling=top,
            ceiling_is="bare argon2id",
            bar=0.8,
            notes=f"p99 {load.p99_ms:.0f} ms, {load.failed} failed",
        ),
        Row(
            what="/api/auth/me beside log-ins: how many of its p99 in a second",
            script="log_in.py",
            figure=1000 / p99_ms,
            unit="answers/s",
            bar=1000 / P99_MS,
            notes=f"p99 {p99_ms:.1f} ms, at most {P99_MS}",
        ),
    ]


async def _people(target: Stage) -> str:
    """Everybody who logs in; gives a session of the first."""
    ctx = Context(parts=target.ctx.parts)
    for at in range(PEOPLE):
        await identity.register(ctx, name="Bench", email=f"p{at}@example.com", password=PASSWORD)
    return (await identity.log_in(ctx, "p0@example.com", PASSWORD)).token


async def _hashing(settings: Settings) -> float:
    """Passwords compared in a second, when nothing else is done."""
    stored, started, done = await passwords.hashed(settings, PASSWORD), time.monotonic(), 0

    async def compare() -> None:
        nonlocal done
        while time.monotonic() - started < SECONDS:
            await passwords.matches(settings, stored, PASSWORD)
            done += 1

    await asyncio.gather(*(compare() for _ in range(CONNECTIONS)))
    return done / (time.monotonic() - started)


async def _asking(url: str, session: str, until: "asyncio.Task[Load]") -> list[float]:
    """Seconds that each answer took."""
    took = []
    async with httpx2.AsyncClient(base_url=url, headers={"authorization": f"Bearer {session}"}) as client:
        while not until.done():
            started = time.monotonic()
            (await client.get("/api/auth/me")).raise_for_status()
            took.append(time.monotonic() - started)
            await asyncio.sleep(PAUSE_S)
    return took
