"""Can a stopwatch tell another tenant from none? Who is in neither asks for both in turn, by slug and by id."""

import itertools
import time
from collections.abc import Sequence
from statistics import median

import httpx2

from bench.report import Row
from bench.stage import Stage, stage, web
from veloflux import identity, tenants
from veloflux.context import Context
from veloflux.kit import ids

ASKED, WARM_UP = 2_000, 100
PASSWORD = "correct horse battery staple"


async def measure() -> list[Row]:
    async with stage() as target:
        token = await _stranger(target)
        tenant = await tenants.find(target.ctx, target.ctx.tenant)
        kinds = {"slug": (tenant.slug, "b" * len(tenant.slug)), "id": (tenant.id, ids.new("ten"))}
        with web(target) as url:
            return [await _row(url, token, kind, *refs) for kind, refs in kinds.items()]


async def _stranger(target: Stage) -> str:
    """The session of somebody who belongs nowhere."""
    ctx = Context(parts=target.ctx.parts)
    await identity.register(ctx, name="Bench", email="bench@example.com", password=PASSWORD)
    return (await identity.log_in(ctx, "bench@example.com", PASSWORD)).token


async def _row(url: str, token: str, kind: str, theirs: str, nobodys: str) -> Row:
    took: dict[str, list[float]] = {theirs: [], nobodys: []}
    async with httpx2.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}) as client:
        for number, ref in itertools.product(range(ASKED + WARM_UP), took):
            began = time.perf_counter()
            answer = await client.get(f"/api/tenants/{ref}")
            if number >= WARM_UP:
                took[ref].append(time.perf_counter() - began)
            assert answer.status_code == 404, answer.text
    slower, faster = sorted(1 / median(took[ref]) for ref in took)
    return Row(
        what=f"404 of another tenant and of none, by {kind}: the slower against the faster, medians in turn",
        script="wall_timing.py",
        figure=slower,
        unit="answers/s",
        ceiling=faster,
        ceiling_is="of the other",
        least_ratio=0.95,
        notes=f"another's takes longer in {100 * _later(took[theirs], took[nobodys]):.0f} % of pairs; 50 tells nothing",
    )


def _later(one: Sequence[float], other: Sequence[float]) -> float:
    """How often a value of the one is larger than one of the other, of all pairs (Mann and Whitney's U, scaled)."""
    ranked = sorted([(value, True) for value in one] + [(value, False) for value in other])
    smaller = larger = 0
    for _, is_one in ranked:
        smaller += not is_one
        larger += smaller * is_one
    return larger / (len(one) * len(other))
