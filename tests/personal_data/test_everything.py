"""One of everything is made, exported, erased, and looked for in all of Redis, in the outbox and in the logs."""

import logging

import msgspec
import pytest
import structlog

from tests import cast, whole_database
from tests.personal_data.erasing import erase
from tests.personal_data.planting import NAME, PASSKEY, PERSON, REASON, ROLE, Planted, Seen, plant, text_of, traces_in
from tests.worker.working import until, working
from veloflux import audit, identity, personal_data
from veloflux.context import Context
from veloflux.db import keys, names
from veloflux.identity import User
from veloflux.notifications import OutboxFolder
from veloflux.worker import TABLES


async def user_of(planted: Planted) -> User:
    return await identity.read_user(planted.person.db, planted.person.actor.person)


async def streams_of(ctx: Context) -> dict[str, list[tuple[str, list[str]]]]:
    names_ = [name for name in await whole_database.contents(ctx.db) if name.endswith(":events")]
    return {name: [tuple(row) for row in await ctx.db.call("XRANGE", name, "-", "+")] for name in names_}


async def test_what_was_planted_of_a_person_is_in_the_export_and_after_the_erasure_nowhere(
    ctx: Context, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        planted = await plant(ctx)
        user, trail = await user_of(planted), await streams_of(ctx)
        exported = await text_of(personal_data.export_person(ctx, user))
        holding = {name for name, value in (await whole_database.contents(ctx.db)).items() if traces_in(value)}
        await erase(ctx, user.id)

    assert len(holding) >= 5, "what looks for the words finds them where they are"
    assert lines
    assert [value for value in PERSON if value not in exported] == []
    everything = await whole_database.contents(ctx.db)
    assert {name: found for name, value in everything.items() if (found := traces_in(f"{name} {value}"))} == {}
    assert [key for key, value in everything.items() if user.email_digest in key + value] == []
    folder = OutboxFolder.of(ctx.settings).folder
    assert [path.name for path in folder.glob("*") if traces_in(path.read_bytes().decode())] == []
    assert traces_in(caplog.text + repr(lines)) == []

    after = await streams_of(ctx)
    assert {name: entries[: len(trail[name])] for name, entries in after.items()} == trail


async def test_every_key_of_the_registry_was_planted(ctx: Context) -> None:
    planted = await plant(ctx)
    seen = Seen(ctx)
    async with working(ctx.parts, TABLES):
        await until(lambda: ctx.db.call("EXISTS", keys.poll_lease()))
        await seen.look()
    await erase(ctx, planted.person.actor.person)
    await seen.look()
    all_of_them = {entry.name for entry in keys.registry()} - {"owner"}  # which is `user` or `tenant`
    missing = sorted(all_of_them - planted.kinds - seen.kinds)
    assert missing == [], "make them in tests/personal_data/planting.py, with something planted in them"


async def test_what_the_registry_says_that_is_deleted_of_an_erased_person_is(ctx: Context) -> None:
    planted = await plant(ctx)
    user = planted.person.actor.person
    await erase(ctx, user)
    found = await whole_database.contents(ctx.db)
    left = {entry.name for name in found if f"{{{user}}}" in name and (entry := keys.entry_of(name))}
    ends = {name: keys.entry(name).rule.end for name in left}
    assert {name for name, end in ends.items() if end == "deleted"} == set()
    assert {name for name, end in ends.items() if end != "passing"} == {"user", "events", "outbox"}
    lists = [keys.users(), keys.jobs_dead(), keys.members(planted.acme.id), keys.due(user)]
    assert [name for name in lists if user in found.get(name, "")] == []
    assert [name for name in found if name.endswith(f":member:{user}")] == []
    assert [name for name, value in found.items() if ":oidc_i" in name and user in value] == []
    assert [name for name in found if ":oidc_link:" in name] == []
    assert keys.role_holders(planted.globex.id, ROLE) not in found


async def test_an_export_has_no_secrets_and_each_kind_of_key_that_the_registry_exports(ctx: Context) -> None:
    planted = await plant(ctx)
    user = await user_of(planted)
    exported = await text_of(personal_data.export_person(ctx, user))
    assert [one for one in ("$argon2", *planted.secrets) if one in exported] == []
    records = msgspec.json.decode(exported)
    kinds = {record["kind"] for record in records}
    assert {"user", "session", "member", "invitation", "event", "message", "job", "known_places"} <= kinds
    assert {"email_change", "impersonation", "oidc_identity", "oidc_link", "passkey", "totp", "recovery_codes"} <= kinds
    values = {record["kind"]: record["value"] for record in records}
    assert (values["passkey"]["name"], values["impersonation"]["reason"]) == (PASSKEY, REASON)
    assert [field for field in ("sealed", "digests") if field in values["totp"] | values["recovery_codes"]] == []
    assert [record["id"] for record in records if record["kind"] == "member"] == [keys.member(planted.acme.id, user.id)]
    [entity] = [record["value"] for record in records if record["kind"] == "user"]
    assert (entity["name"], entity["status"], entity.keys() & {"password_hash", "email_digest"}) == (
        NAME,
        "active",
        set(),
    )


async def test_the_trail_of_a_tenant_says_that_a_person_was_erased_and_keeps_each_entry(ctx: Context) -> None:
    planted = await plant(ctx)
    alice = await cast.within(planted.alice, planted.acme, "audit:read")
    before = (await audit.list_trail(alice)).items
    assert any(entry.address == PERSON[-1] for entry in before)
    await erase(ctx, planted.person.actor.person)
    entries = {entry.id: entry for entry in (await audit.list_trail(alice)).items}
    assert [entry.id for entry in before if entry.id not in entries] == []
    acted = [entry for entry in entries.values() if entry.actor == planted.person.actor.person]
    assert acted
    assert {entry.address for entry in acted} == {"(erased)"}


async def test_the_address_of_an_erased_person_is_free_for_another_account(ctx: Context) -> None:
    planted = await plant(ctx)
    user = await user_of(planted)
    await erase(ctx, user.id)
    again = await identity.register(ctx, name=NAME, email=user.email, password=cast.PASSWORD)
    assert again.id != user.id
    assert await names.resolve(ctx.db, names.Name("email", again.email_digest, "email_digest")) == again.id


async def test_a_process_forgets_a_data_key(one_ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veloflux.db.data_keys.CACHED_S", -0.99)
    user = await identity.register(one_ctx, name=NAME, email=PERSON[1], password=cast.PASSWORD)
    data_keys = one_ctx.parts.data_keys
    assert await data_keys.get(user.id, user.id)
    assert user.id in data_keys._known

    async def forgotten() -> bool:
        return user.id not in data_keys._known

    await until(forgotten)
