import pytest

from tests import cast
from veloflux import tenants
from veloflux.context import PLATFORM, Context
from veloflux.errors import NotAuthenticated, NotFound, PermissionDenied
from veloflux.tenants import PERMISSIONS, ROLES


async def test_a_role_gives_its_permissions_in_its_tenant_and_nowhere_else(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    for someone, role in ((scene.alice, "owner"), (scene.bob, "member")):
        for permission in PERMISSIONS:
            if permission in ROLES[role]:
                within = await tenants.authorise(someone, scene.acme.slug, permission)
                assert (within.tenant, within.permissions) == (scene.acme.id, ROLES[role])
            else:
                with pytest.raises(PermissionDenied):
                    await tenants.authorise(someone, scene.acme.slug, permission)


async def test_to_everybody_else_the_tenant_does_not_exist(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    key = await tenants.create_api_key(await cast.within(scene.carol, scene.globex), "key", "admin")
    foreign = scene.carol.acting(await tenants.authenticate_api_key(ctx.parts, key.token))
    nobody = cast.fresh(ctx)
    for someone in (scene.carol, scene.stranger, foreign, nobody):
        sentences = []
        for ref in (scene.acme.slug, "no-such"):
            with pytest.raises(NotFound) as refused:
                await tenants.authorise(someone, ref, "tenant:read")
            sentences.append(str(refused.value).replace(ref, ""))
        assert sentences[0] == sentences[1]


async def test_an_operator_may_do_everything_everywhere_and_others_are_none(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    olivia = await cast.operator(ctx)
    assert (await tenants.authorise(olivia, scene.acme.id, "owners:write")).permissions == ROLES["operator"]
    assert (await tenants.authorise_platform(olivia, "tenants:write")).tenant == PLATFORM
    for someone in (scene.alice, scene.stranger, cast.fresh(ctx)):
        with pytest.raises(PermissionDenied):
            await tenants.authorise_platform(someone, "tenants:write")


async def test_a_service_key_may_what_an_operator_may_until_it_is_revoked(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    operating = await tenants.authorise_platform(await cast.operator(ctx), "tenants:write")
    made = await tenants.create_api_key(operating, "backend")
    service = cast.fresh(ctx).acting(await tenants.authenticate_api_key(ctx.parts, made.token))
    assert (await tenants.authorise(service, scene.acme.slug, "usage:write")).actor.id == made.key.id
    assert (await tenants.authorise_platform(service, "tenants:write")).tenant == PLATFORM
    await tenants.revoke_api_key(operating, made.key.id)
    with pytest.raises(NotAuthenticated):
        await tenants.authenticate_api_key(ctx.parts, made.token)


async def test_who_is_removed_is_nobody_with_the_next_request(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    await tenants.remove_member(await cast.within(scene.alice, scene.acme), scene.bob.actor.person)
    with pytest.raises(NotFound):
        await tenants.authorise(scene.bob, scene.acme.slug, "tenant:read")
    assert await tenants.tenants_of(ctx, scene.bob.actor.person) == []


def test_every_role_but_the_platforms_is_less_than_the_one_before() -> None:
    owner, admin, member, viewer = (ROLES[role] for role in tenants.roles_of("ten_1"))
    assert owner > admin > member > viewer
    assert tenants.roles_of(PLATFORM) == ["operator", "support", "finance", "read-only"]
