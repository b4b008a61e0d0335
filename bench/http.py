"""/api/check and /api/auth/me over HTTP, one web process, 32 connections, `appendfsync always`.

Each stands against a bare ASGI handler that makes one script call of the same size through the same client.
"""

from bench.load import ROUNDS, Load, drive, get, middle, post
from bench.report import Row
from bench.stage import Stage, bare, stage, web
from veloflux import identity
from veloflux.context import Context

CONNECTIONS = 32
CHECK = f"/api/check over HTTP, one web process, {CONNECTIONS} connections"
ASKED = """'{"meter":"requests","cost":1,"id":"' .. run .. n .. '"}'"""
PASSWORD = "correct horse battery staple"


async def measure() -> list[Row]:
    async with stage() as target:
        session = await _session(target)
        check, me = post("/api/check", target.token, ASKED), get("/api/auth/me", session)
        loads: dict[str, list[Load]] = {"bare": [], "check": [], "me": []}
        with web(target) as url, bare(target) as ceiling:
            alone = [drive(url, script, 1) for script in (check, me)]
            for _ in range(ROUNDS):
                loads["bare"].append(drive(ceiling, check, CONNECTIONS))
                loads["check"].append(drive(url, check, CONNECTIONS))
                loads["me"].append(drive(url, me, CONNECTIONS))
    top, asked, read = (middle(loads[name]) for name in ("bare", "check", "me"))
    return [
        _row(CHECK, asked, top, alone[0], least=10_000, share=0.6, under_ms=7),
        _row("/api/auth/me with a session", read, top, alone[1], share=0.5),
    ]


def _row(
    what: str,
    load: Load,
    top: Load,
    alone: Load,
    *,
    share: float,
    least: float | None = None,
    under_ms: float | None = None,
) -> Row:
    return Row(
        what=what,
        script="http.py",
        figure=load.per_second,
        unit="requests/s",
        ceiling=top.per_second,
        ceiling_is="bare handler",
        least=least,
        least_ratio=share,
        under_ms=under_ms,
        failed=load.failed + alone.failed + top.failed,
        notes=f"p99 {load.p99_ms:.1f} ms",
        alone=alone.latency,
        loaded=load.latency,
    )


async def _session(target: Stage) -> str:
    ctx = Context(parts=target.ctx.parts)
    await identity.register(ctx, name="Bench", email="bench@example.com", password=PASSWORD)
    return (await identity.log_in(ctx, "bench@example.com", PASSWORD)).token
