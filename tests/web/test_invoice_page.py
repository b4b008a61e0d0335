"""Invoices over HTTP: what the tenant asks for, and the page that whoever pays opens without signing in."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx2
import pytest
from pypdf import PdfReader

from tests.billing.billed import Billed, billed, recorded
from tests.web.conftest import serving
from tests.web.scene import Scene, problem
from veloflux import tenants
from veloflux.billing.invoices import reading as invoices
from veloflux.db import keys

HOSTILE = "<script>alert(1)</script> & {{ 7*7 }}"


@pytest.fixture
async def documents(scene: Scene) -> Billed:
    """Of Acme."""
    return await billed(await recorded(scene.acme, legal_name=HOSTILE, billing_email="pay@acme.example"))


@pytest.fixture
async def page(scene: Scene, documents: Billed) -> str:
    """The path of the page of Acme's first invoice."""
    shown = await invoices.read_invoice(scene.acme, documents.invoice.id)
    return "/invoices/" + shown.page.rpartition("/")[2]


def paths(documents: Billed) -> list[str]:
    """All that can be read of Acme's documents."""
    invoice, note = f"/invoices/{documents.invoice.id}", f"/credit-notes/{documents.credit_note.id}"
    return [f"/api/tenants/acme{path}" for path in (invoice, f"{invoice}/pdf", note, f"{note}/pdf")]


async def test_a_tenant_reads_its_invoices_and_credit_notes(
    http: httpx2.AsyncClient, scene: Scene, documents: Billed
) -> None:
    alice = scene.headers("alice")
    listed = (await http.get("/api/tenants/acme/invoices?limit=1", headers=alice)).json()
    assert listed["items"][0]["number"] == "INV-000002"
    following = await http.get(
        "/api/tenants/acme/invoices", params={"limit": "1", "cursor": listed["next"]}, headers=alice
    )
    [invoice] = following.json()["items"]
    assert (invoice["id"], invoice["due"], invoice["buyer"]["name"]) == (documents.invoice.id, 14_900, HOSTILE)
    [note] = (await http.get("/api/tenants/acme/credit-notes", headers=alice)).json()["items"]
    assert (note["number"], note["totals"]["total"]) == ("CN-000001", 14_900)
    answers = [await http.get(path, headers=alice) for path in paths(documents)]
    assert [answer.status_code for answer in answers] == [200] * 4
    for answer, name in ((answers[1], "INV-000001"), (answers[3], "CN-000001")):
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}.pdf"'
        assert name in PdfReader(BytesIO(answer.content)).pages[0].extract_text()


async def test_nobody_else_reads_them(http: httpx2.AsyncClient, scene: Scene, documents: Billed) -> None:
    for path in paths(documents):
        problem(await http.get(path, headers=scene.headers("carol")), 404)
        problem(await http.get(path.replace("acme", "globex"), headers=scene.headers("carol")), 404)
        problem(await http.get(path), 401)
        problem(await http.get(path, headers=scene.headers("key")), 404)
    sent = f"/api/tenants/acme/invoices/{documents.invoice.id}/send"
    problem(await http.post(sent, headers=scene.headers("carol")), 404)
    problem(await http.post(sent, headers=scene.headers("alice")), 403)


async def test_an_operator_sends_an_invoice_again(http: httpx2.AsyncClient, scene: Scene, documents: Billed) -> None:
    sent = await http.post(f"/api/tenants/acme/invoices/{documents.invoice.id}/send", headers=scene.headers("olivia"))
    assert (sent.status_code, sent.json()) == (200, {"sent": True, "to": "pay@acme.example"})


@pytest.mark.parametrize("language", ["pt-BR", "en"])
async def test_the_page_is_in_the_invoices_language_whatever_the_browsers_is(
    http: httpx2.AsyncClient, scene: Scene, documents: Billed, page: str, language: str
) -> None:
    await scene.acme.db.call("HSET", keys.invoice(scene.acme.tenant, documents.invoice.id), "language", language)
    answer = await http.get(page, headers={"accept-language": "en" if language == "pt-BR" else "pt-BR"})
    words = {"pt-BR": ("Fatura INV-000001", "A pagar", "Baixar o PDF"), "en": ("Invoice INV-000001", "Due", "Download")}
    assert answer.status_code == 200
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in answer.text
    assert [word for word in words[language] if word not in answer.text] == []
    assert re.search(r"149[.,]00", answer.text)


async def test_the_page_runs_nothing_and_is_told_to_nobody(http: httpx2.AsyncClient, page: str) -> None:
    answer = await http.get(page)
    assert "<script" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7*7 }}" in answer.text
    assert answer.headers.get_list("referrer-policy") == ["no-referrer"]
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', answer.text)
    assert "set-cookie" not in answer.headers


async def test_the_page_leads_to_its_pdf(http: httpx2.AsyncClient, page: str) -> None:
    [link] = re.findall(r'href="([^"]+/pdf)"', (await http.get(page)).text)
    answer = await http.get(link)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == 'attachment; filename="INV-000001.pdf"'
    assert answer.headers.get_list("referrer-policy") == ["no-referrer"]
    assert "INV-000001" in PdfReader(BytesIO(answer.content)).pages[0].extract_text()


@pytest.mark.parametrize("suffix", ["", "/pdf"])
async def test_a_link_that_opens_nothing_tells_nothing(
    http: httpx2.AsyncClient, scene: Scene, page: str, suffix: str
) -> None:
    token = page.rpartition("/")[2]
    wrong = [token[:-1] + ("0" if token[-1] != "0" else "1"), token[:-1], "x", f"{'0' * 26}.{'0' * 26}.{'0' * 40}"]
    answers = [await http.get(f"/invoices/{each}{suffix}") for each in wrong]
    await scene.acme.db.call("HSET", keys.tenant(scene.acme.tenant), "status", "deleted")
    answers.append(await http.get(f"{page}{suffix}"))
    told = {re.sub(r"req_[0-9a-z]+|/invoices/[^\"]*", "", answer.text) for answer in answers}
    assert [answer.status_code for answer in answers] == [404] * 5
    assert len(told) == 1
    assert "INV-" not in told.pop()


async def test_a_tenant_that_cannot_be_used_can_still_pay(http: httpx2.AsyncClient, scene: Scene, page: str) -> None:
    await tenants.suspend_tenant(scene.acme, "unpaid")
    assert (await http.get(page)).status_code == 200


@pytest.fixture(scope="module")
def slow(standalone: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """URL and folder of a server that lets an address ask thrice a minute."""
    folder = tmp_path_factory.mktemp("slow")
    with serving(standalone, folder, {"VELOFLUX_ADDRESS_PACE": "3/min"}) as url:
        yield url, folder


async def test_an_address_opens_only_so_many_and_no_log_has_a_link(slow: tuple[str, Path], page: str) -> None:
    url, folder = slow
    async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
        answers = [await http.get(page) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert "retry-after" in answers[-1].headers
    log = (folder / "serve.log").read_text()
    assert "/invoices/" in log
    assert page.rpartition(".")[2] not in log
