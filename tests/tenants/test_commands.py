"""The commands, in the order in which an operator meets them."""

import doctest
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from typer.testing import CliRunner

from tests.cast import PASSWORD
from veloflux import cli
from veloflux.billing import clock_commands
from veloflux.context import Context, Secrets
from veloflux.errors import (
    ClockNotMovable,
    Conflict,
    InputInvalid,
    LinkExpired,
    NotAuthenticated,
    PriceInvalid,
    VeloFluxError,
)
from veloflux.identity import links
from veloflux.secret_file import installation_secret
from veloflux.settings import Settings
from veloflux.tenants import invitations

Run = Callable[..., Any]


@pytest.fixture
def veloflux(one_ctx: Context, standalone: str, tmp_path: Path) -> Run:
    """Runs a command on the tests' Valkey; gives the document that it prints, or raises its error."""
    (tmp_path / "password").write_text(PASSWORD)
    environ = {"REDIS_URL": standalone, "VELOFLUX_REDIS_UNSAFE": "true", "VELOFLUX_DATA_DIR": str(tmp_path)}

    def run(*words: str, typed: str = "", as_json: bool = True) -> Any:
        result = CliRunner().invoke(cli.app, [*words, *(["--json"] if as_json else [])], input=typed, env=environ)
        if isinstance(result.exception, VeloFluxError):
            raise result.exception
        assert result.exit_code == 0, (words, result.output)
        return json.loads(result.stdout) if as_json else result.stdout

    return run


def test_an_operator_sets_up_a_tenant_with_keys_and_members(veloflux: Run, tmp_path: Path) -> None:
    account = ("--email", "olivia@example.com", "--password-file", str(tmp_path / "password"))
    assert veloflux("operator", "create", "--name", "Olivia", *account)["email"] == "olivia@example.com"
    made = veloflux("tenants", "create", "Semicomplete", "--plan", "pro", "--mode", "sandbox")
    assert (made["slug"], made["plan"]) == ("semicomplete", "pro")
    assert veloflux("tenants", "list")["items"] == [made]
    assert veloflux("tenants", "show", "semicomplete") == made
    for at, shown in (("2026-12-24", "=1798081200000"), ("1500000000000", "=1500000000000")):
        moved = veloflux("tenants", "set-clock", "stopped", "--at", at, "--tenant", "semicomplete")
        assert moved["clock"] == shown
    here = ("--tenant", "semicomplete")
    new = veloflux("api-keys", "create", *here, "--name", "server")
    assert new["token"].startswith("vf_test_")
    assert veloflux("api-keys", "list", *here)["items"] == [new["key"]]
    leaked = veloflux("api-keys", "create", *here)
    veloflux("api-keys", "revoke", "--prefix", leaked["key"]["prefix"], as_json=False)
    assert veloflux("api-keys", "list", *here)["items"][0]["status"] == "revoked"
    veloflux("api-keys", "revoke", new["key"]["id"], *here, as_json=False)
    assert veloflux("api-keys", "list", *here)["items"][0]["status"] == "revoked"
    invitation = veloflux("invitations", "create", "new@example.com", *here, "--role", "owner")
    assert veloflux("invitations", "list", *here)["items"] == [invitation]
    veloflux("invitations", "revoke", invitation["id"], *here, as_json=False)
    assert veloflux("members", "list", *here) == {"items": [], "next": None}
    trail = veloflux("audit", "list", *here, "--limit", "1")
    assert (trail["items"][0]["name"], trail["next"] is None) == ("invitation.revoked", False)
    assert trail["items"][0]["actor"].startswith("cli:")
    assert veloflux("outbox", "list") == {"items": [], "next": None}


def test_a_person_signs_in_and_out_at_the_terminal(veloflux: Run, tmp_path: Path) -> None:
    account = ("--email", "ana@example.com", "--password-file", "-")
    veloflux("auth", "register", "--name", "Ana", *account, typed=f"{PASSWORD}\n")
    first, second = (veloflux("auth", "login", *account, typed=f"{PASSWORD}\n") for _ in range(2))
    (tmp_path / "token").write_text(first["token"])
    mine = ("--token-file", str(tmp_path / "token"))
    assert veloflux("auth", "me", *mine)["email"] == "ana@example.com"
    assert len(veloflux("sessions", "list", *mine)) == 2
    veloflux("sessions", "end", second["person"]["session"], *mine, as_json=False)
    assert [session["id"] for session in veloflux("sessions", "list", *mine)] == [first["person"]["session"]]
    typed = f"{PASSWORD}\na better horse\n"
    both = ("--current-password-file", "-", "--password-file", "-")
    veloflux("auth", "password", *mine, *both, typed=typed, as_json=False)
    assert veloflux("auth", "login", *account, typed="a better horse\n")["person"]["email"] == "ana@example.com"
    veloflux("auth", "logout", *mine, as_json=False)
    with pytest.raises(NotAuthenticated):
        veloflux("auth", "me", *mine)


def test_a_password_is_set_anew_and_an_address_confirmed_at_the_terminal(
    veloflux: Run, tmp_path: Path, standalone: str
) -> None:
    account = ("--email", "ana@example.com", "--password-file", "-")
    person = veloflux("auth", "register", "--name", "Ana", *account, typed=f"{PASSWORD}\n")["id"]
    veloflux("auth", "password-reset", "--email", "ana@example.com", as_json=False)
    [link] = held(standalone, f"vf:user:{{{person}}}:reset_link:*")
    secrets = Secrets(installation_secret(Settings(data_dir=tmp_path)))
    (tmp_path / "link").write_text(links.token_of(secrets, "reset", person, link.rpartition(":")[2]))
    by_link = ("--token-file", str(tmp_path / "link"))
    veloflux("auth", "password-reset-confirm", *by_link, "--password-file", "-", typed="a new one\n", as_json=False)
    assert veloflux("auth", "login", *account, typed="a new one\n")["person"]["id"] == person
    with pytest.raises(LinkExpired):
        veloflux("auth", "verify", *by_link)


def held(url: str, pattern: str) -> list[str]:
    with Redis.from_url(url, decode_responses=True) as redis:
        return sorted(redis.keys(pattern))


def test_an_invitation_is_accepted_by_its_link_and_the_member_removed(veloflux: Run, tmp_path: Path) -> None:
    made = veloflux("tenants", "create", "Acme")
    invitation = veloflux("invitations", "create", "ana@example.com", "--tenant", "acme")
    account = ("--email", "ana@example.com", "--password-file", "-")
    veloflux("auth", "register", "--name", "Ana", *account, typed=f"{PASSWORD}\n")
    token = veloflux("auth", "login", *account, typed=f"{PASSWORD}\n", as_json=False)
    secrets = Secrets(installation_secret(Settings(data_dir=tmp_path)))
    link = f"http://localhost/console/invitations/{invitations.token_of(secrets, made['id'], invitation['id'])}"
    assert veloflux("invitations", "accept", link, "--token-file", "-", typed=token)["id"] == made["id"]
    [member] = veloflux("members", "list", "--tenant", "acme")["items"]
    assert (member["email"], member["role"]) == ("ana@example.com", "member")
    veloflux("members", "remove", member["id"], "--tenant", "acme", as_json=False)
    assert veloflux("members", "list", "--tenant", "acme")["items"] == []


def test_ownership_goes_over_and_all_sessions_end_at_the_terminal(veloflux: Run, tmp_path: Path) -> None:
    made = veloflux("tenants", "create", "Acme")
    secrets, tokens = Secrets(installation_secret(Settings(data_dir=tmp_path))), {}
    for name, role in (("ana", "owner"), ("bob", "member")):
        account = ("--email", f"{name}@example.com", "--password-file", "-")
        veloflux("auth", "register", "--name", name.title(), *account, typed=f"{PASSWORD}\n")
        tokens[name] = veloflux("auth", "login", *account, typed=f"{PASSWORD}\n", as_json=False)
        invited = veloflux("invitations", "create", f"{name}@example.com", "--tenant", "acme", "--role", role)
        link = invitations.token_of(secrets, made["id"], invited["id"])
        veloflux("invitations", "accept", link, "--token-file", "-", typed=tokens[name])
    bob = veloflux("auth", "me", "--token-file", "-", typed=tokens["bob"])["id"]
    transfer = ("members", "transfer-ownership", bob, "--tenant", "acme", "--token-file", "-")
    veloflux(*transfer, typed=tokens["ana"], as_json=False)
    roles = {member["name"]: member["role"] for member in veloflux("members", "list", "--tenant", "acme")["items"]}
    assert roles == {"Ana": "admin", "Bob": "owner"}
    veloflux("sessions", "end-many", "--which", "all", "--token-file", "-", typed=tokens["bob"], as_json=False)
    with pytest.raises(NotAuthenticated):
        veloflux("auth", "me", "--token-file", "-", typed=tokens["bob"])


@pytest.mark.parametrize("words", [("tenants", "create", "Acme"), ("tenants", "set-clock", "real", "--tenant", "acme")])
def test_what_cannot_be_done_is_one_of_our_errors(veloflux: Run, words: tuple[str, ...]) -> None:
    veloflux("tenants", "create", "Acme")
    with pytest.raises((Conflict, ClockNotMovable)):
        veloflux(*words)


def test_a_clock_is_set_to_a_time_of_the_zone_and_to_no_other_words(veloflux: Run) -> None:
    assert doctest.testmod(clock_commands).failed == 0
    veloflux("tenants", "create", "Acme", "--mode", "sandbox", "--zone", "America/Sao_Paulo")
    with pytest.raises(InputInvalid):
        veloflux("tenants", "set-clock", "stopped", "--at", "soon", "--tenant", "acme")


def test_without_json_a_list_is_a_table_for_people(veloflux: Run) -> None:
    veloflux("tenants", "create", "Acme")
    assert "acme" in veloflux("tenants", "list", as_json=False)


def test_a_password_is_asked_for_unseen_when_no_file_is_named(veloflux: Run) -> None:
    made = veloflux("auth", "register", "--name", "Ana", "--email", "ana@example.com", typed=f"{PASSWORD}\n")
    assert made["name"] == "Ana"


def test_a_tenants_life_at_the_terminal(veloflux: Run) -> None:
    veloflux("tenants", "create", "Acme")
    assert veloflux("tenants", "rename", "acme", "--name", "Acme Brasil", "--slug", "acme-br")["name"] == "Acme Brasil"
    assert veloflux("tenants", "suspend", "acme-br", "--reason", "overdue")["suspended_for"] == "overdue"
    assert veloflux("tenants", "resume", "acme-br")["status"] == "active"
    assert veloflux("tenants", "archive", "acme-br")["status"] == "archived"
    assert veloflux("tenants", "list")["items"] == []
    assert [one["slug"] for one in veloflux("tenants", "list", "--archived")["items"]] == ["acme-br"]
    assert veloflux("tenants", "delete", "acme-br", "--confirm", "acme-br")["status"] == "deleting"
    assert veloflux("tenants", "restore", "acme-br")["status"] == "active"
    with pytest.raises(InputInvalid):
        veloflux("tenants", "delete", "acme-br", "--confirm", "acme")


def test_prices_are_listed_and_applied_from_a_file(veloflux: Run, tmp_path: Path) -> None:
    shown = veloflux("plans", "list", as_json=False)
    assert "149.00 BRL" in shown
    whole = veloflux("plans", "list")
    assert whole["plans"][1]["usage"][0]["included"] == "100000"
    file = tmp_path / "plans.json"
    whole["plans"][1]["fixed"][0]["prices"]["BRL"] = "159.00"
    file.write_text(json.dumps(whole))
    assert veloflux("plans", "apply", str(file), "--dry-run", as_json=False) == "plan pro: new version 2 (fixed)\n"
    assert veloflux("plans", "apply", str(file))["version"] == 1
    assert veloflux("plans", "list")["former_plans"][0]["fixed"][0]["prices"]["BRL"] == "149.00"
    whole["plans"][1]["fixed"][0]["prices"]["BRL"] = "159.009"
    file.write_text(json.dumps(whole))
    with pytest.raises(PriceInvalid, match=r"the plan pro in its charge base costs 159\.009 BRL"):
        veloflux("plans", "apply", str(file))
