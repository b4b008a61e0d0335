import asyncio

import pytest

from tests import cast, customers
from tests.whole_database import keys_holding
from veloflux import tenants
from veloflux.context import PLATFORM, Context, Parts
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid, NotAuthenticated, NotFound, PermissionDenied
from veloflux.kit import clock, crypto, ids
from veloflux.tenants import KeyTerms

HOSTILE = [
    "",
    "vf_",
    "vf_live_",
    "vf_live_0_",
    "vf_live_0_" + "a" * 31,
    "vf_prod_0_" + "a" * 32,
    "vf_live_0}_" + "a" * 32,
]
HOSTILE += [
    "vf_live_" + "0" * 27 + "_" + "a" * 32,
    "vf_live_0_" + "A" * 32,
    "vf_live_0_" + "a" * 32 + "\n",
    "x" * 9_000,
    "\ud800",
]


@pytest.mark.parametrize("mode", ["live", "test"])
async def test_a_key_is_shown_once_and_works_until_it_is_revoked(ctx: Context, mode: str) -> None:
    made = await tenants.create_tenant(ctx, "Acme", mode="live" if mode == "live" else "sandbox")
    within = ctx.within(tenants.scope_of(made), tenants.EVERYTHING)
    new = await tenants.create_api_key(within, " my  server ")
    assert new.token.startswith(f"vf_{mode}_{ids.bare(made.id)}_")
    assert new.key.name == "my server"
    actor = await tenants.authenticate_api_key(ctx.parts, new.token, "203.0.113.9")
    assert (actor.id, actor.tenant, actor.role, actor.person) == (new.key.id, made.id, "member", "")
    for _ in range(2):
        revoked = await tenants.revoke_api_key(within, new.key.id)
        assert (revoked.status, revoked.revoked_at is None) == ("revoked", False)
    with pytest.raises(NotAuthenticated):
        await tenants.authenticate_api_key(ctx.parts, new.token)
    assert (await tenants.list_api_keys(within)).items == [revoked]


@pytest.mark.parametrize("token", HOSTILE)
async def test_a_token_of_another_form_is_no_key(one_parts: Parts, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        tenants.parse_api_key(token)
    with pytest.raises(NotAuthenticated):
        await tenants.authenticate_api_key(one_parts, token)


async def test_another_secret_another_tenant_or_the_other_mode_is_no_key(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    token = (await tenants.create_api_key(await cast.within(scene.alice, scene.acme), "key")).token
    other = ids.bare(scene.globex.id)
    changed = "b" if token[-1] == "a" else "a"
    forged = [token[:-1] + changed, token.replace(ids.bare(scene.acme.id), other), token.replace("live", "test")]
    for one in forged:
        with pytest.raises(NotAuthenticated):
            await tenants.authenticate_api_key(ctx.parts, one)


def test_a_token_says_tenant_key_and_digest() -> None:
    secret = crypto.new_secret()
    tenant, key, digest = tenants.parse_api_key(f"vf_test_0_{secret}")
    assert (tenant, digest) == (PLATFORM, crypto.digest(secret))
    assert key == ids.derived("key", digest)


async def test_the_secret_of_a_key_is_kept_nowhere(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    new = await tenants.create_api_key(await cast.within(scene.alice, scene.acme), "key")
    secret = new.token.rpartition("_")[2]
    assert await keys_holding(ctx.db, secret) == set()
    assert await keys_holding(ctx.db, crypto.digest(secret)) == {f"vf:tenant:{{{scene.acme.id}}}:api_key:{new.key.id}"}


async def test_nobody_makes_or_revokes_a_key_that_may_more_than_they(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await cast.within(scene.alice, scene.acme)
    await cast.join(owning, scene.stranger, "admin")
    administering = await cast.within(scene.stranger, scene.acme)
    owners = await tenants.create_api_key(owning, "key", "owner")
    with pytest.raises(PermissionDenied):
        await tenants.create_api_key(administering, "key", "owner")
    with pytest.raises(PermissionDenied):
        await tenants.revoke_api_key(administering, owners.key.id)


async def test_a_tenants_key_has_a_role_of_a_tenant(one_ctx: Context) -> None:
    scene = await cast.assemble(one_ctx)
    for role in ("operator", "root", "x" * 100):
        with pytest.raises(InputInvalid):
            await tenants.create_api_key(await cast.within(scene.alice, scene.acme), "key", role)


async def test_a_key_of_another_tenant_is_not_found(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    new = await tenants.create_api_key(await cast.within(scene.alice, scene.acme), "key")
    for key in (new.key.id, "key_1", "", "a}b"):
        with pytest.raises(NotFound):
            await tenants.revoke_api_key(await cast.within(scene.carol, scene.globex), key)
    assert await tenants.authenticate_api_key(ctx.parts, new.token)


async def test_a_key_with_permissions_of_its_own_may_only_what_they_name(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    inside = await cast.within(scene.alice, scene.acme)
    new = await customers.key(inside, "admin", permissions=("usage:read", "tenant:read"))
    assert new.key.permissions == ("tenant:read", "usage:read")
    program = ctx.acting(await tenants.authenticate_api_key(ctx.parts, new.token))
    assert (await tenants.authorise(program, "acme", "usage:read")).permissions == {"tenant:read", "usage:read"}
    with pytest.raises(PermissionDenied):
        await tenants.authorise(program, "acme", "usage:write")


async def test_a_restricted_service_key_may_only_what_it_names_everywhere_and_is_no_operator(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    operating = await tenants.authorise_platform(await cast.operator(ctx), "tenants:write")
    new = await customers.key(operating, "operator", permissions=("usage:write",))
    service = ctx.acting(await tenants.authenticate_api_key(ctx.parts, new.token))
    assert (await tenants.authorise(service, scene.acme.slug, "usage:write")).permissions == {"usage:write"}
    for refused in (
        tenants.authorise(service, scene.acme.slug, "tenant:read"),
        tenants.authorise_platform(service, "tenants:write"),
    ):
        with pytest.raises(PermissionDenied):
            await refused
    with pytest.raises(PermissionDenied):
        await tenants.create_tenant(service, "Initech")


async def test_nobody_gives_a_key_a_permission_that_they_or_its_role_lack(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await cast.within(scene.alice, scene.acme)
    maker = await customers.key(owning, "admin", permissions=("api_keys:write", "usage:read"))
    program = ctx.acting(await tenants.authenticate_api_key(ctx.parts, maker.token))
    inside = await tenants.authorise(program, "acme", "api_keys:write")
    assert (await customers.key(inside, permissions=("usage:read",))).key.permissions == ("usage:read",)
    for permissions in (("usage:write",), None):
        with pytest.raises(PermissionDenied):
            await customers.key(inside, permissions=permissions)
    with pytest.raises(PermissionDenied):
        await tenants.revoke_api_key(inside, (await customers.key(owning)).key.id)
    with pytest.raises(InputInvalid):
        await customers.key(owning, "viewer", permissions=("usage:write",))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("permissions", ()),
        ("permissions", ("usage:everything",)),
        ("expires_at", 0),
        ("expires_at", 1_000_000_000_000),
        ("expires_at", 10**15),
        ("addresses", ("nonsense",)),
        ("addresses", ("203.0.113.0/33",)),
        ("addresses", ("10.0.0.1",) * 51),
        ("metadata", {str(at): "" for at in range(51)}),
        ("metadata", {"": "x"}),
        ("metadata", {"x" * 41: ""}),
        ("metadata", {"x": "y" * 501}),
    ],
)
async def test_terms_that_no_key_can_have_are_refused(one_ctx: Context, field: str, value: object) -> None:
    acme = await customers.customer(one_ctx)
    with pytest.raises(InputInvalid) as refused:
        await customers.key(acme, **{field: value})
    assert refused.value.extra["field"] == field
    assert (await tenants.list_api_keys(acme)).items == []


async def test_an_expired_a_revoked_and_a_foreign_key_and_another_address_look_alike(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    revoked, over, bound = [
        await customers.key(acme, **terms)
        for terms in ({}, {"expires_at": clock.now_ms() + 60_000}, {"addresses": ("203.0.113.0/24",)})
    ]
    for new in (revoked, over, bound):
        assert await tenants.authenticate_api_key(ctx.parts, new.token, "203.0.113.9")
    await tenants.revoke_api_key(acme, revoked.key.id)
    await customers.expire(acme, over)
    told = set()
    foreign = revoked.token[:-1] + ("b" if revoked.token[-1] == "a" else "a")
    for token, address in (
        (revoked.token, "203.0.113.9"),
        (over.token, "203.0.113.9"),
        (bound.token, "203.0.114.9"),
        (bound.token, ""),
        (foreign, "203.0.113.9"),
    ):
        with pytest.raises(NotAuthenticated) as refused:
            await tenants.authenticate_api_key(ctx.parts, token, address)
        told.add(str(refused.value))
    assert len(told) == 1


async def test_use_is_noted_once_a_minute_and_leaves_no_trail(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    new = await customers.key(acme)
    path, trail = keys.api_key(acme.tenant, new.key.id), await ctx.db.call("XLEN", keys.events(acme.tenant))
    await tenants.authenticate_api_key(ctx.parts, new.token)
    [shown] = (await tenants.list_api_keys(acme)).items
    assert shown.used_at is not None
    assert shown.used_at >= new.key.created_at
    for used_at, moves in ((shown.used_at - 1, False), (shown.used_at - 60_000, True)):
        await ctx.db.call("HSET", path, "used_at", used_at)
        await tenants.authenticate_api_key(ctx.parts, new.token)
        assert (int(await ctx.db.call("HGET", path, "used_at")) != used_at) == moves
    assert await ctx.db.call("XLEN", keys.events(acme.tenant)) == trail


async def test_metadata_are_kept_as_given(one_ctx: Context) -> None:
    acme = await customers.customer(one_ctx)
    await tenants.create_api_key(acme, "key", terms=KeyTerms(metadata={"team": "São João", "empty": ""}))
    [kept] = (await tenants.list_api_keys(acme)).items
    assert kept.metadata == {"team": "São João", "empty": ""}


async def test_a_rotated_key_has_a_successor_of_the_same_terms_and_works_until_the_overlap_ends(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    terms = {"permissions": ("usage:read",), "addresses": ("203.0.113.0/24",), "metadata": {"team": "web"}}
    old = await customers.key(acme, **terms)
    new = await tenants.rotate_api_key(acme, old.key.id, 3600)
    for token in (old.token, new.token):
        assert await tenants.authenticate_api_key(ctx.parts, token, "203.0.113.9")
    listed = {key.id: key for key in (await tenants.list_api_keys(acme)).items}
    ending, fresh = listed[old.key.id], listed[new.key.id]
    assert ending.successor == fresh.id
    assert ending.expires_at is not None
    assert 0 < ending.expires_at - fresh.created_at <= 3_600_000
    for field in ("name", "role", "permissions", "addresses", "metadata"):
        assert getattr(fresh, field) == getattr(old.key, field)
    assert fresh.expires_at is None
    await customers.expire(acme, old)
    with pytest.raises(NotAuthenticated):
        await tenants.authenticate_api_key(ctx.parts, old.token, "203.0.113.9")


async def test_without_overlap_the_rotated_key_is_refused_at_once(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    old = await customers.key(acme)
    new = await tenants.rotate_api_key(acme, old.key.id)
    assert await tenants.authenticate_api_key(ctx.parts, new.token)
    with pytest.raises(NotAuthenticated):
        await tenants.authenticate_api_key(ctx.parts, old.token)


async def test_rotation_never_lengthens_the_life_of_a_key(one_ctx: Context) -> None:
    acme = await customers.customer(one_ctx)
    end = clock.now_ms() + 60_000
    old = await customers.key(acme, expires_at=end)
    new = await tenants.rotate_api_key(acme, old.key.id, 3600)
    assert {key.expires_at for key in (await tenants.list_api_keys(acme)).items} == {end}
    assert new.key.expires_at == end


async def test_of_two_rotations_at_once_one_makes_the_successor(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    old = await customers.key(acme)
    answers = await asyncio.gather(
        *(tenants.rotate_api_key(acme, old.key.id, 60) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "NewApiKey"]
    assert len((await tenants.list_api_keys(acme)).items) == 2


async def test_what_cannot_be_rotated_is_refused(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    inside, foreign = await cast.within(scene.alice, scene.acme), await cast.within(scene.carol, scene.globex)
    of_owner, revoked, over = [await customers.key(inside, "owner") for _ in range(3)]
    await tenants.revoke_api_key(inside, revoked.key.id)
    await customers.expire(inside, over)
    for new in (revoked, over):
        with pytest.raises(Conflict):
            await tenants.rotate_api_key(inside, new.key.id)
    for overlap_s in (-1, 30 * 86_400 + 1):
        with pytest.raises(InputInvalid):
            await tenants.rotate_api_key(inside, of_owner.key.id, overlap_s)
    for key in (of_owner.key.id, "key_1", ""):
        with pytest.raises(NotFound):
            await tenants.rotate_api_key(foreign, key)
    await cast.join(inside, scene.stranger, "admin")
    with pytest.raises(PermissionDenied):
        await tenants.rotate_api_key(await cast.within(scene.stranger, scene.acme), of_owner.key.id)
