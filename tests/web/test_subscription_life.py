"""A subscription from its trial to its end over HTTP, with the clock of a sandbox: what becomes due by a move of the
clock is done when that is answered."""

from typing import Any

import httpx2
import pytest

from tests.billing.shop import SHOP, invoices, ms
from tests.customers import of
from tests.web.scene import Scene
from veloflux import tenants
from veloflux.context import Context

ALL = "/api/tenants/box/subscriptions"


class Operator:
    """What the operator asks for Box, and gets."""

    def __init__(self, http: httpx2.AsyncClient, headers: dict[str, str]) -> None:
        self._http, self._headers = http, headers

    async def clock(self, at: str) -> None:
        body = {"mode": "stopped", "at": ms(at, "America/Sao_Paulo")}
        answer = await self._http.put("/api/tenants/box/clock", json=body, headers=self._headers)
        assert answer.status_code == 200, answer.text

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self._http.post(ALL + path, json=body, headers=self._headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def show(self, id_: str) -> Any:
        return (await self._http.get(f"{ALL}/{id_}", headers=self._headers)).json()


@pytest.fixture
async def operator(http: httpx2.AsyncClient, scene: Scene, one_ctx: Context) -> Operator:
    await tenants.apply_catalogue(one_ctx, SHOP)
    return Operator(http, scene.headers("olivia"))


async def test_from_a_trial_to_the_end_by_moves_of_the_clock(operator: Operator, scene: Scene) -> None:
    await operator.clock("2024-01-17T10:00")
    sub = await operator.post("", plan="trial", currency="USD")
    assert (sub["status"], sub["period_end"]) == ("trialing", ms("2024-01-31T10:00", "America/Sao_Paulo"))
    await operator.clock("2024-02-10T10:00")
    assert (await operator.show(sub["id"]))["status"] == "active"
    said = await operator.post(f"/{sub['id']}/preview", plan="three")
    changed = await operator.post(f"/{sub['id']}/change", plan="three")
    assert changed["selection"]["plan"] == "three"
    # 19 of 29 days of 30.00 and of 300.00 are left
    assert [line["amount"] for line in said["lines"]] == [-1966, 19655]
    await operator.post(f"/{sub['id']}/cancel")
    await operator.clock("2024-06-01T00:00")
    ended = await operator.show(sub["id"])
    assert (ended["status"], ended["ended_at"]) == ("cancelled", ms("2024-02-29T10:00", "America/Sao_Paulo"))
    await operator.post(f"/{sub['id']}/reactivate")
    await operator.clock("2024-07-02T00:00")
    box = of(scene.box, await tenants.find(scene.box, scene.box.tenant))
    totals = [one.totals.total for one in await invoices(box) if one.totals]
    assert totals == [8000, 19655 - 1966, 30000, 30000]
