"""A customer of a running VeloFlux: its URL, an API key, and what was counted of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests import customers
from tests.web.conftest import serving
from veloflux.context import Context

REQUEST: dict[str, Any] = {"type": "http.request", "data": {"bytes": 2}}
PATIENT = {"VELOFLUX_CHECK_TIMEOUT_MS": "20000", "VELOFLUX_REDIS_TIMEOUT_MS": "20000"}


@dataclass(frozen=True)
class Customer:
    """`token` is a key of the tenant `slug`, `service_key` one of the operators'."""

    url: str
    slug: str
    token: str
    service_key: str
    ctx: Context

    @property
    def environ(self) -> dict[str, str]:
        return {"VELOFLUX_URL": self.url, "VELOFLUX_API_KEY": self.token}

    def used(self, meter: str = "requests") -> int:
        """What VeloFlux has counted, as anybody reads it."""
        headers = {"authorization": f"Bearer {self.token}"}
        answer = httpx2.get(f"{self.url}/api/tenants/{self.slug}/usage?meter={meter}", headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["total"])


@pytest.fixture(scope="package")
def web(standalone: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a web server; a busy machine may take its time."""
    with serving(standalone, tmp_path_factory.mktemp("client"), PATIENT) as url:
        yield url


@pytest.fixture
async def customer(web: str, one_ctx: Context) -> Customer:
    return await customer_at(web, one_ctx)


async def customer_at(url: str, ctx: Context, name: str = "Acme") -> Customer:
    """A new tenant with the plan free (1,000 requests a month, 20 at once), on the real clock."""
    inside = await customers.customer(ctx, name, clock="")
    key = await customers.key(inside)
    return Customer(url, name.lower(), key.token, await customers.service_key(ctx), inside)
