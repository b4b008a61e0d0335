"""What cannot be subscribed to over HTTP: a problem with a code, and nothing written."""

from typing import Any

import httpx2
import pytest

from tests import customers
from tests.web.scene import Scene, problem, unchanged
from veloflux.context import Context

ALL = "/api/tenants/box/subscriptions"
PRO = {"plan": "pro"}
BODY = {"trial-end": {"at": None}}
"""What an act has to be told."""
BAD: dict[str, tuple[str, dict[str, Any], int, str]] = {
    # what: (path, body, status, code)
    "a plan that there is not": (ALL, {"plan": "gold"}, 400, "plan_unknown"),
    "no plan": (ALL, {}, 400, "input_invalid"),
    "a currency that there is not": (ALL, PRO | {"currency": "XQQ"}, 400, "currency_unknown"),
    "a currency that no code can be": (ALL, PRO | {"currency": "euro"}, 400, "input_invalid"),
    "a currency without a price": (ALL, PRO | {"currency": "EUR"}, 400, "price_missing"),
    "fewer than none": (ALL, PRO | {"quantities": {"base": -1}}, 400, "input_invalid"),
    "half a seat": (ALL, PRO | {"quantities": {"base": 0.5}}, 400, "input_invalid"),
    "more than there can be": (ALL, PRO | {"quantities": {"base": 1_000_001}}, 400, "input_invalid"),
    "a charge that there is not": (ALL, PRO | {"quantities": {"seats": 1}}, 400, "input_invalid"),
    "an add-on that there is not": (ALL, PRO | {"add_ons": {"gold": 1}}, 400, "input_invalid"),
    "a coupon that there is not": (ALL, PRO | {"coupons": ["gold"]}, 400, "input_invalid"),
    "a trial of less than nothing": (ALL, PRO | {"trial_days": -1}, 400, "input_invalid"),
    "a billing day that no month has": (ALL, PRO | {"billing_day": 32}, 400, "input_invalid"),
    "an end before the year 2000": (ALL, PRO | {"ends_at": 1}, 400, "input_invalid"),
    "an end that is past": (ALL, PRO | {"ends_at": 946_684_800_000}, 400, "input_invalid"),
    "a price of one's own": (ALL, PRO | {"price": "0.01"}, 400, "input_invalid"),
    "a change of nothing": (f"{ALL}/sub_0/change", {}, 404, "not_found"),
    "a preview of nothing": (f"{ALL}/sub_0/preview", PRO, 404, "not_found"),
    "a preview at no time": (f"{ALL}/sub_0/preview", PRO | {"at": "tomorrow"}, 400, "input_invalid"),
    "another time to change": (f"{ALL}/sub_0/change", PRO | {"when": "yesterday"}, 400, "input_invalid"),
    "a trial that ends at no time": (f"{ALL}/sub_0/trial-end", {"at": "soon"}, 400, "input_invalid"),
    "a trial that nobody says the end of": (f"{ALL}/sub_0/trial-end", {}, 400, "input_invalid"),
    "the trial of nothing": (f"{ALL}/sub_0/trial-end", {"at": None}, 404, "not_found"),
    "a change that nobody planned, of nothing": (f"{ALL}/sub_0/undo-change", {}, 404, "not_found"),
    "the end of nothing": (f"{ALL}/sub_0/cancel", {"now": True}, 404, "not_found"),
    "an id that is none": (f"{ALL}/..%2Fx/cancel", {}, 404, "not_found"),
}


async def test_what_cannot_be_is_refused_and_writes_nothing(
    http: httpx2.AsyncClient, scene: Scene, one_ctx: Context
) -> None:
    async with unchanged(one_ctx):
        for what, (path, body, status, code) in BAD.items():
            answer = await http.post(path, json=body, headers=scene.headers("olivia"))
            assert answer.status_code == status, f"{what}: {answer.text}"
            problem(answer, status, code)


@pytest.fixture
async def stopped(scene: Scene) -> None:
    """The clock of Box stands still, so nothing of it becomes due while the database is looked at."""
    await customers.at(scene.box, customers.NOON)


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize(
    "act",
    ["preview", "change", "undo-change", "trial-end", "cancel", "undo-cancel", "pause", "resume", "reactivate"],
)
async def test_the_subscription_of_another_tenant_is_not_there(
    http: httpx2.AsyncClient, scene: Scene, one_ctx: Context, act: str
) -> None:
    begun = await http.post(ALL, json=PRO, headers=scene.headers("olivia"))
    assert begun.status_code == 201, begun.text
    other = f"/api/tenants/globex/subscriptions/{begun.json()['id']}/{act}"
    async with unchanged(one_ctx):
        problem(await http.post(other, json=BODY.get(act, {}), headers=scene.headers("olivia")), 404, "not_found")
        of_box = f"{ALL}/{begun.json()['id']}/{act}"
        problem(await http.post(of_box, json=BODY.get(act, {}), headers=scene.headers("carol")), 404, "not_found")
        if act != "preview":  # which its owner may read
            problem(
                await http.post(of_box, json=BODY.get(act, {}), headers=scene.headers("alice")),
                403,
                "permission_denied",
            )
        problem(await http.post(of_box, json=BODY.get(act, {})), 401)


@pytest.mark.usefixtures("stopped")
async def test_a_move_that_is_impossible_says_so(http: httpx2.AsyncClient, scene: Scene, one_ctx: Context) -> None:
    begun = (await http.post(ALL, json=PRO, headers=scene.headers("olivia"))).json()
    one = f"{ALL}/{begun['id']}"
    async with unchanged(one_ctx):
        for act in ("resume", "reactivate", "undo-cancel", "undo-change", "trial-end"):
            answer = await http.post(f"{one}/{act}", json=BODY.get(act), headers=scene.headers("olivia"))
            problem(answer, 409, "move_impossible")
            assert answer.json()["state"] == "active"


async def test_the_same_key_begins_one_subscription(http: httpx2.AsyncClient, scene: Scene) -> None:
    headers = scene.headers("olivia") | {"Idempotency-Key": "once"}
    first = await http.post(ALL, json=PRO, headers=headers)
    again = await http.post(ALL, json=PRO, headers=headers)
    assert first.json() == again.json()
    assert len((await http.get(ALL, headers=scene.headers("olivia"))).json()) == 1
