"""`/metrics`: what all web processes counted together, and what Redis knows."""

import asyncio
import re

import httpx2

from veloflux.web.counts import WRITTEN_EVERY_S


def value(text: str, line: str) -> float:
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    assert found, f"{line} is missing in\n{text}"
    return float(found[1])


async def test_answers_of_both_processes_are_counted_together(http: httpx2.AsyncClient) -> None:
    line = 'veloflux_http_requests_total{method="GET",operation="auth.me",status="401"}'
    await http.get("/api/auth/me")
    await asyncio.sleep(2 * WRITTEN_EVERY_S)
    before = value((await http.get("/metrics")).text, line)
    for _ in range(12):
        async with httpx2.AsyncClient(base_url=str(http.base_url)) as another:
            await another.get("/api/auth/me")
    await asyncio.sleep(2 * WRITTEN_EVERY_S)
    assert value((await http.get("/metrics")).text, line) == before + 12


async def test_times_fall_into_buckets_that_add_up(http: httpx2.AsyncClient) -> None:
    await http.get("/healthz")
    name, label = "veloflux_http_request_seconds", 'operation="other"'
    text = (await http.get("/metrics")).text
    ends = [float(count) for count in re.findall(rf'^{name}_bucket{{le="[^"]+",{label}}} (\S+)$', text, re.MULTILINE)]
    assert len(ends) == 13
    assert ends == sorted(ends)
    assert ends[-1] == value(text, f"{name}_count{{{label}}}") > 0
    assert value(text, f"{name}_sum{{{label}}}") > 0


async def test_a_method_of_somebodys_invention_makes_no_new_line(http: httpx2.AsyncClient) -> None:
    await http.request("BREW", "/healthz")
    text = (await http.get("/metrics")).text
    assert "BREW" not in text
    assert 'method="other"' in text


async def test_a_worker_and_the_memory_of_redis_are_told(http: httpx2.AsyncClient) -> None:
    text = (await http.get("/metrics")).text
    while not value(text, "veloflux_workers"):  # another test emptied the database: the worker tells of itself again
        await asyncio.sleep(0.2)
        text = (await http.get("/metrics")).text
    assert value(text, "veloflux_redis_memory_bytes") > 0
