"""Alerts and spend caps, set and shown on the page of a subscription."""

import doctest

import httpx2
import pytest

from tests import cast
from tests.web.test_billing_pages import HOME, acme, begin, olivia, one
from tests.web.test_pages import browser, field, token_of
from veloflux.billing.model import Spend
from veloflux.context import Context
from veloflux.web.console import amounts

__all__ = ["acme", "olivia"]


def test_amounts_of_a_form_are_read() -> None:
    assert doctest.testmod(amounts).failed == 0


async def test_they_are_set_shown_and_taken_away(olivia: httpx2.AsyncClient, acme: Context) -> None:
    path = await begin(olivia)
    page = (await olivia.get(path)).text
    assert "Nobody is told what a period costs" in page
    sent = {"alerts": "20 99,90", "cap": "50", "meter_cap-requests": "12.5"}
    assert (await olivia.post(f"{path}/spend", data=sent)).status_code == 303
    assert (await one(acme)).spend == Spend(alerts=(2000, 9990), cap=5000, meter_caps={"requests": 1250})
    page = (await olivia.get(path)).text
    # the base of 29.00 reaches the first alert at once
    for words in ("$20.00", "reached", "$99.90", "$50.00", "$12.50", "Alerts and caps were set"):
        assert words in page
    assert "The cost reached an alert: $20.00" in page
    assert 'value="20.00 99.90"' in field(page, "alerts")
    assert 'value="12.50"' in field(page, "meter_cap-requests")
    assert (await olivia.post(f"{path}/spend", data={"alerts": " "})).status_code == 303
    assert (await one(acme)).spend is None


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ({"alerts": "20 much"}, "alerts"),
        ({"alerts": "0"}, "alerts"),
        ({"alerts": "", "cap": "-1"}, "cap"),
        ({"alerts": "", "meter_cap-requests": "1.234"}, "meter_cap-requests"),
    ],
)
async def test_what_is_wrong_stands_at_its_field(
    olivia: httpx2.AsyncClient, acme: Context, sent: dict[str, str], at: str
) -> None:
    path = await begin(olivia)
    answer = await olivia.post(f"{path}/spend", data=sent)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in field(answer.text, at)
    assert (await one(acme)).spend is None


async def test_an_owner_sees_them_and_sets_none(web: str, one_ctx: Context, acme: Context) -> None:
    await cast.operator(one_ctx)
    alice = await cast.person(one_ctx, "alice")
    await cast.join(acme, alice, "owner")
    async with browser(web, await token_of(one_ctx, "olivia")) as operator:
        path = await begin(operator)
        await operator.post(f"{path}/spend", data={"alerts": "77"})
    async with browser(web, await token_of(one_ctx, "alice")) as owner:
        page = (await owner.get(path)).text
        assert "$77.00" in page
        assert 'data-action="subscriptions.limit_spend"' not in page
        assert (await owner.post(f"{path}/spend", data={"alerts": "1"})).status_code == 403
    assert path.startswith(HOME)
