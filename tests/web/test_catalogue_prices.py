"""The catalogue's prices over HTTP: shown, versioned, and refused with a code where they contradict themselves."""

from typing import Any

import httpx2
import msgspec
import pytest

from tests.web.scene import Scene, problem, unchanged
from veloflux.context import Context
from veloflux.plans import catalogue

PRO = 1


def shipped(**terms: Any) -> dict[str, Any]:
    """The shipped catalogue as a body, whose plan Pro has other terms."""
    found: dict[str, Any] = msgspec.to_builtins(catalogue())
    found["plans"][PRO].update(terms)
    return found


def charge(**price: Any) -> list[dict[str, Any]]:
    model = "graduated" if "tiers" in price else "per_unit"
    return [{"meter": "requests", "model": model, "prices": {"BRL": price, "USD": price}}]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"fixed": [{"name": "base", "prices": {"XYZ": "1"}}]}, ("currency_unknown", "'XYZ' is no currency")),
        (
            {"fixed": [{"name": "base", "prices": {"BRL": "1"}}]},
            ("price_missing", "no price in USD for its charge base"),
        ),
        ({"setup_fee": {"BRL": "0.001", "USD": "1"}}, ("price_invalid", "costs 0.001 BRL")),
        (
            {"usage": charge(tiers=[{"up_to": "9"}, {"up_to": "5"}, {}])},
            ("price_invalid", "a tier up to 5 that overlaps"),
        ),
        ({"usage": charge(unit="1", minimum="2", maximum="1")}, ("price_invalid", "a minimum above its maximum")),
        ({"usage": charge(unit=1)}, ("input_invalid", "Expected `str`, got `int`")),
        (
            {"usage": [*charge(unit="1"), *charge(unit="1")]},
            ("input_invalid", "two charges for a meter called requests"),
        ),
    ],
)
async def test_prices_that_cannot_be_are_a_problem_with_a_code_and_nothing_is_written(
    http: httpx2.AsyncClient, scene: Scene, one_ctx: Context, terms: dict[str, Any], expected: tuple[str, str]
) -> None:
    code, detail = expected
    async with unchanged(one_ctx):
        answer = await http.put("/api/plans", json=shipped(**terms), headers=scene.headers("olivia"))
        told = problem(answer, 400, code)
    assert detail in told["detail"]
    assert "pro" in told["detail"] or "plans[1]" in told["detail"]


async def test_a_plan_with_other_prices_is_its_next_version_and_the_former_one_is_shown_beside_it(
    http: httpx2.AsyncClient, scene: Scene
) -> None:
    olivia = scene.headers("olivia")
    dearer = shipped(fixed=[{"name": "base", "prices": {"BRL": "199.00", "USD": "39.00"}}])
    dearer["coupons"] = [{"id": "ten", "name": "Ten", "percent": "10", "plans": ["pro"]}]
    answer = await http.put("/api/plans", json=dearer, headers=olivia)
    words = [(change["what"], change["name"], change["change"]) for change in answer.json()["changes"]]
    assert words == [("plan", "pro", "new version"), ("coupon", "ten", "added")]
    found = (await http.get("/api/plans", headers=olivia)).json()
    assert found["plans"][PRO]["version"] == 2
    assert found["plans"][PRO]["fixed"][0]["prices"]["USD"] == "39.00"
    assert found["former_plans"][0]["fixed"][0]["prices"]["USD"] == "29.00"
    assert found["coupons"][0]["plans"] == ["pro"]
    repeated = await http.put("/api/plans", json=found, headers=olivia)
    assert repeated.json()["changes"] == []
