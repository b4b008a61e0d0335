import asyncio

import pytest

from tests import cast
from tests.cast import PASSWORD, email
from tests.identity.links import of_reset
from tests.identity.mails import link_in, mails, work
from tests.personal_data.erasing import without_grace
from tests.tenants.test_platform_roles import colleague, ruling
from tests.whole_database import keys_holding
from veloflux import identity, tenants, users
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import (
    AccountDisabled,
    Conflict,
    CredentialsWrong,
    CursorInvalid,
    InputInvalid,
    LastOwner,
    NameTaken,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
)


async def found(ctx: Context, query: str = "", role: str = "") -> list[str]:
    """The names on all pages of one person each."""
    names, cursor = list[str](), ""
    while True:
        page = await users.list_people(await ruling(ctx), query=query, role=role, cursor=cursor, limit=1)
        names += [one.name for one in page.items]
        if page.next is None:
            return names
        cursor = page.next


async def is_signed_in(ctx: Context, token: str) -> bool:
    try:
        await identity.authenticate(ctx.parts, token)
    except NotAuthenticated:
        return False
    return True


async def log_in(ctx: Context, name: str) -> str:
    return (await identity.log_in(cast.fresh(ctx), email(name), PASSWORD)).token


async def test_people_are_listed_latest_first_and_found_by_how_name_or_address_begins(ctx: Context) -> None:
    for name, address in (("Ana Souza", "souza@example.com"), ("João Ação", "JOAO@example.com"), ("Anaïs", "an@x.org")):
        await identity.register(cast.fresh(ctx), name=name, email=address, password=PASSWORD)
    await work(ctx)
    assert await found(ctx) == ["Anaïs", "João Ação", "Ana Souza"]
    assert await found(ctx, "ANA") == ["Ana Souza", "Anaïs"]
    assert await found(ctx, "an") == ["Anaïs", "Ana Souza"]  # once each, though two entries of Anaïs begin so
    assert await found(ctx, "joao") == await found(ctx, " João  acao ") == ["João Ação"]
    assert await found(ctx, "Souza") == ["Ana Souza"]
    assert await found(ctx, "nobody") == []


async def test_those_of_a_platform_role_are_listed(ctx: Context) -> None:
    await cast.operator(ctx)
    await colleague(ctx, "sam", "support")
    await colleague(ctx, "sue", "support")
    await work(ctx)
    page = await users.list_people(await ruling(ctx), role="support")
    assert [(one.name, one.platform_role) for one in page.items] == [("Sue", "support"), ("Sam", "support")]
    assert await found(ctx, "sa", "support") == ["Sam"]
    assert await found(ctx, role="finance") == []


@pytest.mark.parametrize("query", ["\0", "x" * 255, "e\0x"])
async def test_a_search_for_what_nobody_can_have_is_refused(one_ctx: Context, query: str) -> None:
    with pytest.raises(InputInvalid):
        await users.list_people(await ruling(one_ctx), query=query)
    with pytest.raises(CursorInvalid):
        await users.list_people(await ruling(one_ctx), query="ana", cursor="YQ")


async def test_a_new_name_is_found_and_the_old_one_is_not(ctx: Context) -> None:
    ana = (await cast.person(ctx, "ana")).actor.person
    await work(ctx)
    assert (await users.rename_person(await ruling(ctx), ana, " Zélia ")).name == "Zélia"
    await work(ctx)
    assert (await found(ctx, "zelia"), await found(ctx, "ana@")) == (["Zélia"], ["Zélia"])
    assert await ctx.db.call("ZCARD", keys.users_search()) == 2
    with pytest.raises(InputInvalid):
        await users.rename_person(await ruling(ctx), ana, "")


async def test_the_index_is_made_anew_from_the_documents(ctx: Context) -> None:
    for name in ("ana", "bia"):
        await cast.person(ctx, name)
    await work(ctx)
    before = [await ctx.db.call("ZRANGE", key, 0, -1) for key in (keys.users(), keys.users_search())]
    await ctx.db.call("DEL", keys.users())
    await ctx.db.call("ZADD", keys.users_search(), 0, "nobody\0usr_1")
    assert await identity.rebuild_people_index(ctx) == 2
    assert [await ctx.db.call("ZRANGE", key, 0, -1) for key in (keys.users(), keys.users_search())] == before


async def test_a_person_is_shown_with_tenants_sessions_and_when_last_seen(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    await log_in(ctx, "bob")
    shown = await users.show_person(await ruling(ctx), scene.bob.actor.person)
    assert [(one.slug, one.role) for one in shown.tenants] == [("acme", "member")]
    assert (shown.sessions, shown.status, shown.email, shown.platform_role) == (2, "active", email("bob"), "")
    assert shown.seen_at
    await identity.end_sessions(scene.bob, "all")
    shown = await users.show_person(await ruling(ctx), scene.bob.actor.person)
    assert (shown.sessions, shown.seen_at) == (0, None)
    for user in ("", "usr_1", "usr_1}", "ten_0"):
        with pytest.raises(NotFound):
            await users.show_person(await ruling(ctx), user)


async def test_who_is_created_sets_the_password_by_the_link_in_the_mail(ctx: Context) -> None:
    made = await users.create_person(await ruling(ctx), name="Gil", email=email("gil"), language="pt-BR")
    await work(ctx)
    [mail] = await mails(ctx)
    assert mail.subject == "Sua conta no VeloFlux está pronta"
    token = link_in(mail, "/console/reset/")
    assert [token] == await of_reset(ctx, made.id)
    assert await ctx.db.call("PTTL", keys.reset_link(made.id, f"lnk_{token.split('.')[1]}")) > 86_400_000 * 6
    with pytest.raises(CredentialsWrong):
        await log_in(ctx, "gil")
    await identity.reset_password(cast.fresh(ctx), token, PASSWORD)
    assert await log_in(ctx, "gil")
    with pytest.raises(NameTaken):
        await users.create_person(await ruling(ctx), name="Gil", email=email("GIL"))


async def test_a_disabled_persons_sessions_end_at_once_and_only_the_right_password_learns_why(ctx: Context) -> None:
    ana = (await cast.person(ctx, "ana")).actor.person
    token = await log_in(ctx, "ana")
    assert (await users.disable_person(await ruling(ctx), ana)).status == "disabled"
    assert not await is_signed_in(ctx, token)
    with pytest.raises(AccountDisabled):
        await log_in(ctx, "ana")
    with pytest.raises(CredentialsWrong):
        await identity.log_in(cast.fresh(ctx), email("ana"), "another password")
    with pytest.raises(Conflict):
        await users.disable_person(await ruling(ctx), ana)
    await users.enable_person(await ruling(ctx), ana)
    assert await log_in(ctx, "ana")
    assert not await is_signed_in(ctx, token)
    with pytest.raises(Conflict):
        await users.enable_person(await ruling(ctx), ana)


async def test_of_two_who_disable_at_the_same_time_one_does(ctx: Context) -> None:
    ana = (await cast.person(ctx, "ana")).actor.person
    operating = await ruling(ctx)
    ended = await asyncio.gather(*(users.disable_person(operating, ana) for _ in range(2)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["Conflict", "UserShown"]


async def test_support_ends_sessions_but_not_those_of_an_operator(ctx: Context) -> None:
    olivia = await cast.operator(ctx)
    supporting = await tenants.authorise_platform(await colleague(ctx, "sam", "support"), "users:sign_out")
    ana, token = (await cast.person(ctx, "ana")).actor.person, await log_in(ctx, "ana")
    await users.end_sessions(supporting, ana)
    assert not await is_signed_in(ctx, token)
    with pytest.raises(PermissionDenied):
        await users.end_sessions(supporting, olivia.actor.person)


async def test_members_of_the_platform_are_neither_disabled_nor_deleted(ctx: Context) -> None:
    olivia = await cast.operator(ctx)
    for refused in (users.disable_person, users.delete_person):
        with pytest.raises(Conflict, match="member of the platform"):
            await refused(await ruling(ctx), olivia.actor.person)


async def test_a_deleted_person_signs_in_no_more_and_is_erased_when_the_grace_is_over(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    bob, token = scene.bob.actor.person, await log_in(ctx, "bob")
    await work(ctx)
    await users.delete_person(without_grace(await ruling(ctx)), bob)
    assert not await is_signed_in(ctx, token)
    with pytest.raises(AccountDisabled):
        await log_in(ctx, "bob")
    await work(ctx)
    assert "Bob" not in await found(ctx)
    assert await found(ctx, "bob") == []
    assert [one.name for one in (await tenants.list_members(await cast.within(scene.alice, scene.acme))).items] == [
        "Alice"
    ]
    assert await keys_holding(ctx.db, email("bob")) == set()
    for refused in (users.show_person, users.delete_person, users.enable_person):
        with pytest.raises(NotFound):
            await refused(await ruling(ctx), bob)


async def test_who_enables_a_deleted_person_in_time_has_taken_it_back(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    bob = scene.bob.actor.person
    await users.delete_person(await ruling(ctx), bob)
    assert (await users.show_person(await ruling(ctx), bob)).erase_at
    enabled = await users.enable_person(await ruling(ctx), bob)
    assert (enabled.status, enabled.erase_at) == ("active", None)
    assert await log_in(ctx, "bob")


async def test_the_last_owner_of_tenants_is_not_deleted_and_hears_which(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = scene.alice.actor.person
    await tenants.create_tenant(scene.alice, "Box")
    with pytest.raises(LastOwner, match=r"(acme, box|box, acme): nobody else is owner"):
        await users.delete_person(await ruling(ctx), alice)
    assert (await users.show_person(await ruling(ctx), alice)).status == "active"
