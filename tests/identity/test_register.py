import asyncio

import pytest

from tests.cast import PASSWORD, fresh
from veloflux import identity
from veloflux.context import Context
from veloflux.db import keys, streams
from veloflux.errors import InputInvalid, NameTaken
from veloflux.identity import passwords


async def register(ctx: Context, email: str = "ana@example.com", password: str = PASSWORD) -> identity.User:
    return await identity.register(fresh(ctx), name="Ana Souza", email=email, password=password)


async def test_a_person_who_registered_is_found_by_any_spelling_of_the_address(ctx: Context) -> None:
    user = await register(ctx, "Ana.Souza@EXÄMPLE.com")
    for spelling in ("ana.souza@exämple.com", "ANA.SOUZA@xn--exmple-cua.com", " ana.\uff53ouza@Exämple.com "):
        found = await identity.find_by_email(ctx, identity.parse_email(spelling))
        assert found == user


async def test_of_many_who_claim_one_address_at_the_same_time_one_gets_it(ctx: Context) -> None:
    spellings = ["ana@example.com", "Ana@Example.com", "ANA@EXAMPLE.COM", "ana@example.COM"] * 2
    ended = await asyncio.gather(*(register(ctx, one) for one in spellings), return_exceptions=True)
    [user] = [one for one in ended if isinstance(one, identity.User)]
    assert [type(one) for one in ended if one is not user] == [NameTaken] * 7
    assert await identity.find_by_email(ctx, identity.parse_email("ana@example.com")) == user


async def test_registering_leaves_an_event_by_the_person_with_name_and_address_sealed(one_ctx: Context) -> None:
    user = await register(one_ctx)
    [event] = await streams.after(one_ctx.db, user.id, "", 10)
    assert (event.name, event.actor, event.data) == ("user.registered", user.id, {"user": user.id})
    changes = event.changes[user.id]
    assert changes["password_hash"] == [None, "***"]
    assert {name for name, change in changes.items() if change[2:] == ["sealed"]} == {"name", "email", "email_digest"}
    assert "ana" not in str(event).lower()


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "a b@example.com",
        "ana@exa mple.com",
        "ana@example..com",
        "ana@-.com",
        "ana\n@example.com",
        "ana@example.com\r\nBcc: x@example.com",
        "<ana@example.com>",
        "ana@[127.0.0.1]",
        f"{'a' * 65}@example.com",
        f"ana@{'a.' * 130}com",
        '"ana"@example.com',
        ".ana@example.com",
        "ana..b@example.com",
        "ana@example.com,bob@example.com",
        "\ud800@example.com",
        "a\u200bna@example.com",
        "ana\x7f@example.com",
    ],
)
async def test_what_is_no_address_is_refused(one_ctx: Context, email: str) -> None:
    with pytest.raises(InputInvalid, match="e-mail address"):
        await register(one_ctx, email)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 257, "\ud800" * 8])
async def test_a_password_too_short_too_long_or_no_text_is_refused(one_ctx: Context, password: str) -> None:
    with pytest.raises(InputInvalid, match="password"):
        await register(one_ctx, password=password)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "Ana\x00", "Ana\u202egnp"])
async def test_a_name_that_cannot_be_shown_is_refused(one_ctx: Context, name: str) -> None:
    with pytest.raises(InputInvalid, match="name"):
        await identity.register(one_ctx, name=name, email="ana@example.com", password=PASSWORD)


async def test_any_unicode_is_a_password_however_a_keyboard_composes_it(one_ctx: Context) -> None:
    settings = one_ctx.settings
    stored = await passwords.hashed(settings, "pässwörd 🔑 密码")
    assert await passwords.matches(settings, stored, "pa\u0308sswo\u0308rd 🔑 密码")
    assert not await passwords.matches(settings, stored, "passwörd 🔑 密码")


async def test_nobodys_hash_is_computed_like_a_real_one_and_fits_no_password(one_ctx: Context) -> None:
    stored = await passwords.hashed(one_ctx.settings, PASSWORD)
    assert passwords.NOBODYS.rsplit("$", 2)[0] == stored.rsplit("$", 2)[0]
    assert [len(part) for part in passwords.NOBODYS.split("$")] == [len(part) for part in stored.split("$")]
    assert not await passwords.matches(one_ctx.settings, None, PASSWORD)


async def test_a_refused_registration_leaves_nothing(one_ctx: Context) -> None:
    with pytest.raises(InputInvalid):
        await register(one_ctx, password="short")
    assert await one_ctx.db.every_master("DBSIZE") == [0]


async def test_the_list_of_people_follows_from_their_events(one_ctx: Context) -> None:
    user = await register(one_ctx)
    [event] = await streams.after(one_ctx.db, user.id, "", 10)
    for _ in range(2):
        await identity.index_user(one_ctx, event, None)  # type: ignore[arg-type]
    assert await one_ctx.db.call("ZRANGE", keys.users(), 0, -1) == [user.id]
