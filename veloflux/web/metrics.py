"""`/metrics`: what the web processes count together and what Redis knows; for loopback, or with the token."""

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.kit import crypto
from veloflux.ledger import last_check
from veloflux.web import counts
from veloflux.web.counts import BUCKETS_S, Counts

HELP = {
    "veloflux_redis_memory_bytes": "Memory that the data takes, all masters",
    "veloflux_redis_memory_limit_bytes": "Memory that Redis may take, 0 without a limit",
    "veloflux_tenants": "Tenants, the operators' own not counted",
    "veloflux_workers": "Workers seen in the last day that did not stop by themselves",
    "veloflux_jobs_dead": "Jobs that failed for the last time; `veloflux jobs list` names them",
    "veloflux_owners_stopped": "Owners whose events wait for a handler that fails",
    "veloflux_ledger_drift": "Figures that the last check found wrong; `veloflux ledger check` names them",
    "veloflux_ledger_checked_timestamp_seconds": "When all ledgers were last checked, 0 for never",
}


def may_read(address: str, authorization: str, token: str) -> bool:
    """Whether a request may see the metrics."""
    if token and crypto.equal(authorization, f"Bearer {token}"):
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


async def text(db: Db, folder: Path) -> tuple[bytes, str]:
    """The exposition and its media type; `folder` is where the web processes leave their counts."""
    registry = CollectorRegistry()
    registry.register(_Requests(counts.together(folder)))
    registry.register(_Gauges(await _read(db)))
    return generate_latest(registry), CONTENT_TYPE_LATEST


async def _read(db: Db) -> dict[str, float]:
    infos = [dict(line.split(":", 1) for line in text.split() if ":" in line) for text in await db.every_master("INFO")]
    checked = await last_check(db)
    return {
        "veloflux_redis_memory_bytes": sum(float(info["used_memory"]) for info in infos),
        "veloflux_redis_memory_limit_bytes": sum(float(info.get("maxmemory", 0)) for info in infos),
        "veloflux_tenants": await db.call("ZCARD", keys.tenants()),
        "veloflux_workers": await db.call("ZCARD", keys.workers()),
        "veloflux_jobs_dead": await db.call("ZCARD", keys.jobs_dead()),
        "veloflux_owners_stopped": await db.call("ZCARD", keys.owners_stopped()),
        "veloflux_ledger_drift": checked.drift,
        "veloflux_ledger_checked_timestamp_seconds": checked.at / 1000,
    }


class _Requests(Collector):
    """Answers and their times, of all processes."""

    def __init__(self, counted: Counts) -> None:
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        passed = CounterMetricFamily(
            "veloflux_checks_failed_open_total", "Checks that passed undecided: Redis was away, the tenant fails open"
        )
        passed.add_metric([], self._counted.passed_open)
        yield passed
        answers = CounterMetricFamily(
            "veloflux_http_requests_total", "Answered requests", labels=["operation", "method", "status"]
        )
        for request, count in self._counted.requests.items():
            answers.add_metric([request.operation, request.method, str(request.status)], count)
        yield answers
        times = HistogramMetricFamily(
            "veloflux_http_request_seconds", "Time to the end of the answer", labels=["operation"]
        )
        for operation, timing in self._counted.timings.items():
            ends = [*(str(float(end)) for end in BUCKETS_S), "+Inf"]
            buckets = [(end, float(upto)) for end, upto in zip(ends, accumulate(timing.buckets), strict=True)]
            times.add_metric([operation], buckets, timing.seconds)
        yield times


class _Gauges(Collector):
    """Figures read just now."""

    def __init__(self, figures: dict[str, float]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        for name, value in self._figures.items():
            yield GaugeMetricFamily(name, HELP[name], value)
