"""What the web processes count together, what Redis knows, and `/metrics`: for loopback, or with the token.

Each process writes its counts into a file of its own in `<data_dir>/metrics`; whichever is asked adds them up.
"""

import functools
import os
from collections.abc import Iterator
from ipaddress import ip_address

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.kit import crypto

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "veloflux_http_requests_total", "Answered requests", ["operation", "method", "status"], registry=REGISTRY
)
SECONDS = Histogram(
    "veloflux_http_request_seconds",
    "Time to the end of the answer",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
requests = functools.lru_cache(4096)(REQUESTS.labels)
seconds = functools.lru_cache(1024)(SECONDS.labels)
"""What to count by, remembered: the library looks it up under a lock."""

SHARED = "PROMETHEUS_MULTIPROC_DIR"
HELP = {
    "veloflux_redis_memory_bytes": "Memory that the data takes, all masters",
    "veloflux_redis_memory_limit_bytes": "Memory that Redis may take, 0 without a limit",
    "veloflux_tenants": "Tenants, the operators' own not counted",
    "veloflux_workers": "Workers seen in the last day that did not stop by themselves",
    "veloflux_jobs_dead": "Jobs that failed for the last time; `veloflux jobs list` names them",
    "veloflux_owners_stopped": "Owners whose events wait for a handler that fails",
}


def may_read(address: str, authorization: str, token: str) -> bool:
    """Whether a request may see the metrics."""
    if token and crypto.equal(authorization, f"Bearer {token}"):
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


async def text(db: Db) -> tuple[bytes, str]:
    """The exposition and its media type."""
    registry = CollectorRegistry()
    if SHARED in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    registry.register(_Gauges(await _read(db)))
    return generate_latest(registry), CONTENT_TYPE_LATEST


async def _read(db: Db) -> dict[str, float]:
    infos = [dict(line.split(":", 1) for line in text.split() if ":" in line) for text in await db.every_master("INFO")]
    return {
        "veloflux_redis_memory_bytes": sum(float(info["used_memory"]) for info in infos),
        "veloflux_redis_memory_limit_bytes": sum(float(info.get("maxmemory", 0)) for info in infos),
        "veloflux_tenants": await db.call("ZCARD", keys.tenants()),
        "veloflux_workers": await db.call("ZCARD", keys.workers()),
        "veloflux_jobs_dead": await db.call("ZCARD", keys.jobs_dead()),
        "veloflux_owners_stopped": await db.call("ZCARD", keys.owners_stopped()),
    }


class _Gauges(Collector):
    """Figures read just now."""

    def __init__(self, figures: dict[str, float]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        for name, value in self._figures.items():
            yield GaugeMetricFamily(name, HELP[name], value)
