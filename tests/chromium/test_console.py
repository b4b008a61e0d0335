"""The console as people use it, from the one-time link to the second member, in both languages and by keyboard."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.chromium.visitor import Visitor
from tests.running import Instance, instance
from veloflux.demo import EXCERPT

PASSWORD = "correct horse battery staple"
ANA = {"name": "Ana Souza", "email": "ana@example.com", "password": PASSWORD}
HERE = "/console/t/semicomplete"
SAID = {
    "en": {"usage": "Usage", "over": "This link no longer works", "waiting": "1 invitation waiting"},
    "pt-BR": {"usage": "Uso", "over": "Este link não funciona mais", "waiting": "1 convite"},
}
PIXELS = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, at) => at % 4 === 3 && value > 0).length;
}"""
BAR = """() => {
  const canvas = document.querySelector("[data-chart] canvas");
  if (!canvas) return "";
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const counts = {};
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] === 255) counts[data.slice(at, at + 3)] = (counts[data.slice(at, at + 3)] || 0) + 1;
  }
  return Object.entries(counts).sort((one, other) => other[1] - one[1])[0]?.[0];
}"""
PHONE = {"width": 390, "height": 844}
OF_BILLING = ("subscriptions", "subscriptions?plan=pro", "invoices", "ledger", "clock")
OF_A_TENANT = ("usage?month=2015-05", "members", "roles", "api-keys", "audit", "settings", "sign-in", *OF_BILLING)
PLATFORM = ("tenants", "users", "jobs", "outbox", "api", "account", "account/email", "t/platform/members")
OF_THE_PLATFORM = (*PLATFORM, "plans", "plans/pro", "offers")
PAGE = 50
Visit = Callable[[str, str], Visitor]


@pytest.mark.parametrize("language", SAID)
def test_from_the_one_time_link_to_the_second_member(visit: Visit, tmp_path: Path, language: str) -> None:
    said = SAID[language]
    with instance() as running:
        ana = visit(running.url, language)
        create_operator(ana, running)
        create_tenant(ana)
        token = create_api_key(ana)
        check_counts(running, token)
        running.run("usage", "import", str(EXCERPT), "--tenant", "semicomplete")
        ana.open(f"{HERE}/usage?month=2015-05")
        assert ana.page.get_attribute("html", "lang") == language
        assert ana.text("h1") == said["usage"]
        assert shown_days(ana) == days_of_the_excerpt()
        assert ana.page.locator("[data-chart] canvas").evaluate(PIXELS) > 1000
        bob_joins(ana, visit(running.url, language), running, said)
        photograph(ana, language, tmp_path)
        older_entries_come_without_a_new_page(ana, running)
        jobs_refresh_themselves(ana)


def create_operator(ana: Visitor, running: Instance) -> None:
    link = f"/console/setup/{running.setup_token}"
    ana.open(link)
    assert ana.send("operator.create", **ANA).status == 303
    ana.send("auth.logout")
    assert ana.open(link).status == 401
    ana.open("/console/tenants")
    refused = ana.send("auth.login", email=ANA["email"], password="wrong password")
    assert refused.status == 401
    assert ana.page.locator('[name="email"]').input_value() == ANA["email"]
    ana.send("auth.login", email=ANA["email"], password=PASSWORD)
    assert ana.page.url.endswith("/console/tenants")


def create_tenant(ana: Visitor) -> None:
    assert ana.send("tenants.create", name="Semicomplete", plan="pro").status == 303
    assert ana.page.url.endswith(f"{HERE}/usage")
    assert "veloflux usage import access.log --tenant semicomplete" in ana.text("#import-command")


def create_api_key(ana: Visitor) -> str:
    ana.open(f"{HERE}/api-keys")
    assert ana.send("api_keys.create", name="production server").status == 200
    token = ana.text("#secret")
    assert re.fullmatch(r"vf_live_[0-9a-z]+_[0-9a-z]{32}", token)
    ana.open(f"{HERE}/api-keys")
    assert token not in ana.page.content()
    return token


def check_counts(running: Instance, token: str) -> None:
    with running.client(token) as client:
        answer = client.post("/api/check", json={"meter": "requests", "cost": 1, "id": "request-1"})
    assert answer.json()["used"] == 1, answer.text


def shown_days(ana: Visitor) -> dict[str, int]:
    rows = ana.page.locator("#days tbody tr").evaluate_all(
        "rows => rows.map(row => [row.querySelector('time').dateTime, Number(row.cells[1].dataset.value || 0)])"
    )
    return {on: value for on, value in rows if value}


def days_of_the_excerpt() -> dict[str, int]:
    times = re.findall(r"\[([^\]]+)\]", EXCERPT.read_text())
    zone = ZoneInfo("America/Sao_Paulo")
    moments = [datetime.strptime(time, "%d/%b/%Y:%H:%M:%S %z") for time in times]
    return dict(Counter(moment.astimezone(zone).date().isoformat() for moment in moments))


def bob_joins(ana: Visitor, bob: Visitor, running: Instance, said: dict[str, str]) -> None:
    ana.open(f"{HERE}/members")
    ana.send("invitations.create", email="bob@example.com", role="member")
    assert said["waiting"] in ana.text("#invitations-caption")
    link = link_in_outbox(ana)
    bob.open(link)
    assert bob.page.locator('[name="email"]').input_value() == "bob@example.com"
    assert bob.send("invitations.accept", name="Bob", password=PASSWORD).status == 303
    assert bob.page.url == f"{running.url}{HERE}/usage"
    assert bob.open("/console/outbox").status == 403
    again = bob.open(link)
    assert again.status == 409
    assert bob.text("h1") == said["over"]
    assert "bob@example.com" in running.run("members", "list", "--tenant", "semicomplete", "--json")


def link_in_outbox(ana: Visitor) -> str:
    """The message is written by the worker, a moment later."""
    for _ in range(100):
        ana.open("/console/outbox")
        messages = ana.page.locator(".messages details")
        if messages.count():
            break
        ana.page.wait_for_timeout(100)
    assert messages.count() == 1
    messages.locator("summary").click()
    found = re.search(r"/console/invitations/\S+", messages.locator("pre").inner_text())
    assert found
    return found[0]


def photograph(ana: Visitor, language: str, folder: Path) -> None:
    ana.open(f"{HERE}/audit?name=usage.imported")
    assert ana.page.locator("#entries tr").count() == 1
    assert "cli:" in ana.text("#entries")
    suffix = "" if language == "en" else f".{language}"
    places = {"usage": f"{HERE}/usage?month=2015-05", "tenants": "/console/tenants", "audit": f"{HERE}/audit"}
    for name, path in {**places, "api-keys": f"{HERE}/api-keys", "members": f"{HERE}/members"}.items():
        ana.open(path)
        ana.page.wait_for_load_state("networkidle")
        ana.photograph(f"{name}{suffix}", folder)


def older_entries_come_without_a_new_page(ana: Visitor, running: Instance) -> None:
    admin = running.document("api-keys", "create", "--tenant", "semicomplete", "--name", "filler", "--role", "admin")
    with running.client(admin["token"]) as client:
        for number in range(PAGE):
            made = client.post("/api/tenants/semicomplete/api-keys", json={"name": f"filler {number}"})
            assert made.status_code == 201, made.text
    ana.open(f"{HERE}/audit")
    ana.page.evaluate("() => { window.loaded_once = true; }")
    rows = ana.page.locator("#entries tr")
    assert rows.count() == PAGE
    ana.page.click("a#older-link")
    ana.page.wait_for_selector("p#older-link")
    assert rows.count() > PAGE
    assert len(set(rows.evaluate_all("rows => rows.map(row => row.id)"))) == rows.count()
    assert ana.page.evaluate("() => window.loaded_once")


def jobs_refresh_themselves(ana: Visitor) -> None:
    ana.open("/console/jobs")
    with ana.page.expect_response(lambda answer: "hx-request" in answer.request.headers) as refreshed:
        ana.page.wait_for_timeout(0)
    assert refreshed.value.status == 200
    ana.page.wait_for_timeout(200)
    assert ana.page.locator("#jobs").count() == 1


def test_setup_sign_in_and_a_new_tenant_need_only_the_keyboard(visit: Visit) -> None:
    with instance() as running:
        ana = visit(running.url, "en")
        ana.open(f"/console/setup/{running.setup_token}")
        for name, value in ANA.items():
            ana.type_into(f'[name="{name}"]', value)
        ana.press_enter()
        ana.tab_to('form[data-action="auth.logout"] button')
        ana.press_enter()
        ana.type_into('[name="email"]', ANA["email"])
        ana.type_into('[name="password"]', PASSWORD)
        ana.press_enter()
        ana.open("/console/tenants")
        ana.type_into('[name="name"]', "Semicomplete")
        ana.type_into('[name="plan"]', "Pro")
        ana.tab_to('form[data-action="tenants.create"] button')
        ana.press_enter()
        assert ana.page.url == f"{running.url}{HERE}/usage"
        ana.page.keyboard.press("Tab")
        ana.page.keyboard.press("Enter")
        ana.page.wait_for_url("**/usage#main")
        assert running.document("tenants", "show", "semicomplete")["plan"] == "pro"


def test_on_a_phone_no_page_is_wider_than_the_window_and_the_chart_follows_the_theme(
    visit: Visit, tmp_path: Path
) -> None:
    with instance() as running:
        ana = visit(running.url, "pt-BR")
        create_operator(ana, running)
        create_tenant(ana)
        create_api_key(ana)
        running.run("usage", "import", str(EXCERPT), "--tenant", "semicomplete")
        ana.page.set_viewport_size(PHONE)
        bia = running.document("users", "create", "--name", "Bia Prado", "--email", "bia@example.com")
        running.run("roles", "create", "night_watch", "--permission", "usage:read", "--tenant", "semicomplete")
        own = [f"{HERE}/{page}" for page in OF_A_TENANT]
        for path in [*own, *(f"/console/{page}" for page in (*OF_THE_PLATFORM, f"users/{bia['id']}"))]:
            assert ana.open(path).status == 200, path
            ana.photograph(f"phone-{re.sub(r'[^a-z]+', '-', path)}", tmp_path)
            assert ana.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
        ana.open(f"{HERE}/audit")
        labels = ana.page.locator("tbody tr").first.locator("td").evaluate_all("all => all.map(td => td.dataset.label)")
        assert labels[0] == "Horário e requisição"
        ana.open(f"{HERE}/usage?month=2015-05")
        light = ana.page.wait_for_function(BAR).json_value()
        ana.page.emulate_media(color_scheme="dark")
        ana.page.wait_for_function(f"light => ({BAR})() !== light", arg=light)
        assert ana.page.locator("[data-chart] canvas").count() == 1
