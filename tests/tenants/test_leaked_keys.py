import pytest

from tests import cast, customers
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid, NotAuthenticated, NotFound


async def test_a_leaked_key_is_found_by_its_beginning_or_as_a_whole_and_revoked(ctx: Context) -> None:
    acme, globex = await customers.customer(ctx), await customers.customer(ctx, "Globex")
    other = await customers.key(globex)
    for whole in (True, False):
        leaked, kept = await customers.key(acme), await customers.key(acme)
        answer = await tenants.revoke_leaked_key(ctx, leaked.token if whole else f" {leaked.key.prefix}\n")
        assert (answer.tenant.id, answer.key.id, answer.key.status) == (acme.tenant, leaked.key.id, "revoked")
        with pytest.raises(NotAuthenticated):
            await tenants.authenticate_api_key(ctx.parts, leaked.token)
        for new in (kept, other):
            assert await tenants.authenticate_api_key(ctx.parts, new.token)
        again = await tenants.revoke_leaked_key(ctx, leaked.key.prefix)
        assert again.key.id == leaked.key.id


async def test_of_several_keys_that_begin_so_none_is_revoked_by_the_beginning_alone(one_ctx: Context) -> None:
    acme = await customers.customer(one_ctx)
    first, second = await customers.key(acme), await customers.key(acme)
    await one_ctx.db.call("HSET", keys.api_key(acme.tenant, second.key.id), "prefix", first.key.prefix)
    with pytest.raises(Conflict, match=second.key.id):
        await tenants.revoke_leaked_key(one_ctx, first.key.prefix)
    assert (await tenants.revoke_leaked_key(one_ctx, first.token)).key.id == first.key.id
    assert (await tenants.revoke_leaked_key(one_ctx, first.key.prefix)).key.id == second.key.id


async def test_a_key_beyond_the_first_page_is_found(one_ctx: Context) -> None:
    acme = await customers.customer(one_ctx)
    oldest = await customers.key(acme)
    for _ in range(101):
        await customers.key(acme)
    assert (await tenants.revoke_leaked_key(one_ctx, oldest.key.prefix)).key.id == oldest.key.id


async def test_what_no_key_begins_with_is_refused(one_ctx: Context) -> None:
    scene = await cast.assemble(one_ctx)
    inside = await cast.within(scene.alice, scene.acme)
    new = await customers.key(inside)
    for prefix in ("", "vf_live_", new.key.prefix[:-1], new.token + "a", "ghp_0000", "vf_live_0}_aaaa"):
        with pytest.raises(InputInvalid):
            await tenants.revoke_leaked_key(one_ctx, prefix)
    changed = "b" if new.key.prefix[-1] == "a" else "a"
    for prefix in (new.key.prefix[:-1] + changed, "vf_live_0_aaaa", "vf_live_0000_" + "a" * 32):
        with pytest.raises(NotFound):
            await tenants.revoke_leaked_key(one_ctx, prefix)
    assert await tenants.authenticate_api_key(one_ctx.parts, new.token)
