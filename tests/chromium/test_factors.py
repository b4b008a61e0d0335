"""Second factors as people use them: an app by keyboard, and passkeys of Chromium's virtual authenticator."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chromium.visitor import Visitor
from tests.identity.apps import App
from tests.running import Instance, instance
from tests.servers import free_port

ANA = {"name": "Ana Souza", "email": "ana@example.com", "password": "correct horse battery staple"}
PHONE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
Visit = Callable[[str, str], Visitor]


class Phone:
    """The virtual authenticator of a window."""

    def __init__(self, visitor: Visitor) -> None:
        self._cdp = visitor.context.new_cdp_session(visitor.page)
        self._cdp.send("WebAuthn.enable")
        self.id = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._send("getCredentials")["credentials"]
        return found

    def become_a_copy(self) -> None:
        """Go back to before its passkey ever signed."""
        [credential] = self.credentials()
        self._send("removeCredential", credentialId=credential["credentialId"])
        self._send("addCredential", credential=credential | {"signCount": 0})

    def _send(self, command: str, **values: Any) -> Any:
        return self._cdp.send(f"WebAuthn.{command}", {"authenticatorId": self.id, **values})


@pytest.fixture(scope="module")
def running() -> Iterator[Instance]:
    """Browsers make passkeys for names only, so the console is at localhost."""
    port = free_port()
    with instance(port=str(port), public_url=f"http://localhost:{port}") as started:
        account = ("--name", ANA["name"], "--email", ANA["email"], "--password-file", _password(started))
        started.run("auth", "register", *account)
        yield started


@pytest.fixture
def ana(visit: Visit, running: Instance) -> Visitor:
    visitor = visit(f"http://localhost:{running.port}", "en")
    visitor.open("/console/account")
    visitor.send("auth.login", email=ANA["email"], password=ANA["password"])
    return visitor


def test_a_passkey_is_added_and_signs_in_as_second_and_as_only_factor_and_a_copy_does_not(
    ana: Visitor, tmp_path: Path
) -> None:
    phone = Phone(ana)
    ana.open("/console/account")
    assert ana.send("passkeys.create", name="Ana's phone").status == 200
    assert len(ana.text("#secret").split()) == 10
    [credential] = phone.credentials()
    assert credential["isResidentCredential"]
    ana.open("/console/account")
    ana.page.locator("#factors").evaluate("element => element.scrollIntoView()")
    ana.photograph("factors", tmp_path)
    assert ana.page.locator('[aria-labelledby="passkeys-caption"] [name="name"]').input_value() == "Ana's phone"

    ana.send("auth.logout")
    asked = ana.send("auth.login", email=ANA["email"], password=ANA["password"])
    assert asked.status == 303
    assert "/sign-in/second-factor" in ana.page.url
    ana.photograph("second-factor", tmp_path)
    by_passkey(ana, "auth.second_factor")
    ana.open("/console/account")
    assert "Password + Passkey" in re.sub(r"\s+", " ", ana.text("table:has(#sessions-caption) tbody"))

    ana.send("auth.logout")
    by_passkey(ana, "auth.passkey")
    ana.open("/console/account")
    assert ana.text("h1") == "Account"

    ana.send("auth.logout")
    phone.become_a_copy()
    assert by_passkey(ana, "auth.passkey") == 401
    ana.open("/console/account")
    assert "/sign-in" in ana.page.url


def test_an_app_is_added_and_asked_for_by_keyboard_alone(visit: Visit, running: Instance, tmp_path: Path) -> None:
    file = running.folder / "password"
    running.run("auth", "register", "--name", "Bia", "--email", "bia@example.com", "--password-file", str(file))
    bia = visit(f"http://localhost:{running.port}", "pt-BR")
    bia.open("/console/account")
    sign_in_by_keyboard(bia)
    bia.tab_to('form[data-action="totp.enrol"] button')
    bia.press_enter()
    bia.photograph("totp", tmp_path)
    app = App(bia.text("#secret").strip())
    bia.type_into('[name="code"]', app.code())
    bia.press_enter()
    assert len(bia.text("#secret").split()) == 10
    bia.photograph("recovery-codes", tmp_path)
    bia.open("/console/account")
    bia.photograph("account-pt", tmp_path)
    bia.send("auth.logout")
    bia.open("/console/account")
    sign_in_by_keyboard(bia)
    bia.photograph("second-factor-pt", tmp_path)
    bia.page.keyboard.type(app.code())
    bia.press_enter()
    assert bia.page.url.endswith("/console/account")


def sign_in_by_keyboard(bia: Visitor) -> None:
    bia.type_into('[name="email"]', "bia@example.com")
    bia.type_into('[name="password"]', ANA["password"])
    bia.press_enter()


def by_passkey(visitor: Visitor, action: str) -> int:
    """Press the passkey button of an action; the status of the answer."""
    form = visitor.page.locator(f'form[data-action="{action}"][data-passkey]')
    with (
        visitor.page.expect_navigation(),
        visitor.page.expect_response(
            lambda answer: "/console/" in answer.url and answer.request.method == "POST"
        ) as sent,
    ):
        form.locator("button").click()
    return sent.value.status


def _password(started: Instance) -> str:
    file = started.folder / "password"
    file.write_text(ANA["password"])
    return str(file)
