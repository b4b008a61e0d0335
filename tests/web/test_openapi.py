"""Every route against the OpenAPI document: requests that schemathesis makes up, and a success of each."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx2
import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core import NOT_SET
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests import cast, customers
from tests.cast import PASSWORD
from tests.identity import links
from tests.identity.apps import App, challenged, with_app
from tests.identity.authenticator import Authenticator
from tests.servers import wait_for
from tests.tenants.lying_provider import lying
from tests.tenants.signing_in import oidc_link
from veloflux import identity, tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import JobDied
from veloflux.kit import clock
from veloflux.limits.credits import grant_credit
from veloflux.limits.grant import Terms
from veloflux.plans import catalogue
from veloflux.transaction import Transaction

EXAMPLES = 50
BY_KEY = ("limits.check", "limits.reserve", "limits.commit", "limits.release", "events.record")
"""These are for programs, which have keys; people's sessions may use all others."""
HEADERS = ("accept", "accept-language", "cookie", "content-encoding", "if-none-match", "range", "x-forwarded-for")
MEANT = {
    "at": [clock.EARLIEST, clock.LATEST - 1],
    "cost": [1],
    "cursor": ["", "MQ", "MSAw"],
    "email": ["alice@example.com", "dora@example.com", "new@example.com"],
    "from": ["0001-01-01", "2015-05-17"],
    "meter": ["requests", "bytes"],
    "name": ["New"],
    "owner": ["ten_0"],
    "password": [PASSWORD],
    "plan": ["free", "pro"],
    "role": ["member", "owner", "operator"],
    "slug": ["acme", "another"],
    "to": ["2015-05-20", "9999-12-31"],
    "type": ["http.request"],
    "zone": ["UTC", "Asia/Tokyo"],
}
"""Values that mean something: made-up ones alone would seldom come past the first refusal."""


COUNTS_REQUESTS = {"name": "requests", "event_type": "http.request", "aggregation": "count", "unit": "count"}


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


@pytest.fixture
def issuer() -> Iterator[str]:
    with lying() as provider:
        yield provider.issuer


@pytest.fixture
async def world(web: str, one_ctx: Context, issuer: str) -> World:
    scene = await cast.assemble(one_ctx)
    link = await tenants.new_setup_link(one_ctx)
    assert link
    within = await cast.within(scene.alice, scene.acme)
    box = await tenants.create_tenant(scene.alice, "Box", mode="sandbox")
    await cast.join(await cast.within(scene.alice, box), scene.bob, "member")
    await cast.person(one_ctx, "dora")
    names = ("dora", "eve", "gil")
    invited, revoked, joining = [await tenants.invite(within, cast.email(name), "viewer") for name in names]
    key = await customers.key(customers.of(one_ctx, box))
    spare = await identity.log_in(cast.fresh(one_ctx), cast.email("alice"), PASSWORD)
    yara = {"name": "Yara", "email": cast.email("yara"), "password": PASSWORD}
    await identity.start_registration(one_ctx, **yara)
    await identity.request_password_reset(one_ctx, cast.email("mallory"))
    made = await factors(one_ctx, web)
    [reset] = await links.of_reset(one_ctx, scene.stranger.actor.person)
    email_changes = []
    for who in (scene.bob, scene.carol):
        await identity.request_email_change(who, f"new.{who.actor.person[4:]}@example.com", PASSWORD)
        email_changes += (await links.of_email_change(one_ctx, who.actor.person))[:1]
    role = await tenants.create_role(within, "night_watch", ["usage:read"])
    return World(
        url=web,
        setup=link.rpartition("/")[2],
        key=key.token,
        service_key=await customers.service_key(one_ctx),
        ids={
            "invitation": revoked.id,
            "grant": (await grant_credit(within, Terms(meter="requests", amount=5))).id,
            "job": await dead_job(one_ctx, scene.acme.id),
            "key": (await customers.key(within)).key.id,
            "meter": "requests",
            "override": "quota:requests:month",
            "owner": scene.acme.id,
            "role": role.name,
            "passkey": made.phone.passkey,
            "reservation": f"rsv_{'0' * 26}.requests",
            "session": spare.person.session,
            "tenant": "acme",
            "token": (await tenants.create_token(within, ["usage:read"])).shown.id,
            "user": scene.bob.actor.person,
        },
        invited=cast.token(within, invited.id),
        joining=cast.token(within, joining.id),
        verification=await links.of_registration(one_ctx),
        reset=reset,
        email_changes=email_changes,
        factors=made,
        oidc_links=[await oidc_link(within, cast.email(name)) for name in ("ana", "alice")],
        issuer=issuer,
    )


async def factors(ctx: Context, url: str) -> "Factors":
    signed_in = {}
    for name in ("tess", "uma"):
        await cast.person(ctx, name)
        signed_in[name] = await identity.log_in(cast.fresh(ctx), cast.email(name), PASSWORD)
    _, codes = await with_app(cast.acting(ctx, signed_in["tess"]))
    begun = await identity.enrol_totp(cast.acting(ctx, signed_in["uma"]))
    challenge = await challenged(ctx, "tess")
    return Factors(
        signed_in["tess"].token, challenge, codes, signed_in["uma"].token, App(begun.secret), Authenticator(url)
    )


async def dead_job(ctx: Context, owner: str) -> str:
    tx = Transaction(ctx, owner)
    job = tx.enqueue("nothing", {}, run_at=clock.now_ms() + clock.DAY_MS)
    tx.event(JobDied(job=job, kind="nothing", attempts=8))
    await tx.commit()
    await ctx.db.call("HSET", keys.job(owner, job), "state", "dead")
    return job


@pytest.fixture
async def olivia(world: World, one_ctx: Context) -> None:
    """The operator."""
    await cast.operator(one_ctx, "olivia")


@pytest.fixture
def api(web: str) -> BaseSchema:
    """The document of the running server."""
    schema = schemathesis.openapi.from_url(f"{web}/api/schema")
    schema.config.update(base_url=web)
    schema.config.generation.update(with_security_parameters=False)
    # That a text is an e-mail address, a cursor or an id of ours is more than a schema can say; who may what is checked
    # below, and in the wall's tests.
    schema.config.checks.update(excluded_check_names=["positive_data_acceptance", "ignored_auth"])
    return schema


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as kept:
        yield kept


def operations(api: BaseSchema) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    found = [result.ok() for result in api.get_all_operations()]
    return {operation.definition.raw["operationId"]: operation for operation in found}


def sign_in(url: str, name: str) -> str:
    answer = httpx2.post(f"{url}/api/auth/login", json={"email": cast.email(name), "password": PASSWORD}, timeout=30)
    return str(answer.json()["token"])


def authorization(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def cases(operation: APIOperation[Any, Any, Any, Any], ids: dict[str, str]) -> st.SearchStrategy[Case[Any]]:
    """A request that the document forbids, or one that it allows, in which some values mean something."""
    known = {**MEANT, **{name: [value] for name, value in ids.items()}, "tenant": ["acme", "box"]}
    forbidden = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    allowed = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)

    @st.composite
    def meaning(draw: st.DrawFn) -> Case[Any]:
        case = draw(allowed)
        for part in (case.path_parameters, case.query, *(case.body if isinstance(case.body, list) else [case.body])):
            for name in sorted(part.keys() & known.keys()) if isinstance(part, dict) else ():
                if draw(st.integers(0, 3)):
                    part[name] = draw(st.sampled_from(known[name]))
        return case

    return forbidden | meaning()


def headers() -> st.SearchStrategy[dict[str, str]]:
    """Header fields that no route asks for."""
    text = st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Zs"]), max_size=30)
    return st.dictionaries(st.sampled_from(HEADERS), text, max_size=2)


def try_out(
    operation: APIOperation[Any, Any, Any, Any], ids: dict[str, str], token: str, session: requests.Session
) -> Counter[int]:
    """Make many requests; the statuses of their answers, each of which conforms to the document.

    An array of events of which some are bad is accepted: the answer names the bad ones.
    """
    statuses: Counter[int] = Counter()
    is_public = "security" not in operation.definition.raw
    endless = operation.path.endswith("/live")
    excluded = [negative_data_rejection] if operation.path == "/api/events" or endless else []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation, ids), further=headers())
    def ask(case: Case[Any], further: dict[str, str]) -> None:
        if endless:
            case.query = {**(case.query if isinstance(case.query, dict) else {}), "seconds": 0}
        answer = case.call(headers=further | authorization(token), session=session)
        statuses[answer.status_code] += 1
        case.validate_response(answer, excluded_checks=excluded)
        assert token or is_public or answer.status_code >= 400, "nobody may do this"

    ask()
    return statuses


@pytest.mark.usefixtures("olivia")
@pytest.mark.parametrize("actor", ["nobody", "olivia", "alice"])
def test_no_answer_is_a_fault_or_undocumented_whoever_asks_whatever(
    world: World, api: BaseSchema, session: requests.Session, subtests: pytest.Subtests, actor: str
) -> None:
    keys_of = {"olivia": world.service_key, "alice": world.key}
    for name, operation in operations(api).items():
        with subtests.test(name):
            fresh = "" if actor == "nobody" else keys_of[actor] if name in BY_KEY else sign_in(world.url, actor)
            statuses = try_out(operation, world.ids, fresh, session)
            assert statuses.total() >= EXAMPLES


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
        "tenants.set_origins": Success(body={"origins": ["https://app.example.com"]}),
        "tenants.change_plan": Success("olivia", {"plan": "pro"}),
        "overrides.set": Success("olivia", {"kind": "quota", "name": "requests", "value": 5}),
        "overrides.list": Success(),
        "overrides.remove": Success("olivia"),
        "credits.grant": Success("olivia", {"meter": "requests", "amount": 5}),
        "credits.list": Success(),
        "credits.void": Success("olivia"),
        "tenants.suspend": Success("olivia", {"reason": "overdue"}),
        "tenants.resume": Success("olivia"),
        "tenants.archive": Success(),
        "tenants.restore": Success(),
        "tenants.delete": Success(body={"confirm": "acme"}),
        "users.remove_factors": Success("olivia"),
        "users.delete": Success("olivia"),
    }


def test_every_route_has_a_success_as_documented(world: World, api: BaseSchema, session: requests.Session) -> None:
    documented, meant = operations(api), successes(world)
    assert meant.keys() == documented.keys(), "say above what succeeds there"
    for name, success in meant.items():
        operation, ids = documented[name], {**world.ids, "tenant": success.tenant}
        if name == "outbox.show":
            ids["message"] = written_message(world.url)
        actor = impersonation(world) if success.actor == "impersonated" else success.actor
        if name in ("limits.commit", "limits.release"):
            ids["reservation"] = reserved(world)
        if name == "users.delete":
            ids["user"] = person(world.url, "dora")
        if name == "users.remove_factors":
            ids["user"] = f"usr_{world.factors.uma.partition('.')[0]}"
        body = success.body() if callable(success.body) else success.body
        case = operation.Case(
            path_parameters={parameter: ids[parameter] for parameter in re.findall(r"{(\w+)}", operation.path)},
            query=success.query,
            body=body if body is not None else NOT_SET,
            media_type="application/json" if body is not None else None,
        )
        answer = case.call(headers=authorization(token(world.url, actor)), session=session)
        assert 200 <= answer.status_code < 300, f"{name}: {answer.text}"
        case.validate_response(answer)


def catalogue_with(name: str) -> dict[str, Any]:
    """The shipped catalogue, whose first plan is called otherwise."""
    found: dict[str, Any] = msgspec.to_builtins(catalogue())
    found["plans"][0]["name"] = name
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


def written_message(url: str) -> str:
    """The id of a message that the worker wrote to the outbox."""
    found: list[dict[str, str]] = []

    def written() -> bool:
        found.extend(httpx2.get(f"{url}/api/outbox", headers=operator, timeout=30).json()["items"])
        return bool(found)

    operator = authorization(sign_in(url, "olivia"))
    wait_for(written, "a message in the outbox")
    return found[0]["id"]
