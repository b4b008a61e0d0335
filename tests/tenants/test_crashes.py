"""A process that dies after any of its writes, or hears nothing of it, leaves nothing that the outbox does not mend."""

import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any, NamedTuple

import msgspec
import pytest
import pytest_asyncio

from tests import at_rest, cast, image, servers, tape
from tests.conftest import parts_on
from tests.identity import links
from tests.tape import Fate
from tests.tenants import invariants
from tests.tenants.invariants import Found
from tests.tenants.signing_in import oidc_link
from veloflux import identity, personal_data, tenants
from veloflux.context import PLATFORM, Actor, Context
from veloflux.db import client, names
from veloflux.errors import (
    AlreadyDone,
    Conflict,
    LinkExpired,
    NameTaken,
    NotFound,
    PermissionDenied,
    Unavailable,
    VeloFluxError,
)
from veloflux.limits.change_plan import change_plan
from veloflux.limits.credits import grant_credit, list_grants, void_grant
from veloflux.limits.grant import Terms
from veloflux.limits.overrides import remove_override, set_override
from veloflux.plans import Meter, Override, catalogue
from veloflux.tenants import ROLES

FATES: tuple[Fate, ...] = ("dies", "loses_the_answer", "does_not_reach_redis")

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Stage(NamedTuple):
    """Alice owns Acme, where bob is a member and erin an admin; dora is invited; yara has asked for an account; bob has
    asked for another address, and has approved it by the link to the present one; ana comes from Acme's provider.
    """

    ctx: Context
    alice: Context
    acme: Context
    bob: str
    erin: Context
    dora: Context
    invitation: str
    invited: str
    link: str
    email_change: str
    oidc_link: str


class Operation(NamedTuple):
    """`again` is what it may say when it was done before; `events` what it records once, however often it is tried."""

    act: Callable[[Stage], Awaitable[Any]]
    again: tuple[type[VeloFluxError], ...]
    events: tuple[str, ...]
    before: Callable[[Stage], Awaitable[Any]] | None = None


def ungraced(ctx: Context) -> Context:
    settings = msgspec.structs.replace(ctx.settings, tenant_grace_days=0, erasure_grace_days=0)
    return msgspec.structs.replace(ctx, parts=msgspec.structs.replace(ctx.parts, settings=settings))


async def make_operators(at: Stage) -> None:
    for name in ("olivia", "otto"):
        await cast.operator(at.ctx, name)


async def set_platform_role(at: Stage) -> None:
    ruling = at.ctx.within(tenants.scope_of(await tenants.find(at.ctx, PLATFORM)), ROLES["operator"])
    otto = await identity.find_by_email(at.ctx, identity.parse_email(cast.email("otto")))
    assert otto
    await tenants.set_member_role(ruling, otto.id, "support")


MORE = Override(kind="quota", name="requests", value=50_000)
STORED = Meter(name="gb", event_type="stored", aggregation="sum", value_property="gb", unit="GB")
LESS = msgspec.structs.replace(catalogue(), plans=catalogue().plans[:2])


async def grant(at: Stage) -> None:
    await grant_credit(at.acme, Terms(meter="requests", amount=5))


async def void_the_newest(at: Stage) -> None:
    [newest] = (await list_grants(at.acme)).items
    await void_grant(at.acme, newest.id)


OPERATIONS = {
    "accept an invitation": Operation(
        lambda at: tenants.accept_invitation(at.dora, at.invited), (Conflict,), ("invitation.accepted", "member.joined")
    ),
    "invite": Operation(lambda at: tenants.invite(at.acme, "new@example.com", "viewer"), (), ()),
    "remove a member": Operation(lambda at: tenants.remove_member(at.acme, at.bob), (NotFound,), ("member.removed",)),
    "leave": Operation(
        lambda at: tenants.remove_member(at.erin, at.erin.actor.person), (NotFound,), ("member.removed",)
    ),
    "transfer the ownership": Operation(
        lambda at: tenants.transfer_ownership(at.acme, at.bob), (PermissionDenied,), ("ownership.transferred",)
    ),
    "create a tenant": Operation(
        lambda at: tenants.create_tenant(at.alice, "Novelty"), (NameTaken,), ("tenant.created", "member.joined")
    ),
    "rename": Operation(lambda at: tenants.rename_tenant(at.acme, slug="another"), (), ("tenant.renamed",)),
    "suspend": Operation(lambda at: tenants.suspend_tenant(at.acme, "overdue"), (Conflict,), ("tenant.suspended",)),
    "archive": Operation(lambda at: tenants.archive_tenant(at.acme), (Conflict,), ("tenant.archived",)),
    "restore": Operation(
        lambda at: tenants.restore_tenant(at.acme),
        (Conflict,),
        ("tenant.restored",),
        lambda at: tenants.archive_tenant(at.acme),
    ),
    "delete": Operation(lambda at: tenants.delete_tenant(at.acme, "acme"), (Conflict,), ("tenant.deletion_requested",)),
    "delete for good": Operation(
        lambda at: tenants.delete_tenant(ungraced(at.acme), "acme"), (VeloFluxError,), ("tenant.deletion_requested",)
    ),
    "ask for an account": Operation(
        lambda at: identity.start_registration(
            cast.fresh(at.ctx), name="Zoe", email=cast.email("zoe"), password=cast.PASSWORD
        ),
        (),
        (),
    ),
    "confirm an account": Operation(
        lambda at: identity.confirm_registration(cast.fresh(at.ctx), at.link), (AlreadyDone,), ("user.registered",)
    ),
    "become an operator": Operation(
        lambda at: tenants.create_operator(
            at.ctx, None, name="Olivia", email=cast.email("olivia"), password=cast.PASSWORD
        ),
        (Conflict,),
        ("user.registered", "operator.created"),
    ),
    "change a platform role": Operation(set_platform_role, (), ("member.role_changed",), make_operators),
    "change the e-mail": Operation(
        lambda at: identity.confirm_email_change(cast.fresh(at.ctx), at.email_change),
        (LinkExpired, AlreadyDone),
        ("user.email_changed",),
    ),
    "erase a person": Operation(
        lambda at: personal_data.request_erasure(ungraced(at.ctx), at.bob),
        (Conflict,),
        ("user.erasure_requested", "user.erasure_started", "member.removed", "user.erased"),
    ),
    "send an invitation again": Operation(lambda at: tenants.resend_invitation(at.acme, at.invitation), (), ()),
    "create a role": Operation(
        lambda at: tenants.create_role(at.acme, "night_watch", ["usage:read"]), (NameTaken,), ("role.created",)
    ),
    "change a role": Operation(
        lambda at: tenants.change_role(at.acme, "day_watch", ["tenant:read"]), (), ("role.changed",)
    ),
    "delete a role": Operation(lambda at: tenants.delete_role(at.acme, "day_watch"), (NotFound,), ("role.deleted",)),
    "join by a company's link": Operation(
        lambda at: tenants.join_by_oidc_link(cast.fresh(at.ctx), at.oidc_link),
        (LinkExpired,),
        ("user.registered", "oidc.linked"),
    ),
    "grant credit": Operation(
        lambda at: grant_credit(at.acme, Terms(meter="requests", amount=5, recurrence="month")), (), ()
    ),
    "void credit": Operation(void_the_newest, (AlreadyDone,), ("credit.voided",), grant),
    "change the record": Operation(
        lambda at: tenants.change_record(at.acme, tenants.RecordChange(city="Recife")), (), ("tenant.record_changed",)
    ),
    "change the failure policy": Operation(
        lambda at: tenants.set_failure_policy(at.acme, fails_open=True), (), ("tenant.failure_policy_set",)
    ),
    "move the billing anchor": Operation(
        lambda at: tenants.set_billing_anchor(at.acme, date(2026, 1, 31)), (), ("tenant.billing_anchor_set",)
    ),
    "change the plan": Operation(lambda at: change_plan(at.acme, "pro"), (), ("tenant.plan_changed",)),
    "set an override": Operation(lambda at: set_override(at.acme, MORE), (), ("override.set",)),
    "remove an override": Operation(
        lambda at: remove_override(at.acme, MORE.key),
        (NotFound,),
        ("override.removed",),
        lambda at: set_override(at.acme, MORE),
    ),
    "apply a catalogue": Operation(lambda at: tenants.apply_catalogue(at.ctx, LESS), (), ("catalogue.changed",)),
    "add a meter": Operation(lambda at: tenants.add_meter(at.ctx, STORED), (Conflict,), ("catalogue.changed",)),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def assembled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    with servers.standalone() as server:
        db = await client.connect(server.url, 20_000)
        yield await _assembled(
            Context(parts=parts_on(db, tmp_path_factory.mktemp("crashes")), actor=Actor(id="cli:test"))
        )
        await db.close()


@pytest_asyncio.fixture(loop_scope="module")
async def stage(assembled: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(names, "PENDING_MS", 0)  # or whoever tries again would have to wait
    before = await image.take(assembled.ctx.db)
    yield assembled
    await image.put_back(assembled.ctx.db, before)


async def _assembled(ctx: Context) -> Stage:
    scene = await cast.assemble(ctx)
    acme = await cast.within(scene.alice, scene.acme)
    erin, dora = await cast.person(ctx, "erin"), await cast.person(ctx, "dora")
    await cast.join(acme, erin, "admin")
    invited = await tenants.invite(acme, cast.email("dora"), "member")
    await identity.start_registration(cast.fresh(ctx), name="Yara", email=cast.email("yara"), password=cast.PASSWORD)
    await tenants.create_role(acme, "day_watch", ["usage:read"])
    bob = scene.bob.actor.person
    await identity.request_email_change(scene.bob, "new-bob@example.com", cast.PASSWORD)
    email_change, approval = await links.of_email_change(ctx, bob)
    await identity.confirm_email_change(cast.fresh(ctx), approval)
    return Stage(
        ctx=ctx,
        alice=scene.alice,
        acme=acme,
        bob=bob,
        erin=await cast.within(erin, scene.acme),
        dora=dora,
        invitation=invited.id,
        invited=cast.token(acme, invited.id),
        link=await links.of_registration(ctx),
        email_change=email_change,
        oidc_link=await oidc_link(acme, cast.email("ana")),
    )


@pytest.mark.parametrize("name", OPERATIONS)
async def test_whatever_write_is_the_last_one_the_outbox_mends_it_and_who_tries_again_is_done(
    stage: Stage, name: str
) -> None:
    operation, parts = OPERATIONS[name], stage.ctx.parts
    before, counted = await _prepared(stage, operation)
    for fate in FATES:
        for count in itertools.count():
            what = f"{name}: {fate} after {count} writes"
            with tape.cut(parts.db, count, fate) as cut, contextlib.suppress(Unavailable):
                await operation.act(stage)
            found = await _at_rest(stage, what)
            if cut.struck:
                with contextlib.suppress(*operation.again):
                    await operation.act(stage)
                found = await _at_rest(stage, f"{what}, then again")
            _check_events(found, operation, counted, what)
            await image.put_back(parts.db, before)
            if not cut.struck:
                break
        assert count > 0


@pytest.mark.parametrize("name", OPERATIONS)
async def test_wherever_a_worker_dies_the_next_one_ends_its_work(stage: Stage, name: str) -> None:
    operation, parts = OPERATIONS[name], stage.ctx.parts
    _, counted = await _prepared(stage, operation)
    await operation.act(stage)
    done = await image.take(parts.db)
    for count in itertools.count():
        with tape.cut(parts.db, count, "dies") as cut:
            await at_rest.reach(parts)
        if not cut.struck:
            break
        await at_rest.let_leases_end(parts)
        what = f"{name}: the worker died after {count} writes"
        _check_events(await _at_rest(stage, what), operation, counted, what)
        await image.put_back(parts.db, done)
    assert count > 0


async def _prepared(stage: Stage, operation: Operation) -> tuple[image.Image, Counter[str]]:
    """The database before the operation, and the events in it."""
    if operation.before:
        await operation.before(stage)
    found = await _at_rest(stage, "before")
    return await image.take(stage.ctx.db), found.events


async def _at_rest(stage: Stage, what: str) -> Found:
    await at_rest.reach(stage.ctx.parts)
    found = await invariants.read(stage.ctx.db)
    assert found.broken == [], what
    return found


def _check_events(found: Found, operation: Operation, counted: Counter[str], what: str) -> None:
    new = found.events - counted
    assert {name: new[name] for name in operation.events} == dict.fromkeys(operation.events, 1), what
