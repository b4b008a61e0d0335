"""The preview of a plan change over HTTP, one web process, 16 connections: of a subscription to a plan of ten lines, by
an API key of its tenant. The ceiling is the bare handler of `http.py`."""

from bench.load import ROUNDS, drive, middle, post
from bench.report import Row
from bench.stage import Stage, bare, stage, web
from bench.ten_lines import DEARER, PLAN, ten_lines
from veloflux import tenants
from veloflux.billing.subscriptions.start import Start, start
from veloflux.kit import clock
from veloflux.kit.clock import DAY_MS
from veloflux.tenants import EVERYTHING

CONNECTIONS = 16
UNDER_MS = 10
BODY = f"""'{{"plan":"{DEARER}"}}'"""
AGO_MS = 10 * DAY_MS
"""When the subscription began, so that a part of its month is left."""


async def measure() -> list[Row]:
    async with stage() as target:
        asked = await _subscribed(target)
        tops, loads = [], []
        with web(target) as url, bare(target) as ceiling:
            alone = drive(url, asked, 1)
            for _ in range(ROUNDS):
                tops.append(drive(ceiling, asked, CONNECTIONS))
                loads.append(drive(url, asked, CONNECTIONS))
    top, load = middle(tops), middle(loads)
    return [
        Row(
            what=f"preview of a plan change over HTTP, one web process, {CONNECTIONS} connections",
            script="preview.py",
            figure=load.per_second,
            unit="requests/s",
            ceiling=top.per_second,
            ceiling_is="bare handler",
            under_ms=UNDER_MS,
            failed=load.failed + alone.failed + top.failed,
            notes=f"median {load.median_ms:.1f} ms, p99 {load.p99_ms:.1f} ms",
            alone=alone.latency,
            loaded=load.latency,
        )
    ]


async def _subscribed(target: Stage) -> str:
    """A tenant in the middle of its month; gives the wrk script that asks what the dearer plan would cost it."""
    await tenants.apply_catalogue(target.ctx, ten_lines())
    tenant = await tenants.create_tenant(target.ctx, "Subscribed")
    ctx = target.ctx.within(tenants.scope_of(tenant), EVERYTHING)
    sub = await start(ctx.at(clock.now_ms() - AGO_MS), Start(plan=PLAN))
    key = await tenants.create_api_key(ctx, "bench", "admin")
    return post(f"/api/tenants/{tenant.id}/subscriptions/{sub.id}/preview", key.token, BODY)
