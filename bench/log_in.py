"""Log-ins over HTTP, one web process, 16 connections, against the bare hashing of as many passwords on the same cores.

Beside them /api/auth/me is asked fifty times a second: it must not notice.
"""

import asyncio
import time

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
                driven = asyncio.create_task(
                    asyncio.to_thread(drive, url, post("/api/auth/login", "", BODY), CONNECTIONS)
                )
                waits += await _asking(url, session, driven)
                loads.append(await driven)
    top, load = sorted(bare)[ROUNDS // 2], middle(loads)
    return [
        Row(
            what=f"log-in over HTTP, one web process, {CONNECTIONS} connections",
            script="log_in.py",
            figure=load.per_second,
            unit="log-ins/s",
            ceiling=top,
            ceiling_is="bare argon2id",
            least_ratio=0.8,
            failed=load.failed,
            notes=f"p99 {load.p99_ms:.0f} ms",
            loaded=load.latency,
        ),
        Row(
            what="/api/auth/me beside those log-ins, p99",
            script="log_in.py",
            figure=1000 * sorted(waits)[len(waits) * 99 // 100],
            unit="ms",
            most=P99_MS,
            notes=f"{len(waits):,} asked",
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
    """Seconds that each answer took; over a bare connection, since an HTTP client would take from the cores."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    request = f"GET /api/auth/me HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {session}\r\n\r\n".encode()
    took = []
    while not until.done():
        started = time.monotonic()
        writer.write(request)
        await _answer(reader)
        took.append(time.monotonic() - started)
        await asyncio.sleep(PAUSE_S)
    writer.close()
    return took


async def _answer(reader: asyncio.StreamReader) -> None:
    """Read one answer to its end.

    :raises RuntimeError: it is no success.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(head.decode())
    await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
