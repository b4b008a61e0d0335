import pytest

from tests import cast
from tests.whole_database import keys_holding
from veloflux import tenants
from veloflux.context import PLATFORM, Context, Parts
from veloflux.errors import InputInvalid, NotAuthenticated, NotFound, PermissionDenied
from veloflux.kit import crypto, ids

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
