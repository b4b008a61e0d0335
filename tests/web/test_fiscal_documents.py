"""Fiscal documents by HTTP: the web process and the one of the tests ask the same fake provider."""

import httpx2
import pytest

from tests.billing import brazil
from tests.web.scene import Scene, problem

REASON = {"reason": "Emitida em duplicidade"}


@pytest.fixture
async def path(scene: Scene) -> str:
    """Of an issued one of Acme's."""
    return f"/api/tenants/acme/invoices/{await brazil.planted(scene.acme)}/fiscal"


async def test_an_owner_reads_a_document_and_its_files(http: httpx2.AsyncClient, scene: Scene, path: str) -> None:
    alice = scene.headers("alice")
    shown = (await http.get(path, headers=alice)).json()
    assert (shown["status"], shown["number"], shown["next_at"]) == ("issued", "1", None)
    for form, start in (("pdf", b"%PDF-"), ("xml", b"<NFSe")):
        answer = await http.get(f"{path}/{form}", headers=alice)
        assert answer.content.startswith(start)
        assert answer.headers["content-type"].split(";")[0] == f"application/{form}"
        assert answer.headers["content-disposition"].endswith(f'.{form}"')
        problem(await http.get(f"{path}/{form}", headers=scene.headers("carol")), 404)


async def test_an_operator_has_a_document_cancelled_for_a_reason(
    http: httpx2.AsyncClient, scene: Scene, path: str
) -> None:
    olivia = scene.headers("olivia")
    problem(await http.post(f"{path}/retry", headers=olivia), 409, "move_impossible")
    problem(await http.post(f"{path}/cancel", headers=olivia, json={"reason": "short"}), 400, "input_invalid")
    problem(await http.post(f"{path}/cancel", headers=scene.headers("alice"), json=REASON), 403)
    answer = await http.post(f"{path}/cancel", headers=olivia, json=REASON)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelling")


async def test_an_invoice_without_a_document_has_none(http: httpx2.AsyncClient, scene: Scene) -> None:
    for path in ("", "/pdf", "/xml"):
        answer = await http.get(f"/api/tenants/acme/invoices/inv_0/fiscal{path}", headers=scene.headers("alice"))
        problem(answer, 404, "not_found")
