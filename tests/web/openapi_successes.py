"""What succeeds on each route, by operation, and what these requests are about."""

from typing import Any, NamedTuple

import httpx2
import msgspec

from tests import cast
from tests.cast import PASSWORD
from tests.identity.apps import App
from tests.identity.authenticator import Authenticator
from tests.servers import wait_for
from veloflux.plans import catalogue

COUNTS_REQUESTS = {"name": "requests", "event_type": "http.request", "aggregation": "count", "unit": "count"}


TRAINING = {"name": "Training", "price": "100"}


class World(NamedTuple):
    """What the requests are about. Nobody is the operator yet; `setup` is the token of the link to become it."""

    url: str
    setup: str
    key: str
    service_key: str
    ids: dict[str, str]
    invited: str
    joining: str
    verification: str
    reset: str
    email_changes: list[str]
    factors: "Factors"
    oidc_links: list[str]
    issuer: str


class Factors(NamedTuple):
    """Sessions by token: of tess, who has an app, and of uma, who has begun to add one."""

    tess: str
    challenge: str
    codes: list[str]
    uma: str
    app: App
    phone: Authenticator


class Success(NamedTuple):
    """Who asks (somebody's name, a key or a token) what (or what makes it then); the path's parameters are the world's
    ids.
    """

    actor: str = "alice"
    body: Any = None
    query: dict[str, str] | None = None
    tenant: str = "acme"


def successes(world: World) -> dict[str, Success]:
    """What succeeds, by operation, in this order."""
    account = {"name": "Zoe", "email": cast.email("zoe"), "password": PASSWORD}
    event = {"type": "http.request", "id": "1", "time": "2026-01-02T03:04:05Z", "data": {"bytes": 512}}
    stopped = {"mode": "stopped", "at": 1_767_322_000_000}
    return {
        "operator.create": Success("", {**account, "email": cast.email("olivia"), "token": world.setup}),
        "auth.register": Success("", account),
        "auth.verify": Success("", {"token": world.verification}),
        "auth.login": Success("", {"email": cast.email("yara"), "password": PASSWORD}),
        "auth.password_reset": Success("", {"email": cast.email("yara")}),
        "auth.password_reset_confirm": Success("", {"token": world.reset, "password": PASSWORD}),
        "auth.email": Success(body={"email": "alice@new.example", "current": PASSWORD}),
        "auth.email_confirm": Success("", {"token": world.email_changes[0]}),
        "auth.email_refuse": Success("", {"token": world.email_changes[1]}),
        "auth.me": Success(),
        "auth.logout": Success(),
        "auth.password": Success(body={"current": PASSWORD, "password": PASSWORD}),
        "factors.show": Success(),
        "totp.enrol": Success(),
        "totp.confirm": Success(world.factors.uma, lambda: {"code": world.factors.app.code()}),
        "auth.second_factor": Success("", {"challenge": world.factors.challenge, "code": world.factors.codes[0]}),
        "auth.step_up": Success(world.factors.tess, {"code": world.factors.codes[1]}),
        "passkeys.begin": Success(world.factors.tess),
        "passkeys.create": Success(world.factors.tess, lambda: {"name": "Phone", "credential": made_passkey(world)}),
        "passkeys.list": Success(world.factors.tess),
        "passkeys.rename": Success(world.factors.tess, {"name": "Telephone"}),
        "auth.step_up_options": Success(world.factors.tess),
        "auth.passkey_options": Success(""),
        "auth.passkey": Success("", lambda: {"credential": signed_by_passkey(world)}),
        "passkeys.remove": Success(world.factors.tess),
        "recovery_codes.create": Success(world.factors.tess),
        "totp.remove": Success(world.factors.tess, {"password": PASSWORD}),
        "sessions.list": Success(),
        "sessions.end": Success(),
        "sessions.end_many": Success(),
        "auth.personal_data": Success("yara", {"current": PASSWORD}),
        "auth.erase": Success("yara", {"current": PASSWORD}),
        "auth.keep": Success("yara"),
        "tenants.create": Success("yara", {"name": "Yara's"}),
        "tenants.list": Success(),
        "tenants.show": Success(),
        "tenants.export": Success(),
        "tenants.set_clock": Success(body=stopped, tenant="box"),
        "members.list": Success(),
        "members.remove": Success(),
        "invitations.create": Success(body={"email": "frank@example.com", "role": "admin"}),
        "invitations.list": Success(),
        "invitations.open": Success("", {"token": world.invited}),
        "invitations.join": Success("", {"token": world.joining, "name": "Gil", "password": PASSWORD}),
        "invitations.resend": Success(),
        "invitations.revoke": Success(),
        "invitations.accept": Success("dora", {"token": world.invited}),
        "auth.sso_join": Success("", {"token": world.oidc_links[0]}),
        "auth.sso_link": Success(body={"token": world.oidc_links[1]}),
        "roles.create": Success(body={"name": "day_watch", "permissions": ["usage:read"]}),
        "roles.list": Success(),
        "roles.change": Success(body={"permissions": ["tenant:read"]}),
        "roles.delete": Success(),
        "tenants.oidc.set": Success(
            body={"issuer": world.issuer, "client_id": "veloflux", "domains": ["example.com"], "client_secret": "-"}
        ),
        "tenants.oidc.show": Success(),
        "tenants.oidc.test": Success(),
        "tenants.oidc.remove": Success(),
        "api_keys.create": Success(body={"name": "server"}),
        "api_keys.rotate": Success(body={"overlap_s": 60}),
        "api_keys.list": Success(),
        "api_keys.revoke": Success(),
        "tokens.create": Success(body={"permissions": ["usage:read"], "subject": "user-1"}),
        "tokens.list": Success(),
        "tokens.revoke": Success(),
        "plans.list": Success(),
        "plans.apply": Success("olivia", catalogue_with("Basic")),
        "plans.rollout": Success("olivia"),
        "meters.list": Success("olivia"),
        "meters.add": Success("olivia", {"name": "gb", "event_type": "e", "aggregation": "count", "unit": "GB"}),
        "meters.change": Success("olivia", {**COUNTS_REQUESTS, "display_name": "Requests"}),
        "events.record": Success(world.key, [event]),
        "events.list": Success(tenant="box"),
        "events.live": Success(tenant="box", query={"seconds": "0"}),
        "limits.check": Success(world.key, {"meter": "requests", "id": "2"}),
        "usage.near": Success("olivia"),
        "limits.list": Success(),
        "limits.explain": Success(body={"meter": "requests", "cost": 5, "address": "203.0.113.9"}),
        "usage.adjustments": Success(tenant="box"),
        "limits.reserve": Success(world.key, {"meter": "requests", "id": "3", "lease_s": 30}),
        "limits.commit": Success(world.key, {"cost": 2}),
        "limits.release": Success(world.key, {}),
        "reservations.list": Success(tenant="box"),
        "reservations.commit": Success(body={"cost": 1}, tenant="box"),
        "reservations.release": Success(tenant="box"),
        "usage.read": Success(query={"window": "hour"}, tenant="box"),
        "usage.export": Success(query={"format": "json"}, tenant="box"),
        "audit.list": Success(),
        "outbox.list": Success("olivia"),
        "outbox.show": Success("olivia"),
        "jobs.list": Success("olivia", query={"owner": world.ids["owner"]}),
        "jobs.retry": Success("olivia"),
        "api_keys.revoke_leaked": Success("olivia", {"prefix": world.key}),
        "members.set_role": Success(body={"role": "viewer"}, tenant="box"),
        "members.transfer_ownership": Success(tenant="box"),
        "users.list": Success("olivia", query={"q": "ALI"}),
        "users.show": Success("olivia"),
        "users.create": Success("olivia", {"name": "Ivo", "email": "ivo@example.com"}),
        "users.rename": Success("olivia", {"name": "Roberto"}),
        "users.impersonate": Success("olivia", {"reason": "Ticket 1"}),
        "users.stop_impersonating": Success("impersonated"),
        "users.end_sessions": Success("olivia"),
        "users.disable": Success("olivia"),
        "users.enable": Success("olivia"),
        "tenants.show_record": Success(),
        "tenants.change_record": Success(body={"legal_name": "Acme Ltda.", "tax_id": "12.ABC.345/01DE-35"}),
        "tenants.rename": Success(body={"name": "Acme Brasil"}),
        "tenants.require_second_factor": Success(body={"required": False}),
        "tenants.set_failure_policy": Success(body={"fails_open": True}),
        "tenants.set_zone": Success("olivia", {"zone": "Europe/Paris"}),
        "tenants.set_billing_anchor": Success("olivia", {"anchor": "2026-01-31"}),
        "tenants.set_origins": Success(body={"origins": ["https://app.example.com"]}),
        "tenants.change_plan": Success("olivia", {"plan": "pro"}),
        "overrides.set": Success("olivia", {"kind": "quota", "name": "requests", "value": 5}),
        "overrides.list": Success(),
        "overrides.remove": Success("olivia"),
        "credits.grant": Success("olivia", {"meter": "requests", "amount": 5}),
        "credits.list": Success(),
        "credits.void": Success("olivia"),
        "ledger.balances": Success(query={"through": "2026-11-22"}),
        "ledger.postings": Success(),
        "ledger.export_postings": Success(query={"format": "json"}),
        "ledger.export_balances": Success(query={"format": "json"}),
        "invoices.list": Success(),
        "invoices.show": Success(),
        "invoices.pdf": Success(),
        "invoices.send": Success("olivia"),
        "fiscal.show": Success(),
        "fiscal.pdf": Success(),
        "fiscal.xml": Success(),
        "fiscal.retry": Success("olivia"),
        "fiscal.cancel": Success("olivia", {"reason": "Emitida em duplicidade"}),
        "credit_notes.list": Success(tenant="box"),
        "credit_notes.show": Success(tenant="box"),
        "credit_notes.pdf": Success(tenant="box"),
        "billing.set": Success("olivia", {"days_to_pay": 14}),
        "billing.show": Success(),
        "invoices.create": Success("olivia", {"items": [TRAINING]}),
        "wallet.top_up": Success("olivia", {"amount": 500, "currency": "BRL", "id": "E1"}),
        "wallet.give": Success("olivia", {"amount": 500, "currency": "BRL"}),
        "wallet.show": Success(),
        "wallet.take": Success("olivia", {"amount": 50, "currency": "BRL"}),
        "payments.list": Success(),
        "invoices.apply_wallet": Success("olivia", {"amount": 5}),
        "invoices.pay": Success("olivia", {"amount": 100, "reference": "E2"}),
        "invoices.prove_withheld": Success("olivia", {"document": "DARF 1", "date": "2026-11-20", "amount": 50}),
        "invoices.withheld": Success(),
        "invoices.credit": Success("olivia", {"lines": [{"line": 0, "amount": 100}]}),
        "invoices.write_off": Success("olivia"),
        "invoices.void": Success("olivia"),
        "subscriptions.add_item": Success("olivia", TRAINING),
        "subscriptions.attach_coupon": Success("olivia", {"coupon": "spring"}),
        "subscriptions.detach_coupon": Success("olivia"),
        "subscriptions.list": Success(),
        "subscriptions.show": Success(),
        "subscriptions.start": Success("olivia", {"plan": "free", "main": False}),
        "subscriptions.undo_cancel": Success("olivia"),
        "subscriptions.set_trial_end": Success("olivia", {"at": None}),
        "subscriptions.preview": Success(body={"plan": "enterprise"}),
        "subscriptions.change": Success("olivia", {"plan": "enterprise", "when": "period_end"}),
        "subscriptions.undo_change": Success("olivia"),
        "subscriptions.limit_spend": Success("olivia", {"alerts": [1000]}),
        "subscriptions.spend": Success(),
        "subscriptions.cost": Success(),
        "subscriptions.pause": Success("olivia", {}),
        "subscriptions.resume": Success("olivia"),
        "subscriptions.cancel": Success("olivia", {"now": True}),
        "subscriptions.reactivate": Success("olivia"),
        "tenants.suspend": Success("olivia", {"reason": "overdue"}),
        "tenants.resume": Success("olivia"),
        "tenants.archive": Success(),
        "tenants.restore": Success(),
        "tenants.delete": Success(body={"confirm": "acme"}),
        "users.remove_factors": Success("olivia"),
        "users.delete": Success("olivia"),
    }


_tokens: dict[str, str] = {}


def sign_in(url: str, name: str) -> str:
    """The token of somebody's session: of the last one, while it lives."""
    kept = authorization(_tokens.get(name, ""))
    if httpx2.get(f"{url}/api/auth/me", headers=kept, timeout=30).status_code != 200:
        account = {"email": cast.email(name), "password": PASSWORD}
        _tokens[name] = str(httpx2.post(f"{url}/api/auth/login", json=account, timeout=30).json()["token"])
    return _tokens[name]


def authorization(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def catalogue_with(name: str) -> dict[str, Any]:
    """The shipped catalogue, whose first plan is called otherwise, with a coupon."""
    found: dict[str, Any] = msgspec.to_builtins(catalogue())
    found["plans"][0]["name"] = name
    found["coupons"] = [{"id": "spring", "name": "Spring", "percent": "10"}]
    return found


def made_passkey(world: World) -> dict[str, Any]:
    asked = httpx2.post(f"{world.url}/api/auth/passkeys/options", headers=authorization(world.factors.tess), timeout=30)
    return world.factors.phone.create(asked.json())


def signed_by_passkey(world: World) -> dict[str, Any]:
    return world.factors.phone.get(httpx2.post(f"{world.url}/api/auth/passkey/options", timeout=30).json())


def token(url: str, actor: str) -> str:
    return actor if not actor or actor.startswith("vf_") or "." in actor else sign_in(url, actor)


def impersonation(world: World) -> str:
    """The token by which olivia acts as bob."""
    path = f"{world.url}/api/admin/users/{world.ids['user']}/impersonate"
    operator = authorization(sign_in(world.url, "olivia"))
    return str(httpx2.post(path, json={"reason": "Ticket 2"}, headers=operator, timeout=30).json()["token"])


def person(url: str, name: str) -> str:
    """The id of somebody."""
    me = httpx2.get(f"{url}/api/auth/me", headers=authorization(sign_in(url, name)), timeout=30)
    return str(me.json()["id"])


def reserved(world: World) -> str:
    """The id of a new reservation."""
    asked = {"meter": "requests"}
    answer = httpx2.post(f"{world.url}/api/reservations", json=asked, headers=authorization(world.key), timeout=30)
    return str(answer.json()["id"])


def invoiced(world: World) -> str:
    """The id of a new invoice."""
    path, operator = f"{world.url}/api/tenants/acme/invoices", authorization(sign_in(world.url, "olivia"))
    return str(httpx2.post(path, json={"items": [TRAINING]}, headers=operator, timeout=30).json()["id"])


def written_message(url: str) -> str:
    """The id of a message that the worker wrote to the outbox."""
    found: list[dict[str, str]] = []

    def written() -> bool:
        found.extend(httpx2.get(f"{url}/api/outbox", headers=operator, timeout=30).json()["items"])
        return bool(found)

    operator = authorization(sign_in(url, "olivia"))
    wait_for(written, "a message in the outbox")
    return found[0]["id"]
