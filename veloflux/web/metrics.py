"""What is counted of the web process, and `/metrics`: for loopback, or with the token of the settings."""

from ipaddress import ip_address

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

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


def may_read(address: str, authorization: str, token: str) -> bool:
    """Whether a request may see the metrics."""
    if token and crypto.equal(authorization, f"Bearer {token}"):
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def text() -> tuple[bytes, str]:
    """The exposition and its media type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
