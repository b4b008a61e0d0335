"""The main job, as a new user does it: from `veloflux up` to a metered, limited tenant, by command and by HTTP."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.running import Instance, instance
from tests.servers import wait_for
from veloflux.demo import EXCERPT

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def running() -> Iterator[Instance]:
    with instance(web_processes="2") as started:
        started.run("tenants", "create", "Semicomplete", "--plan", "pro")
        yield started


def key_of(running: Instance, tenant: str) -> str:
    return str(running.document("api-keys", "create", "--tenant", tenant, "--name", "test")["token"])


def check(running: Instance, token: str, id_: str, **more: Any) -> Any:
    """Ask until there is a decision: with one id it counts once, however often a busy machine misses the deadline."""
    with running.client(token) as client:
        while True:
            answer = client.post("/api/check", json={"meter": "requests", "cost": 1, "id": id_, **more})
            if answer.status_code != 503:
                return answer


def test_one_time_link_makes_the_operator_once_and_is_not_printed_again(running: Instance) -> None:
    account = {"name": "Ana", "email": "ana@example.com", "password": PASSWORD}
    with running.client() as client:
        made = client.post("/api/auth/operator", json={"token": running.setup_token, **account})
        assert made.status_code == 201, made.text
        again = client.post(
            "/api/auth/operator", json={"token": running.setup_token, **account, "email": "b@example.com"}
        )
        assert again.status_code == 401
        assert (
            client.post("/api/auth/login", json={"email": "ana@example.com", "password": PASSWORD}).status_code == 200
        )


def test_import_records_each_line_once_and_says_so_when_nothing_is_new(running: Instance) -> None:
    tenant = running.document("tenants", "create", "Importer", "--plan", "pro")["slug"]
    first = running.document("usage", "import", str(EXCERPT), "--tenant", tenant)
    lines = EXCERPT.read_bytes().splitlines()
    assert (first["read"], first["recorded"], first["bad"]) == (len(lines), len(lines), 0)
    again = running.document("usage", "import", str(EXCERPT), "--tenant", tenant)
    assert (again["recorded"], again["duplicates"]) == (0, len(lines))
    entries = [
        e for e in running.document("audit", "list", "--tenant", tenant)["items"] if e["name"] == "usage.imported"
    ]
    assert entries
    assert entries[0]["actor"].startswith("cli:")


def test_export_by_command_and_by_http_gives_the_same_bytes_whose_sums_are_the_usage(running: Instance) -> None:
    tenant = running.document("tenants", "create", "Exporter", "--plan", "pro")["slug"]
    running.run("usage", "import", str(EXCERPT), "--tenant", tenant)
    with running.client(key_of(running, tenant)) as client:
        for form in ("csv", "json"):
            by_http = client.get(f"/api/tenants/{tenant}/usage/export", params={"format": form})
            assert by_http.status_code == 200
            assert by_http.content.decode() == running.run("usage", "export", "--tenant", tenant, "--format", form)
    rows = running.run("usage", "export", "--tenant", tenant, "--format", "csv").splitlines()
    assert rows[0] == "tenant,meter,date,value"
    requests = sum(int(row.rsplit(",", 1)[1]) for row in rows[1:] if ",requests," in row)
    assert requests == len(EXCERPT.read_bytes().splitlines())


def test_burst_of_twenty_on_a_stopped_clock_lets_exactly_twenty_of_a_hundred_pass(running: Instance) -> None:
    tenant = running.document("tenants", "create", "Bursty", "--plan", "free", "--mode", "sandbox")["slug"]
    running.run("tenants", "set-clock", "stopped", "--tenant", tenant, "--at", "1790000000000")
    token = key_of(running, tenant)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda n: check(running, token, f"burst-{n}"), range(100)))
    assert sorted({answer.status_code for answer in answers}) == [200, 429]
    assert sum(answer.status_code == 200 for answer in answers) == 20
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code == 429)


def test_another_tenants_key_finds_nothing(running: Instance) -> None:
    running.run("tenants", "create", "Stranger", "--plan", "free")
    token = key_of(running, "stranger")
    with running.client(token) as client:
        for path in ("usage", "usage/export?format=csv", "audit", "members", "api-keys", "invitations", ""):
            answer = client.get(f"/api/tenants/semicomplete/{path}".rstrip("/"))
            assert answer.status_code == 404, path
            assert answer.json()["code"] == "not_found"


def test_invitation_is_written_once_and_works_once(running: Instance) -> None:
    invited = running.document("invitations", "create", "bob@example.com", "--tenant", "semicomplete")
    outbox = running.folder / "data" / "outbox"
    wait_for(lambda: outbox.is_dir() and any(outbox.glob("*.eml")), "the invitation's message")
    [message] = [path for path in outbox.glob("*.eml") if "bob@example.com" in path.read_text()]
    token = _invitation_token(message)
    with running.client() as client:
        account = {"name": "Bob", "email": "bob@example.com", "password": PASSWORD}
        assert client.post("/api/auth/register", json=account).status_code == 202
        assert client.post("/api/auth/verify", json={"token": _verification(outbox)}).status_code == 201
        session = client.post("/api/auth/login", json={"email": "bob@example.com", "password": PASSWORD}).json()[
            "token"
        ]
    with running.client(session) as client:
        assert client.post("/api/auth/invitations/accept", json={"token": token}).status_code == 200
        assert client.post("/api/auth/invitations/accept", json={"token": token}).status_code == 409
    assert invited["id"]


def _verification(outbox: Path) -> str:
    """The token of the link that confirms an address, as soon as it was sent."""
    links: list[str] = []

    def sent() -> bool:
        text = "".join(path.read_text() for path in outbox.glob("*.eml"))
        links.extend(re.findall(r"/console/verify/(\S+)", text))
        return bool(links)

    wait_for(sent, "the message that confirms the address")
    return links[0]


def _invitation_token(message: Path) -> str:
    import email
    from email import policy

    parsed = email.message_from_bytes(message.read_bytes(), policy=policy.default)
    body = parsed.get_body(("plain",))
    assert body
    found = re.search(r"/console/invitations/(\S+)", body.get_content())
    assert found
    return found[1]
