"""Every route against the OpenAPI document: requests that schemathesis makes up, and a success of each."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

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
from tests.billing import brazil
from tests.billing.billed import billed
from tests.cast import PASSWORD
from tests.identity import links
from tests.identity.apps import App, challenged, with_app
from tests.identity.authenticator import Authenticator
from tests.tenants.lying_provider import lying
from tests.tenants.signing_in import oidc_link
from tests.web.openapi_successes import (
    Factors,
    World,
    authorization,
    impersonation,
    invoiced,
    person,
    reserved,
    sign_in,
    successes,
    token,
    written_message,
)
from veloflux import identity, tenants
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.billing.profile import ProfileTerms, set_profile
from veloflux.billing.subscriptions.cancel import cancel
from veloflux.billing.subscriptions.items import ItemsInvoice, OneOff, invoice_items
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import JobDied
from veloflux.kit import clock
from veloflux.limits.credits import grant_credit
from veloflux.limits.grant import Terms
from veloflux.transaction import Transaction

EXAMPLES = 50
SHARES = 4
"""So many tests share the routes, for as many processes."""
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
    documents = await billed(customers.of(one_ctx, box))
    await set_profile(within, ProfileTerms(withholdings=(Withholding(name="IRRF", percent="1.5"),)))
    subscription = await start(within, Start(plan="pro", main=False, trial_days=14))
    await cancel(within, subscription.id)
    role = await tenants.create_role(within, "night_watch", ["usage:read"])
    return World(
        url=web,
        setup=link.rpartition("/")[2],
        key=key.token,
        service_key=await customers.service_key(one_ctx),
        ids={
            "invitation": revoked.id,
            "credit_note": documents.credit_note.id,
            "coupon": "spring",
            "declared": await brazil.planted(within),
            "rejected": await brazil.planted(within, "rejected"),
            "grant": (await grant_credit(within, Terms(meter="requests", amount=5))).id,
            "invoice": (await invoice_items(within, ItemsInvoice(items=(OneOff(name="Training", price="100"),)))).id,
            "job": await dead_job(one_ctx, scene.acme.id),
            "key": (await customers.key(within)).key.id,
            "meter": "requests",
            "override": "quota:requests:month",
            "owner": scene.acme.id,
            "role": role.name,
            "passkey": made.phone.passkey,
            "reservation": f"rsv_{'0' * 26}.requests",
            "session": spare.person.session,
            "subscription": subscription.id,
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
        kept.trust_env = False  # else it looks for proxies in the environment before each request
        yield kept


def operations(api: BaseSchema) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    found = [result.ok() for result in api.get_all_operations()]
    return {operation.definition.raw["operationId"]: operation for operation in found}


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
    operation: APIOperation[Any, Any, Any, Any], ids: dict[str, str], tokens: list[str], session: requests.Session
) -> Counter[int]:
    """Make many requests, each with every token ("": none); the statuses of their answers, each of which conforms to
    the document.

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
        for one in tokens:
            answer = case.call(headers=further | authorization(one), session=session)
            statuses[answer.status_code] += 1
            case.validate_response(answer, excluded_checks=excluded)
            assert one or is_public or answer.status_code >= 400, "nobody may do this"

    ask()
    return statuses


@pytest.mark.usefixtures("olivia")
@pytest.mark.parametrize("share", range(SHARES))
def test_no_answer_is_a_fault_or_undocumented_whoever_asks_whatever(
    world: World, api: BaseSchema, session: requests.Session, subtests: pytest.Subtests, share: int
) -> None:
    """Nobody, the operator, and the owner of a tenant."""
    for name, operation in list(operations(api).items())[share::SHARES]:
        with subtests.test(name):
            by_key = name in BY_KEY
            operator = world.service_key if by_key else sign_in(world.url, "olivia")
            owner = world.key if by_key else sign_in(world.url, "alice")
            statuses = try_out(operation, world.ids, ["", operator, owner], session)
            assert statuses.total() >= 3 * EXAMPLES


def test_every_route_has_a_success_as_documented(world: World, api: BaseSchema, session: requests.Session) -> None:
    documented, meant = operations(api), successes(world)
    assert meant.keys() == documented.keys(), "say above what succeeds there"
    for name, success in meant.items():
        operation, ids = documented[name], {**world.ids, "tenant": success.tenant}
        if name == "outbox.show":
            ids["message"] = written_message(world.url)
        actor = impersonation(world) if success.actor == "impersonated" else success.actor
        if name.endswith((".commit", ".release")):
            ids["reservation"] = reserved(world)
        if name.startswith("fiscal."):
            ids["invoice"] = ids["rejected" if name == "fiscal.retry" else "declared"]
        if name == "invoices.void":
            ids["invoice"] = invoiced(world)
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
