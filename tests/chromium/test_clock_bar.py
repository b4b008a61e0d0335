"""A sandbox tenant's months pass in a browser: its clock is moved, and the bar tells what that brought about."""

from collections.abc import Callable

import pytest

from tests.chromium.test_console import create_operator
from tests.chromium.visitor import Visitor
from tests.running import instance

HERE = "/console/t/box"
SAID = {"en": ("1 period closed", "1 invoice issued"), "pt-BR": ("1 período fechado", "1 fatura emitida")}


@pytest.mark.parametrize("language", SAID)
def test_a_month_passes_at_the_press_of_a_button(visit: Callable[[str, str], Visitor], language: str) -> None:
    with instance() as running:
        ana = visit(running.url, language)
        create_operator(ana, running)
        running.run("tenants", "create", "Box", "--mode", "sandbox")
        ana.open(f"{HERE}/subscriptions?plan=enterprise")
        assert ana.send("subscriptions.start", currency="USD").status == 303
        ana.page.locator(".clock summary").click()
        for button, said in zip(("month", "next"), SAID[language], strict=True):
            with ana.page.expect_navigation():
                ana.page.locator(f'.clock button[value="{button}"]').click()
            assert said in ana.text(".clock p")
        ana.open(f"{HERE}/invoices")
        assert ana.page.locator("tbody tr").count() == 2
