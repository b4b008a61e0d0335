"""What a tenant pays for, in a browser: from a trial by its changes and a month to the invoice that it opens by a link,
the ledger and the cost so far; every amount as the language writes it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize

from tests.billing.stories import ms
from tests.chromium.test_console import create_operator
from tests.chromium.visitor import Visitor
from tests.running import Instance, instance

HERE = "/console/t/box"
NOON = ms("2026-01-10T12:00")
SPACE = "\N{NO-BREAK SPACE}"
STATES = {"en": ("Trial", "Active", "To be paid"), "pt-BR": ("Em teste", "Ativa", "A pagar")}
WORDS = {
    "en": {
        "agreed": "24 Jan 2026 12:00",
        "longer": "2 Feb 2026 00:00",
        "taken_back": "The subscription stays as it is.",
        "cost": "Cost so far",
    },
    "pt-BR": {
        "agreed": "24 jan. 2026 12:00",
        "longer": "2 fev. 2026 00:00",
        "taken_back": "A assinatura fica como está.",
        "cost": "Custo até agora",
    },
}
CURRENCY = {"en": "USD", "pt-BR": "BRL"}
PRO = {"en": "$29.00", "pt-BR": f"R${SPACE}149,00"}
ENTERPRISE = {"en": "$499.00", "pt-BR": f"R${SPACE}2.490,00"}
CHANGE = {
    "en": ["-$28.06", "$482.90"],
    "pt-BR": [f"-R${SPACE}144,19", f"R${SPACE}2.409,68"],
}
"""30 of the 31 days from 10 January are left on the 11th: of the old price a credit, of the new one a debit."""
NET = {"en": "$454.84", "pt-BR": f"R${SPACE}2.265,49"}
BILLED = {"en": "$982.84", "pt-BR": f"R${SPACE}4.904,49"}
CELLS = '[aria-labelledby="{}"] tr td:last-child'
"""Where the amounts of lines and sums stand."""
RIGHT = "cells => cells.map(cell => Math.round(cell.getBoundingClientRect().right))"
Visit = Callable[[str, str], Visitor]
Keep = Callable[[Visitor, str], None]
"""Photograph a page under a name."""
PHONE: ViewportSize = {"width": 375, "height": 812}


@pytest.mark.parametrize("language", WORDS)
def test_from_a_trial_to_the_ledger(visit: Visit, tmp_path: Path, language: str) -> None:
    with instance() as running:
        ana = visit(running.url, language)
        create_operator(ana, running)
        running.run("tenants", "create", "Box", "--mode", "sandbox", "--language", language)
        running.run("tenants", "set-clock", "stopped", "--at", str(NOON), "--tenant", "box")
        suffix = "" if language == "en" else f".{language}"

        def keep(visitor: Visitor, name: str) -> None:
            visitor.photograph(f"{name}{suffix}", tmp_path)

        a_trial_begins_grows_and_ends(ana, keep, language)
        the_plan_changes_as_was_seen(ana, keep, language)
        a_downgrade_is_taken_back(ana, keep, language)
        a_month_passes(ana, keep, language)
        whoever_has_the_link_sees_the_invoice(visit(running.url, language), running, keep, language)
        the_ledger_and_the_cost_are_shown(ana, running, keep, language)
        all_fits_a_phone(ana, running, keep)


def a_trial_begins_grows_and_ends(ana: Visitor, keep: Keep, language: str) -> None:
    trial, active, _ = STATES[language]
    ana.open(f"{HERE}/subscriptions")
    keep(ana, "offers")
    ana.page.locator('.tile[href*="plan=pro"]').click()
    ana.page.locator("form summary").click()
    keep(ana, "start")
    assert ana.send("subscriptions.start", currency=CURRENCY[language], trial_days="14").status == 303
    assert ana.text("h1 .badge") == trial
    assert WORDS[language]["agreed"] in ana.text(".facts")
    ana.page.locator('form.card [name="at"]').fill("2026-02-02")
    press(ana, 'form.card[data-action="subscriptions.set_trial_end"] button')
    assert WORDS[language]["longer"] in ana.text(".facts")
    keep(ana, "trial")
    ana.page.locator('[popovertarget="end-trial"]').first.click()
    keep(ana, "end-trial")
    press(ana, "#end-trial form button")
    assert ana.text("h1 .badge") == active


def the_plan_changes_as_was_seen(ana: Visitor, keep: Keep, language: str) -> None:
    step(ana, "day")
    ask_for(ana, "enterprise", "now")
    assert amounts(ana, "seen-lines") == [*CHANGE[language], NET[language]]
    assert len(set(ana.page.locator(CELLS.format("seen-lines")).evaluate_all(RIGHT))) == 1
    keep(ana, "subscription")
    assert ana.send("subscriptions.change").status == 303
    assert "Enterprise" in ana.text("h1")


def a_downgrade_is_taken_back(ana: Visitor, keep: Keep, language: str) -> None:
    ask_for(ana, "pro", "")
    assert amounts(ana, "seen-lines")[0] == PRO[language]
    keep(ana, "downgrade-preview")
    ana.send("subscriptions.change")
    assert "Pro" in ana.text(".facts")
    keep(ana, "downgrade")
    ana.send("subscriptions.undo_change")
    assert "Pro" not in ana.text(".facts")
    assert WORDS[language]["taken_back"] in ana.text("main")


def a_month_passes(ana: Visitor, keep: Keep, language: str) -> None:
    step(ana, "month")
    ana.open(f"{HERE}/subscriptions")
    keep(ana, "subscriptions")
    ana.open(f"{HERE}/invoices")
    keep(ana, "invoices")
    assert column(ana, "5") == [ENTERPRISE[language], NET[language], PRO[language]]
    assert set(column(ana, "2")) == {STATES[language][2]}
    ana.page.locator("tbody a").nth(1).click()
    assert [*CHANGE[language], NET[language]] == amounts(ana, "invoice-lines")[:3]
    keep(ana, "invoice")


def whoever_has_the_link_sees_the_invoice(bob: Visitor, running: Instance, keep: Keep, language: str) -> None:
    change = running.document("invoices", "list", "--tenant", "box")["items"][1]
    shown = running.document("invoices", "show", change["id"], "--tenant", "box")
    bob.open(f"{HERE}/invoices/{change['id']}")
    assert "/console/sign-in" in bob.page.url
    assert bob.open(shown["page"]).status == 200
    assert shown["number"] in bob.text("h1")
    assert bob.page.locator("td:last-child").all_inner_texts() == CHANGE[language]
    assert NET[language] in bob.text("dl.sums")
    keep(bob, "hosted")
    with bob.page.expect_download() as saved:
        bob.page.locator("a[download]").click()
    assert saved.value.suggested_filename == f"{shown['number']}.pdf"
    pdf = bob.context.request.get(f"{shown['page']}/pdf")
    assert pdf.headers["content-type"] == "application/pdf"


def the_ledger_and_the_cost_are_shown(ana: Visitor, running: Instance, keep: Keep, language: str) -> None:
    ana.open(f"{HERE}/ledger")
    assert BILLED[language] in ana.text("tfoot")
    keep(ana, "ledger")
    key = running.document("api-keys", "create", "--tenant", "box", "--name", "server")
    with running.client(key["token"]) as client:
        answer = client.post("/api/check", json={"meter": "requests", "cost": 1, "id": "request-1"})
    assert answer.json()["used"] == 1, answer.text
    ana.open(f"{HERE}/usage")
    keep(ana, "cost")
    cost = ana.text('section:has(h2[id="cost-1"])')
    assert WORDS[language]["cost"] in cost
    assert ENTERPRISE[language] in cost


def all_fits_a_phone(ana: Visitor, running: Instance, keep: Keep) -> None:
    [sub] = running.document("subscriptions", "list", "--tenant", "box")
    invoice = running.document("invoices", "list", "--tenant", "box")["items"][1]
    one = f"{HERE}/subscriptions/{sub['id']}"
    own = ["subscriptions", "subscriptions?plan=pro", "invoices", f"invoices/{invoice['id']}", "ledger", "usage"]
    ana.page.set_viewport_size(PHONE)
    paths = (one, f"{one}?plan=pro", *(f"{HERE}/{page}" for page in own), invoice["page"])
    for number, path in enumerate(paths):
        assert ana.open(path).status == 200, path
        keep(ana, f"phone-{number}")
        assert ana.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path


def step(ana: Visitor, by: str) -> None:
    """Move the clock by the bar."""
    button = ana.page.locator(f'.clock button[value="{by}"]')
    if not button.is_visible():
        ana.page.locator(".clock summary").click()
    press(ana, f'.clock button[value="{by}"]')


def ask_for(ana: Visitor, plan: str, when: str) -> None:
    """See what a change of the plan would bring."""
    form = ana.page.locator('form[method="get"].card')
    form.locator('[name="plan"]').select_option(plan)
    form.locator('[name="when"]').select_option(when)
    press(ana, 'form[method="get"].card button')


def press(ana: Visitor, selector: str) -> None:
    """A button that leads to another page."""
    with ana.page.expect_navigation():
        ana.page.locator(selector).click()


def amounts(ana: Visitor, table: str) -> list[str]:
    """The last column of the lines and sums of a table."""
    return ana.page.locator(CELLS.format(table)).all_inner_texts()


def column(ana: Visitor, number: str) -> list[str]:
    return ana.page.locator(f"tbody tr > :nth-child({number})").all_inner_texts()
