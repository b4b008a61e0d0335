"""A company's own sign-in, from its settings to the first page of a newcomer, with a real provider beside it."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.chromium.test_console import HERE, create_operator, create_tenant
from tests.chromium.visitor import Visitor
from tests.running import Instance, instance
from tests.servers import wait_for
from tests.web import openid

BEA = {"sub": "bea", "email": "bea@example.com", "email_verified": True, "name": "Bea Lima", "groups": ["staff"]}
LINK = re.compile(r"https?://\S+(/console/sso/link/\S+)")
LOOPBACK = "http://127.0.0.1:"
"""The provider's page asks for a style sheet from elsewhere, which no test needs."""
Visit = Callable[[str, str], Visitor]


def test_an_owner_connects_the_provider_and_a_newcomer_enters_by_it(visit: Visit, tmp_path: Path) -> None:
    with openid.provider(BEA) as issuer, instance(oidc_private_networks="true") as running:
        ana = visit(running.url, "en")
        create_operator(ana, running)
        create_tenant(ana)
        connect(ana, issuer)
        ana.photograph("company-sign-in", tmp_path)
        bea = visit(running.url, "pt-BR")
        bea.context.route(lambda url: not url.startswith(LOOPBACK), lambda route: route.abort())
        bea.open("/console/sign-in")
        bea.page.click('a[href="/console/sso"]')
        bea.page.fill('[name="company"]', "semicomplete")
        bea.press_enter()
        sign_in_there(bea)
        assert "e-mail" in bea.text("h1")
        bea.open(link_in_outbox(running))
        assert bea.send("auth.sso_join").status == 200
        sign_in_there(bea)
        bea.page.wait_for_url(f"**{HERE}/usage")
        bea.open("/console/account")
        bea.photograph("by-company", tmp_path)
        assert "Bea Lima" in bea.text("dl.facts")
        assert bea.page.locator('main a[href^="/console/account"]').count() == 0
        ana.open(f"{HERE}/members")
        assert "Bea Lima" in ana.text("main")


def connect(owner: Visitor, issuer: str) -> None:
    owner.open(f"{HERE}/settings")
    owner.page.click(f'a[href="{HERE}/sign-in"]')
    owner.page.check('[name="enabled"]')
    fields = {"issuer": issuer, "domains": "example.com", "client_id": "veloflux", "client_secret": "a secret"}
    assert owner.send("tenants.oidc.set", **fields, roles="staff = member").status == 303
    assert owner.send("tenants.oidc.test").status == 200
    assert issuer in owner.text('[role="status"]')


def sign_in_there(visitor: Visitor) -> None:
    """On the provider's page, to which the console sends the browser."""
    visitor.page.wait_for_url("**/oauth2/authorize*")
    visitor.page.fill('[name="sub"]', BEA["sub"])
    with visitor.page.expect_navigation():
        visitor.page.click('button:has-text("Authorize")')


def link_in_outbox(running: Instance) -> str:
    found: list[str] = []

    def look() -> bool:
        for message in (running.folder / "data" / "outbox").glob("*"):
            found.extend(LINK.findall(message.read_text("utf-8", errors="replace").replace("=\n", "")))
        return bool(found)

    wait_for(look, "the message to the newcomer")
    return found[0]
