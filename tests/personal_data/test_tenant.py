"""A tenant with planted values is exported, deleted, and looked for in all of Redis."""

import msgspec
import pytest

from tests import cast, customers, whole_database
from tests.identity.mails import link_in, mails, work
from tests.personal_data.erasing import crash_once
from tests.personal_data.planting import text_of
from tests.tenants import signing_in
from tests.tenants.lying_provider import SECRET, lying
from veloflux import audit, limits, personal_data, tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.identity import oidc
from veloflux.tenants import SignInAnswer, Tenant, handlers
from veloflux.transaction import MASK

NAME, FORMER, SLUG, REASON = "Plantada Ltda", "Plantinha ME", "plantada-ltda", "plantada owes three invoices"
KEY, METADATA, ADDRESS, INVITED = "plantada gateway", "plantada-sp-1", "198.51.100.0/24", "ana@plantada.example"
ROLE = "what Plantada's sellers do"
RECORD = tenants.RecordChange(
    legal_name="Quitéria Plantada",
    tax_id="529.982.247-25",
    billing_email="contas@plantada.example",
    street="Rua Plantada",
    city="Plantadópolis",
    industry="plantada farming",
    region="plantada south",
    metadata={"crm": "plantada-42"},
)
WRITTEN = [value for value in msgspec.structs.asdict(RECORD).values() if isinstance(value, str) and "." not in value]
GROUP, DOMAINS, PERSON = "Plantada bosses", ("example.com", "plantada.example"), "caio@plantada.example"
IN_EXPORT = (NAME, FORMER, SLUG, REASON, KEY, METADATA, ADDRESS, INVITED, ROLE, *WRITTEN, "52998224725", GROUP, PERSON)
TRACES = ("plantad", "plantinha", "198.51.100", "52998224725", "529.982", "127.0.0.1")


async def plant(ctx: Context) -> tuple[Context, Tenant]:
    """A tenant of which each text is a word that is nowhere else."""
    owner = await cast.person(ctx, "alice")
    made = await tenants.create_tenant(owner, FORMER, mode="sandbox")
    inside = customers.of(ctx, made)
    await tenants.rename_tenant(inside, NAME, SLUG)
    terms = tenants.KeyTerms(metadata={"where": METADATA}, addresses=(ADDRESS,))
    new = await tenants.create_api_key(inside, KEY, "member", terms)
    await tenants.rotate_api_key(inside, new.key.id, 60)
    await tenants.invite(inside, INVITED, "admin")
    await tenants.change_record(inside, RECORD)
    await tenants.create_role(inside, "seller", ("tenant:read",), ROLE)
    inside = await _again(inside)
    await tenants.create_api_key(inside, "plain", "seller")
    await tenants.suspend_tenant(inside, REASON)
    await tenants.resume_tenant(inside)
    inside = await _again(inside)
    await _known_to_its_provider(inside)
    plain = await customers.key(inside)
    assert (await limits.check(ctx.parts, made.id, customers.asked(plain, id_="1"))).allowed
    await work(ctx)
    return inside, made


async def _again(ctx: Context) -> Context:
    """The context of another request, which sees the tenant as it is now."""
    return customers.of(ctx, await tenants.find(ctx, ctx.tenant))


async def _known_to_its_provider(inside: Context) -> None:
    """A person whom the tenant's provider knows, and one whose link was not opened."""
    oidc.forget()
    with lying() as provider:
        inside = signing_in.open_to_loopback(inside)
        terms = signing_in.terms(provider, roles={GROUP: "seller"}, default_role="viewer", domains=DOMAINS)
        await tenants.set_oidc(inside, terms, SECRET)
        for who in ("bia@example.com", PERSON):
            provider.claims = {"sub": who, "email": who}
            started = await tenants.begin_sso(cast.fresh(inside), SLUG)
            answer = SignInAnswer(**provider.send_back(started.url))
            await tenants.finish_sso(cast.fresh(inside), inside.tenant, answer, started.browser)
    await work(inside)
    [mail] = [mail for mail in await mails(inside) if mail.to == "bia@example.com"]
    await tenants.join_by_oidc_link(cast.fresh(inside), link_in(mail, signing_in.PAGE))


async def _delete(inside: Context) -> None:
    """Delete the tenant without grace, and do all the work that follows."""
    settings = msgspec.structs.replace(inside.settings, tenant_grace_days=0)
    at_once = msgspec.structs.replace(inside, parts=msgspec.structs.replace(inside.parts, settings=settings))
    await tenants.delete_tenant(at_once, SLUG)
    await work(inside)


async def traces(ctx: Context) -> dict[str, list[str]]:
    everything = await whole_database.contents(ctx.db)
    found = {key: [word for word in TRACES if word in f"{key} {value}".lower()] for key, value in everything.items()}
    return {key: words for key, words in found.items() if words}


async def test_what_was_planted_of_a_tenant_is_in_the_export_and_after_the_deletion_nowhere(ctx: Context) -> None:
    inside, made = await plant(ctx)
    exported = await text_of(personal_data.export_tenant(inside))
    assert [value for value in IN_EXPORT if value not in exported] == []
    api_keys = [record["value"] for record in msgspec.json.decode(exported) if record["kind"] == "api_key"]
    assert [value for value in api_keys if "digest" in value or "prefix" not in value] == []
    [connection] = [record["value"] for record in msgspec.json.decode(exported) if record["kind"] == "oidc"]
    assert (connection.get("client_secret"), SECRET in exported) == (None, False)
    assert len(await traces(ctx)) >= 4

    await _delete(inside)
    assert await traces(ctx) == {}
    names = {key for key in await whole_database.contents(ctx.db) if key.startswith("vf:name:slug:")}
    assert [key for key in names if made.id in str(await ctx.db.call("GET", key))] == []
    kinds = {keys.entry_of(key) for key in await whole_database.contents(ctx.db) if made.id in key}
    assert {entry.rule.end for entry in kinds if entry} == {"pseudonymised", "kept", "passing"}
    for index in (keys.tenants(), keys.tenants_archived(), keys.jobs_dead()):
        assert await ctx.db.call("ZSCORE", index, made.id) is None


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("step", ["clear_index", "clear_keys"])
async def test_a_crash_while_a_tenant_is_deleted_is_mended_by_going_on(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch, step: str, place: str
) -> None:
    inside, _ = await plant(one_ctx)
    crash_once(monkeypatch, handlers, step, before=place == "before")
    await _delete(inside)
    assert await traces(one_ctx) == {}


async def test_the_trail_tells_the_names_of_a_tenant_until_it_is_deleted(one_ctx: Context) -> None:
    inside, made = await plant(one_ctx)

    async def names() -> set[str | None]:
        entries = (await audit.list_trail(inside)).items
        changes = [change for entry in entries for change in entry.changes if change.field == "name"]
        return {text for change in changes for text in (change.before, change.after)} - {None}

    assert {NAME, FORMER, KEY} <= await names()
    await one_ctx.db.call("DEL", keys.data_key(made.id, made.id))
    assert await names() == {"(erased)", MASK}
