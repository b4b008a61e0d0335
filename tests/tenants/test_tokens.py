"""Short-lived tokens for a tenant's own front end."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from tests import cast, customers
from tests.identity.calls import calls_of
from tests.whole_database import keys_holding
from veloflux import audit, tenants, users
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import (
    Conflict,
    ImpersonationForbids,
    InputInvalid,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    TenantSuspended,
)
from veloflux.kit import clock
from veloflux.tenants import NewApiKey
from veloflux.tenants.model import NewToken
from veloflux.tenants.permissions import OUTLASTING, ROLES

READ = ["usage:read"]


async def server(ctx: Context, acme: Context, **terms: object) -> tuple[NewApiKey, Context]:
    """A secret key of the tenant, and the context within it in which it acts."""
    new = await customers.key(acme, **terms)
    return new, await entered(ctx, acme.tenant, new.token)


async def entered(ctx: Context, tenant: str, token: str, permission: str = "tenant:read") -> Context:
    """The context within a tenant in which a token acts."""
    actor = await tenants.authenticate_api_key(ctx.parts, token, "203.0.113.9")
    return await tenants.authorise(ctx.acting(actor), tenant, permission)


async def refused(ctx: Context, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        await tenants.authenticate_api_key(ctx.parts, token)


async def test_it_may_what_it_was_given_and_nothing_else_until_its_end(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    key, own = await server(ctx, acme)
    new = await tenants.create_token(own, ["usage:read", "usage:read"], lifetime_s=60, subject="customer 7")
    assert new.token.startswith(f"vf_tok_{acme.tenant[4:]}_{key.key.id.replace('_', '')}_")
    assert (new.shown.permissions, new.shown.made_by) == (("usage:read",), key.key.id)
    inside = await entered(ctx, acme.tenant, new.token, "usage:read")
    assert (inside.actor.id, inside.permissions) == (new.shown.id, frozenset(READ))
    with pytest.raises(PermissionDenied):
        await entered(ctx, acme.tenant, new.token, "usage:write")
    path = keys.token(acme.tenant, new.shown.id)
    assert 0 < await ctx.db.call("PTTL", path) <= 60_000
    assert await keys_holding(ctx.db, new.token.rpartition("_")[2]) == set()
    await ctx.db.call("HSET", path, "expires_at", clock.now_ms())
    await refused(ctx, new.token)
    await ctx.db.call("DEL", path)
    await refused(ctx, new.token)


async def test_nobody_gives_what_they_lack_or_what_would_outlast_it(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    _, own = await server(ctx, acme, permissions=("tenant:read", "usage:write", "tokens:write"))
    with pytest.raises(PermissionDenied):
        await tenants.create_token(own, READ)
    for one in sorted(OUTLASTING):
        with pytest.raises(InputInvalid):
            await tenants.create_token(acme, [one])
    assert not OUTLASTING & ROLES["viewer"]


@pytest.mark.parametrize(
    ("permissions", "lifetime_s", "subject"),
    [([], 60, ""), (READ, 0, ""), (READ, 86_401, ""), (READ, 60, "x" * 101), (READ, 60, "a\nb")],
)
async def test_what_is_wrong_makes_none(
    one_ctx: Context, permissions: list[str], lifetime_s: int, subject: str
) -> None:
    acme = await customers.customer(one_ctx)
    with pytest.raises(InputInvalid):
        await tenants.create_token(acme, permissions, lifetime_s=lifetime_s, subject=subject)
    assert (await tenants.list_tokens(acme)).items == []


async def test_only_who_is_of_the_tenant_itself_makes_one(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    olivia = await cast.operator(ctx)
    with pytest.raises(PermissionDenied):
        await tenants.create_token(await cast.within(olivia, scene.acme), READ)
    service = await tenants.authenticate_api_key(ctx.parts, await customers.service_key(ctx))
    with pytest.raises(PermissionDenied):
        await tenants.create_token(await tenants.authorise(ctx.acting(service), "acme", "tokens:write"), READ)
    with pytest.raises(Conflict):
        await tenants.create_token(customers.of(ctx, await tenants.find(ctx, PLATFORM)), READ)
    alices = await tenants.create_token(await cast.within(scene.alice, scene.acme), READ)
    actor = await tenants.authenticate_api_key(ctx.parts, alices.token)
    with pytest.raises(PermissionDenied):
        await tenants.authorise(ctx.acting(actor), "acme", "tokens:write")


async def test_another_tenants_token_finds_nothing_and_a_changed_one_is_none(ctx: Context) -> None:
    acme, globex = await customers.customer(ctx), await customers.customer(ctx, "Globex")
    key, own = await server(ctx, acme)
    other, _ = await server(ctx, acme)
    token = (await tenants.create_token(own, READ)).token
    with pytest.raises(NotFound):
        await entered(ctx, globex.tenant, token, "usage:read")
    bare, of_other = key.key.id.replace("_", ""), other.key.id.replace("_", "")
    for forged in (
        token.replace(acme.tenant[4:], globex.tenant[4:]),
        token.replace(bare, of_other),
        token.replace(bare, "cli"),
        token.replace(bare, "usr1"),
        token[:-1] + ("b" if token[-1] == "a" else "a"),
        token + "\n",
        "vf_tok_",
        key.token.replace("vf_test_", "vf_tok_"),
    ):
        await refused(ctx, forged)
    with pytest.raises(NotFound):
        await tenants.revoke_token(globex, (await tenants.list_tokens(acme)).items[0].id)


async def _revoke_key(acme: Context, key: NewApiKey, _new: NewToken) -> None:
    await tenants.revoke_api_key(acme, key.key.id)


async def _expire_key(acme: Context, key: NewApiKey, _new: NewToken) -> None:
    await customers.expire(acme, key)


async def _rotate_key(acme: Context, key: NewApiKey, _new: NewToken) -> None:
    await tenants.rotate_api_key(acme, key.key.id)


async def _revoke(acme: Context, _key: NewApiKey, new: NewToken) -> None:
    await tenants.revoke_token(acme, new.shown.id)
    with pytest.raises(NotFound):
        await tenants.revoke_token(acme, new.shown.id)


@pytest.mark.parametrize("end", [_revoke_key, _expire_key, _rotate_key, _revoke])
async def test_it_ends_at_once_with_its_key_and_when_it_is_revoked(
    ctx: Context, end: Callable[[Context, NewApiKey, NewToken], Awaitable[None]]
) -> None:
    acme = await customers.customer(ctx)
    key, own = await server(ctx, acme)
    new = await tenants.create_token(own, READ)
    assert await entered(ctx, acme.tenant, new.token, "usage:read")
    await end(acme, key, new)
    await refused(ctx, new.token)


async def test_it_loses_what_its_maker_loses(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    acme = await cast.within(scene.alice, scene.acme)
    await tenants.create_role(acme, "front", ["usage:read", "tenant:read", "tokens:write"])
    acme = await cast.within(scene.alice, scene.acme)
    _, own = await server(ctx, acme, role="front")
    new = await tenants.create_token(own, ["usage:read", "tenant:read"])
    await tenants.change_role(acme, "front", permissions=["tenant:read", "tokens:write"])
    assert (await entered(ctx, acme.tenant, new.token)).permissions == {"tenant:read"}
    with pytest.raises(PermissionDenied):
        await entered(ctx, acme.tenant, new.token, "usage:read")


async def test_it_ends_with_the_membership_for_good_and_with_the_account(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    acme, bob = await cast.within(scene.alice, scene.acme), scene.bob.actor.person
    before = await tenants.create_token(await cast.within(scene.bob, scene.acme), READ)
    assert await entered(ctx, acme.tenant, before.token, "usage:read")
    await tenants.remove_member(acme, bob)
    await refused(ctx, before.token)
    await cast.join(acme, scene.bob, "member")
    await refused(ctx, before.token)
    after = await tenants.create_token(await cast.within(scene.bob, scene.acme), READ)
    assert await entered(ctx, acme.tenant, after.token, "usage:read")
    await users.disable_person(await cast.operator(ctx), bob)
    await refused(ctx, after.token)


async def test_a_suspended_tenants_token_may_nothing(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    _, own = await server(ctx, acme)
    new = await tenants.create_token(own, READ)
    await tenants.suspend_tenant(acme, "overdue")
    with pytest.raises(TenantSuspended):
        await entered(ctx, acme.tenant, new.token, "usage:read")


async def test_of_a_token_and_the_end_of_its_key_at_once_nothing_is_left(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    key, own = await server(ctx, acme)
    made, *_ = await asyncio.gather(
        tenants.create_token(own, READ), tenants.revoke_api_key(acme, key.key.id), return_exceptions=True
    )
    assert isinstance(made, NewToken | PermissionDenied)
    if isinstance(made, NewToken):
        await refused(ctx, made.token)


async def test_of_two_who_revoke_it_at_once_one_does(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    new = await tenants.create_token(acme, READ)
    twice = await asyncio.gather(*(tenants.revoke_token(acme, new.shown.id) for _ in range(2)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in twice) == ["NoneType", "NotFound"]
    await refused(ctx, new.token)


async def test_who_may_less_than_it_does_not_revoke_it(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    new = await tenants.create_token(acme, ["tenant:write"])
    _, own = await server(ctx, acme)
    with pytest.raises(PermissionDenied):
        await tenants.revoke_token(own, new.shown.id)
    assert await entered(ctx, acme.tenant, new.token, "tenant:write")


async def test_what_is_over_leaves_the_list(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    first = await tenants.create_token(acme, READ)
    await ctx.db.call("DEL", keys.token(acme.tenant, first.shown.id))
    await ctx.db.call("ZADD", keys.tokens(acme.tenant), 1, first.shown.id)
    second = await tenants.create_token(acme, READ)
    assert (await tenants.list_tokens(acme)).items == [second.shown]
    assert await ctx.db.call("ZRANGE", keys.tokens(acme.tenant), 0, -1) == [second.shown.id]


async def test_the_trail_shows_for_whom_and_keeps_it_sealed(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    new = await tenants.create_token(acme, ["tenant:write"], subject="customer 7")
    inside = await entered(ctx, acme.tenant, new.token, "tenant:write")
    await tenants.set_origins(inside, ["https://app.example"])
    entry = (await audit.list_trail(acme)).items[0]
    assert (entry.actor, entry.subject) == (new.shown.id, "customer 7")
    assert "customer 7" not in str(await ctx.db.call("XRANGE", keys.events(acme.tenant), "-", "+"))


async def test_who_acts_as_somebody_else_makes_none(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    actor = msgspec.structs.replace(scene.alice.actor, impersonator="usr_1", impersonation="imp_1")
    with pytest.raises(ImpersonationForbids):
        await tenants.authorise(ctx.acting(actor), "acme", "tokens:write")


async def test_it_costs_a_key_one_document_more_asked_at_the_same_time(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = await customers.customer(one_ctx)
    key, own = await server(one_ctx, acme)
    new = await tenants.create_token(own, READ)
    with calls_of(one_ctx, monkeypatch) as of_key:
        await tenants.authenticate_api_key(one_ctx.parts, key.token)
    with calls_of(one_ctx, monkeypatch) as of_token:
        await tenants.authenticate_api_key(one_ctx.parts, new.token)
    assert (of_key, of_token) == (["EVALSHA"], ["EVALSHA", "HGETALL"])
