"""Another name, another slug."""

import asyncio

import pytest

from tests import cast, customers
from tests.worker.working import nothing_due, until, working
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import names
from veloflux.errors import InputInvalid, NameTaken, NotFound, TenantReadOnly
from veloflux.tenants import store
from veloflux.worker import TABLES


async def test_a_tenant_is_found_by_its_new_slug_and_the_old_one_is_free(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme, "tenant:write")
    renamed = await tenants.rename_tenant(alice, "Acme  Brasil", "acme-br")
    assert (renamed.name, renamed.slug) == ("Acme Brasil", "acme-br")
    assert (await tenants.find(ctx, "acme-br")).id == scene.acme.id
    with pytest.raises(NotFound):
        await tenants.find(ctx, "acme")
    assert (await tenants.create_tenant(scene.carol, "Acme")).slug == "acme"
    assert (await tenants.find(ctx, "acme-br")).id == scene.acme.id


async def test_what_is_empty_stays_and_what_is_the_same_is_no_change(ctx: Context) -> None:
    acme = customers.of(ctx, await tenants.create_tenant(ctx, "Acme"))
    assert (await tenants.rename_tenant(acme, slug="other")).name == "Acme"
    assert (await tenants.rename_tenant(acme, "Other")).slug == "other"
    same = await tenants.rename_tenant(acme, "Other", "other")
    assert same == await tenants.rename_tenant(acme) == await tenants.find(ctx, "other")


async def test_a_taken_slug_is_refused_and_everybody_keeps_theirs(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    with pytest.raises(NameTaken) as refused:
        await tenants.rename_tenant(await cast.within(scene.alice, scene.acme), slug="globex")
    assert refused.value.extra["field"] == "slug"
    assert (await tenants.find(ctx, "acme")).id == scene.acme.id
    assert (await tenants.find(ctx, "globex")).id == scene.globex.id


@pytest.mark.parametrize("slug", ["A", "a", "admin", "-a", "a" * 41, "é", "a}b"])
async def test_a_slug_that_none_could_have_is_refused(one_ctx: Context, slug: str) -> None:
    acme = customers.of(one_ctx, await tenants.create_tenant(one_ctx, "Acme"))
    with pytest.raises(InputInvalid):
        await tenants.rename_tenant(acme, slug=slug)


async def test_an_archived_tenant_keeps_its_name(one_ctx: Context) -> None:
    acme = customers.of(one_ctx, await tenants.create_tenant(one_ctx, "Acme"))
    await tenants.archive_tenant(acme)
    with pytest.raises(TenantReadOnly):
        await tenants.rename_tenant(acme, "Other")


async def test_of_tenants_that_want_one_slug_at_once_one_gets_it(ctx: Context) -> None:
    made = [await tenants.create_tenant(ctx, f"Tenant {number}") for number in range(4)]
    ended = await asyncio.gather(
        *(tenants.rename_tenant(customers.of(ctx, one), slug="wanted") for one in made), return_exceptions=True
    )
    [won] = [one for one in ended if isinstance(one, tenants.Tenant)]
    assert [type(one) for one in ended if one is not won] == [NameTaken] * 3
    assert (await tenants.find(ctx, "wanted")).id == won.id


async def test_a_tenant_renamed_twice_at_once_has_one_slug_and_the_others_are_free(ctx: Context) -> None:
    acme = customers.of(ctx, await tenants.create_tenant(ctx, "Acme"))
    wanted = [f"acme-{number}" for number in range(3)]
    await asyncio.gather(*(tenants.rename_tenant(acme, slug=slug) for slug in wanted))
    has = (await tenants.find(ctx, acme.tenant)).slug
    for slug in {"acme", *wanted} - {has}:
        assert await names.claimant(ctx.db, store.slug_name(slug)) is None
    assert (await tenants.find(ctx, has)).id == acme.tenant


async def test_after_a_crash_before_the_release_the_worker_frees_the_old_slug(ctx: Context) -> None:
    acme = customers.of(ctx, await tenants.create_tenant(ctx, "Acme"))
    held = await ctx.db.call("GET", store.slug_name("acme").key)
    await tenants.rename_tenant(acme, slug="other")
    await ctx.db.call("SET", store.slug_name("acme").key, held)  # as if the process had died after its commit
    async with working(ctx.parts, TABLES):
        await until(lambda: nothing_due(ctx))
    assert await names.claimant(ctx.db, store.slug_name("acme")) is None
    assert await names.claimant(ctx.db, store.slug_name("other")) == acme.tenant
