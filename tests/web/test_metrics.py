"""`/metrics`: what all web processes counted together, and what Redis knows."""

import asyncio
import re

import httpx2


def value(text: str, line: str) -> float:
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    assert found, f"{line} is missing in\n{text}"
    return float(found[1])


async def test_answers_of_both_processes_are_counted_together(http: httpx2.AsyncClient) -> None:
    line = 'veloflux_http_requests_total{method="GET",operation="auth.me",status="401"}'
    await http.get("/api/auth/me")
    before = value((await http.get("/metrics")).text, line)
    for _ in range(12):
        async with httpx2.AsyncClient(base_url=str(http.base_url)) as another:
            await another.get("/api/auth/me")
    assert value((await http.get("/metrics")).text, line) == before + 12


async def test_a_worker_and_the_memory_of_redis_are_told(http: httpx2.AsyncClient) -> None:
    text = (await http.get("/metrics")).text
    while not value(text, "veloflux_workers"):  # another test emptied the database: the worker tells of itself again
        await asyncio.sleep(0.2)
        text = (await http.get("/metrics")).text
    assert value(text, "veloflux_redis_memory_bytes") > 0
