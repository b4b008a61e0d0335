import pytest

from tests import cast
from veloflux import audit, tenants
from veloflux.audit import Change
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import CursorInvalid
from veloflux.kit import page


def changed(entry: audit.Entry, field: str) -> Change | None:
    return next((change for change in entry.changes if change.field == field), None)


async def test_every_change_is_there_newest_first_with_actor_address_and_request(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    new = await tenants.create_api_key(alice, "server")
    entries = (await audit.list_trail(alice)).items
    assert [entry.name for entry in entries] == [
        "api_key.created",
        "member.joined",
        "invitation.accepted",
        "invitation.created",
        "member.joined",
        "tenant.created",
    ]
    latest = entries[0]
    assert (latest.actor, latest.address, latest.request) == (alice.actor.id, "203.0.113.7", alice.request)
    assert latest.data == {"key": new.key.id, "role": "member"}
    assert changed(latest, "name") == Change(subject=new.key.id, field="name", before=None, after="server")
    assert changed(latest, "digest") == Change(subject=new.key.id, field="digest", before=None, after="***")


async def test_a_change_shows_what_was_before(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    new = await tenants.create_api_key(alice, "server")
    await tenants.revoke_api_key(alice, new.key.id)
    latest = (await audit.list_trail(alice)).items[0]
    assert changed(latest, "status") == Change(subject=new.key.id, field="status", before="active", after="revoked")
    assert {change.field for change in latest.changes} == {"status", "revoked_at"}


async def test_personal_values_are_shown_until_their_key_is_destroyed_and_never_again(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    invitation = await tenants.invite(alice, "new@example.com", "member")
    latest = (await audit.list_trail(alice)).items[0]
    assert changed(latest, "email") == Change(
        subject=invitation.id, field="email", before=None, after="new@example.com"
    )
    await ctx.db.call("DEL", keys.data_key(scene.acme.id, invitation.id))
    await ctx.db.call("DEL", keys.data_key(alice.actor.person, alice.actor.person))
    latest = (await audit.list_trail(alice)).items[0]
    assert changed(latest, "email") == Change(subject=invitation.id, field="email", before=None, after="(erased)")
    assert changed(latest, "role") == Change(subject=invitation.id, field="role", before=None, after="member")
    assert latest.address == "(erased)"


async def test_a_name_that_looks_sealed_is_shown_as_it_is(one_ctx: Context) -> None:
    made = await tenants.create_tenant(one_ctx, "sealed", slug="acme")
    [entry] = (await audit.list_trail(one_ctx.within(tenants.scope_of(made)))).items
    assert changed(entry, "name") == Change(subject=made.id, field="name", before=None, after="sealed")


async def test_filters_by_name_and_actor_and_pages_are_the_whole_trail_in_order(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    for number in range(7):
        await tenants.create_api_key(alice, f"key {number}")
    seen, cursor = list[str](), ""
    while True:
        found = await audit.list_trail(alice, cursor=cursor, limit=3)
        assert len(found.items) <= 3
        seen += [entry.id for entry in found.items]
        if not found.next:
            break
        cursor = found.next
    assert seen == [entry.id for entry in (await audit.list_trail(alice)).items]
    assert len(seen) == 12
    created = await audit.list_trail(alice, name="api_key.created")
    assert [entry.name for entry in created.items] == ["api_key.created"] * 7
    by_bob = await audit.list_trail(alice, actor=scene.bob.actor.id)
    assert [entry.name for entry in by_bob.items] == ["member.joined", "invitation.accepted"]
    assert (await audit.list_trail(alice, name="member.joined", actor=scene.alice.actor.id)).items[
        0
    ].actor == alice.actor.id


async def test_a_filter_that_fits_nothing_looks_at_a_bounded_part_and_says_where_to_go_on(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await cast.assemble(one_ctx)
    alice = await cast.within(scene.alice, scene.acme)
    first = (await audit.list_trail(alice)).items[-1]
    monkeypatch.setattr("veloflux.audit.trail.LOOKED_AT_MAX", 4)
    monkeypatch.setattr("veloflux.audit.trail.CHUNK", 2)
    found = await audit.list_trail(alice, name="tenant.created")
    assert found.items == []
    rest = await audit.list_trail(alice, name="tenant.created", cursor=found.next or "")
    assert [entry.id for entry in rest.items] == [first.id]


async def test_a_trail_is_its_tenants_alone(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    carol = await cast.within(scene.carol, scene.globex)
    assert [entry.data for entry in (await audit.list_trail(carol)).items][-1] == {"tenant": scene.globex.id}
    assert scene.acme.id not in str(await audit.list_trail(carol))


@pytest.mark.parametrize("cursor", ["%", page.encode("1"), page.encode("1-1 "), page.encode("+"), page.encode("1-x")])
async def test_a_cursor_of_another_form_is_refused(one_ctx: Context, cursor: str) -> None:
    scene = await cast.assemble(one_ctx)
    with pytest.raises(CursorInvalid):
        await audit.list_trail(await cast.within(scene.alice, scene.acme), cursor=cursor)


def test_the_names_for_the_filter_are_those_of_all_events() -> None:
    assert {"tenant.created", "session.started", "job.died"} <= set(audit.event_names())
