"""Who comes in by a tenant's provider, as whom, and how far that reaches."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from tests import cast
from tests.identity.mails import mails, work
from tests.tenants.lying_provider import SECRET, LyingProvider, lying
from tests.tenants.signing_in import Company, come, company, link_of, newcomer, open_to_loopback, terms
from tests.whole_database import keys_holding
from veloflux import audit, identity, tenants
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import (
    Conflict,
    CredentialsWrong,
    InputInvalid,
    LinkExpired,
    NameTaken,
    NotFound,
    PermissionDenied,
    ProviderUnusable,
    SignInRefused,
)
from veloflux.identity import oidc
from veloflux.kit import clock
from veloflux.tenants import SignInAnswer, store


@pytest.fixture
def provider() -> Iterator[LyingProvider]:
    oidc.forget()
    with lying() as started:
        yield started


@pytest.fixture
async def at(one_ctx: Context, provider: LyingProvider) -> Company:
    return await company(one_ctx, provider)


async def role_of(at: Company, user: str) -> str:
    member = await store.find_member(at.ctx.db, at.acme.tenant, user)
    return member.role if member else ""


async def test_a_newcomer_confirms_the_address_and_then_comes_in_as_a_member(
    ctx: Context, provider: LyingProvider
) -> None:
    at = await company(ctx, provider)
    signed_in = await newcomer(at)
    known = await identity.authenticate(at.ctx.parts, signed_in.token)
    assert (known.name, known.email, known.via) == ("Ana", "ana@example.com", at.acme.tenant)
    assert await role_of(at, known.id) == "viewer"
    inside = await tenants.authorise(cast.acting(at.ctx, signed_in), "acme", "tenant:read")
    assert inside.tenant == at.acme.tenant
    assert signed_in.ends_at <= clock.now_ms() + 12 * clock.HOUR_MS


async def test_whether_an_address_has_an_account_is_seen_neither_in_answer_nor_in_mail(
    at: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    call = at.ctx.db._nodes.call
    monkeypatch.setattr(at.ctx.db._nodes, "call", lambda *args: (calls.append(args), call(*args))[1])
    made = []
    await come(at, sub="0", email=cast.email("somebody"))  # from now on this process knows the slug
    for name in ("alice", "nobody"):
        calls.clear()
        assert await come(at, sub=name, email=cast.email(name)) is None
        made.append([str(args[0][0] if isinstance(args[0], list | tuple) else args[0]) for args in calls])
    assert len(made[0]) == len(made[1])
    await work(at.ctx)
    sent = await mails(at.ctx)
    assert len(sent) == 3
    assert len({mail.subject for mail in sent}) == 1


async def test_a_provider_cannot_claim_somebody_who_has_an_account(at: Company) -> None:
    """Alice has an account; neither the claim nor the link lets anybody be her before she says so, signed in."""
    assert await come(at, email=cast.email("alice")) is None
    token = await link_of(at)
    with pytest.raises(NameTaken):
        await tenants.join_by_oidc_link(cast.fresh(at.ctx), token)
    with pytest.raises(PermissionDenied):
        await tenants.confirm_oidc_link(at.people.carol, token)
    assert await come(at, email=cast.email("alice")) is None
    assert (await tenants.open_oidc_link(cast.fresh(at.ctx), token)).has_account
    await tenants.confirm_oidc_link(at.people.alice, token)
    signed_in = await come(at, email=cast.email("alice"))
    assert signed_in
    assert signed_in.person.id == at.people.alice.actor.person
    with pytest.raises(LinkExpired):
        await tenants.confirm_oidc_link(at.people.alice, token)


async def test_the_subject_is_who_somebody_is_not_the_address(at: Company) -> None:
    first = await newcomer(at)
    assert await come(at, sub="0002") is None, "another subject with the same address is somebody else"
    moved = await come(at, email="ana.souza@example.com")
    assert moved
    assert (moved.person.id, moved.person.email) == (first.person.id, "ana@example.com")


async def test_a_session_by_a_provider_opens_its_tenant_alone(at: Company) -> None:
    """Bob is a member of Globex too, and an operator: what Acme's provider says of him reaches neither."""
    await cast.join(await cast.within(at.people.carol, at.people.globex), at.people.bob, "admin")
    await tenants.create_operator(at.ctx, None, name="Bob", email=cast.email("bob"), password=cast.PASSWORD)
    assert await come(at, email=cast.email("bob"), groups=["engineers"]) is None
    await tenants.confirm_oidc_link(at.people.bob, await link_of(at))
    signed_in = await come(at, email=cast.email("bob"), groups=["engineers"])
    assert signed_in
    bob = cast.acting(at.ctx, signed_in)
    assert (await tenants.authorise(bob, "acme", "tenant:write")).tenant == at.acme.tenant
    for where in ("globex", PLATFORM):
        with pytest.raises(NotFound):
            await tenants.authorise(bob, where, "tenant:read")
    with pytest.raises(PermissionDenied):
        await tenants.authorise(bob, "acme", "tenant:suspend")
    assert await tenants.platform_role(bob) is None
    assert [tenant.slug for tenant in (await tenants.list_tenants(bob)).items] == ["acme"]


async def test_a_session_by_a_provider_accepts_no_invitation_and_confirms_no_link(at: Company) -> None:
    ana = cast.acting(at.ctx, await newcomer(at))
    globex = await cast.within(at.people.carol, at.people.globex)
    invited = await tenants.invite(globex, "ana@example.com", "viewer")
    with pytest.raises(PermissionDenied, match="own tenant alone"):
        await tenants.accept_invitation(ana, cast.token(globex, invited.id))
    assert await come(at, sub="0002") is None
    with pytest.raises(PermissionDenied):
        await tenants.confirm_oidc_link(ana, await link_of(at))


async def test_an_account_made_by_a_provider_has_no_password_that_fits_until_one_is_set(at: Company) -> None:
    await newcomer(at)
    for guess in ("", cast.PASSWORD):
        with pytest.raises(CredentialsWrong):
            await identity.log_in(cast.fresh(at.ctx), "ana@example.com", guess)


async def test_the_groups_decide_the_role_at_each_sign_in(at: Company) -> None:
    user = (await newcomer(at)).person.id
    for groups, role in ((["staff", "engineers"], "admin"), ("bosses", "owner"), (["staff"], "viewer")):
        await come(at, groups=groups)
        assert await role_of(at, user) == role
    owners = (await tenants.find(at.ctx, "acme")).owners
    assert owners == 1
    with pytest.raises(SignInRefused):
        await come(at, groups=["guests"])
    assert await role_of(at, user) == "viewer"
    events = (await audit.list_trail(at.acme)).items
    assert [entry.actor for entry in events if entry.name == "member.role_mapped"] == [user] * 3


async def test_the_last_owner_stays_owner_whatever_the_groups_say(at: Company) -> None:
    assert await come(at, email=cast.email("alice")) is None
    await tenants.confirm_oidc_link(at.people.alice, await link_of(at))
    assert await come(at, email=cast.email("alice"), groups=["staff"])
    assert await role_of(at, at.people.alice.actor.person) == "owner"


async def test_of_two_owners_who_are_mapped_down_at_once_one_stays(at: Company) -> None:
    first = await newcomer(at, groups=["bosses"])
    assert await come(at, sub="0002", email=cast.email("alice")) is None
    await tenants.confirm_oidc_link(at.people.alice, await link_of(at))
    scoped = at.ctx.within(tenants.scope_of(await tenants.find(at.ctx, "acme")))
    from veloflux.tenants.oidc_sign_in import admit

    users = await identity.find_users(at.ctx.db, [first.person.id, at.people.alice.actor.person])
    await asyncio.gather(*(admit(scoped, user, "viewer") for user in users.values()))
    assert sorted([await role_of(at, user) for user in users]) == ["owner", "viewer"]
    assert (await tenants.find(at.ctx, "acme")).owners == 1


async def test_of_two_who_open_a_link_at_once_one_makes_the_account(at: Company) -> None:
    await come(at)
    token = await link_of(at)
    done = await asyncio.gather(
        *(tenants.join_by_oidc_link(cast.fresh(at.ctx), token) for _ in range(2)), return_exceptions=True
    )
    assert [tenants.Tenant] == [type(one) for one in done if not isinstance(one, Exception)][:1]
    assert await come(at)


async def test_a_crash_between_account_and_link_is_mended_by_opening_the_link_again(
    at: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await come(at)
    token = await link_of(at)
    with monkeypatch.context() as crash:
        crash.setattr("veloflux.tenants.oidc_links.decide", None)
        with pytest.raises(TypeError):
            await tenants.join_by_oidc_link(cast.fresh(at.ctx), token)
    assert not (await tenants.open_oidc_link(cast.fresh(at.ctx), token)).has_account
    await tenants.join_by_oidc_link(cast.fresh(at.ctx), token)
    assert await come(at)


async def test_coming_again_before_the_link_is_opened_sends_no_second_one(at: Company) -> None:
    for _ in range(3):
        assert await come(at) is None
    await work(at.ctx)
    assert len(await mails(at.ctx)) == 1


async def test_who_cannot_be_let_in_gets_no_session(at: Company) -> None:
    user = (await newcomer(at)).person.id
    await at.ctx.db.call("HSET", keys.user(user), "status", "disabled")
    with pytest.raises(SignInRefused):
        await come(at)


async def test_a_removed_provider_lets_nobody_in(at: Company) -> None:
    await newcomer(at)
    started = await tenants.begin_sso(cast.fresh(at.ctx), "acme")
    await tenants.remove_oidc(at.acme)
    await tenants.remove_oidc(at.acme)
    answer = SignInAnswer(**at.provider.send_back(started.url))
    with pytest.raises(NotFound):
        await tenants.finish_sso(cast.fresh(at.ctx), at.acme.tenant, answer, started.browser)


async def test_the_secret_is_sealed_and_goes_to_no_other_provider(at: Company) -> None:
    assert await keys_holding(at.ctx.db, SECRET) == set()
    with pytest.raises(InputInvalid, match="own secret"):
        await tenants.set_oidc(at.acme, terms(at.provider, issuer="http://127.0.0.1:1"))
    kept = await tenants.set_oidc(at.acme, terms(at.provider, default_role="viewer"))
    assert (kept.default_role, kept.version) == ("viewer", 2)
    assert await come(at, groups=[]) is None, "and it still is the right one"


async def test_nobody_maps_a_group_to_a_role_that_may_do_more(at: Company) -> None:
    await come(at, email=cast.email("bob"), groups=["engineers"])
    await tenants.confirm_oidc_link(at.people.bob, await link_of(at))
    await come(at, email=cast.email("bob"), groups=["engineers"])
    admin = await cast.within(at.people.bob, at.people.acme, "tenant:write")
    for roles in ({"engineers": "owner"}, {"engineers": "viewer"}):
        with pytest.raises(PermissionDenied):
            await tenants.set_oidc(admin, terms(at.provider, roles=roles))
    with pytest.raises(PermissionDenied):
        await tenants.remove_oidc(admin)
    await tenants.set_oidc(at.acme, terms(at.provider, roles={"engineers": "admin"}))
    await tenants.set_oidc(admin, terms(at.provider, roles={"staff": "viewer"}))


BAD = [
    {"issuer": "ftp://login.example.com"},
    {"issuer": "https://"},
    {"issuer": "https://user:pass@login.example.com"},
    {"issuer": "https://login.example.com/?a=b"},
    {"issuer": "https://login.example.com:x"},
    {"issuer": "https://login.example.com/\n"},
    {"client_id": ""},
    {"email_claim": "two words"},
    {"scopes": ("email",)},
    {"roles": {"staff": "king"}},
    {"roles": {"": "viewer"}},
    {"roles": {"staff": "operator"}},
    {"default_role": "king"},
    {"domains": ()},
    {"domains": ("no domain",)},
]


@pytest.mark.parametrize("changes", BAD)
async def test_a_connection_with_a_fault_is_refused(at: Company, changes: dict[str, object]) -> None:
    with pytest.raises(InputInvalid) as refused:
        await tenants.set_oidc(at.acme, terms(at.provider, **changes), "x")
    assert refused.value.extra["field"] == next(iter(changes))


async def test_the_platforms_own_tenant_has_no_provider(at: Company) -> None:
    platform = at.ctx.within(tenants.scope_of(await tenants.find(at.ctx, PLATFORM)), tenants.EVERYTHING)
    with pytest.raises(Conflict):
        await tenants.set_oidc(platform, terms(at.provider), "x")


async def test_without_the_setting_no_provider_may_be_in_a_private_network(at: Company) -> None:
    closed = msgspec.structs.replace(at.ctx.settings, oidc_private_networks=False)
    strict = msgspec.structs.replace(at.acme, parts=msgspec.structs.replace(at.ctx.parts, settings=closed))
    with pytest.raises(InputInvalid, match="TLS"):
        await tenants.set_oidc(strict, terms(at.provider), "x")
    port = at.provider.issuer.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "2130706433"):
        await tenants.set_oidc(strict, terms(at.provider, issuer=f"https://{host}:{port}"), "x")
        with pytest.raises(ProviderUnusable, match=r"private network|cannot be found"):
            await tenants.try_oidc(strict)
    assert at.provider.asked == {}


async def test_loopback_is_open_where_the_operator_opened_it(one_ctx: Context, provider: LyingProvider) -> None:
    at = await company(open_to_loopback(one_ctx), provider)
    assert (await tenants.try_oidc(at.acme)).keys == 1
