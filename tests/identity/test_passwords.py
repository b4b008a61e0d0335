"""Which passwords are accepted, and how their hashes grow newer."""

import asyncio
import threading

import bcrypt
import pytest
from argon2 import PasswordHasher

from tests.cast import PASSWORD, email, fresh, person
from veloflux import identity
from veloflux.context import Context
from veloflux.db import keys, streams
from veloflux.errors import CredentialsWrong, InputInvalid, PasswordCommon, Unavailable
from veloflux.identity import passwords

# Made by other programs than ours: htpasswd writes $2y$.
BCRYPTS = {kind: bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()[4:] for kind in ("2a", "2b", "2y")}


async def stored(ctx: Context, user: str) -> str:
    return str(await ctx.db.call("HGET", keys.user(user), "password_hash"))


async def log_in(ctx: Context, password: str = PASSWORD) -> identity.SignedIn:
    return await identity.log_in(fresh(ctx), email("ana"), password)


async def imported(ctx: Context, password_hash: str) -> str:
    """Ana, with a hash that somebody else made; gives her id."""
    ana = (await person(ctx, "ana")).actor.person
    await ctx.db.call("HSET", keys.user(ana), "password_hash", password_hash)
    return ana


@pytest.mark.parametrize("password", ["password", "PassWord", "12345678", "iloveyou", "\uff50assword"])
def test_a_common_password_is_refused_however_it_is_written(password: str) -> None:
    with pytest.raises((PasswordCommon, InputInvalid)) as refused:
        passwords.check(password)
    assert (refused.value.code, refused.value.extra["field"]) == ("password_common", "password")


@pytest.mark.parametrize("password", [PASSWORD, "p" * 256, "пароль-мой", "密码密码密码密码", "zq7 vk2x"])
def test_any_other_text_of_8_to_256_characters_is_a_password(password: str) -> None:
    passwords.check(password)


@pytest.mark.parametrize("kind", BCRYPTS)
async def test_who_was_imported_with_a_bcrypt_hash_signs_in_and_has_argon2id_then(one_ctx: Context, kind: str) -> None:
    ana = await imported(one_ctx, f"${kind}${BCRYPTS[kind]}")
    with pytest.raises(CredentialsWrong):
        await log_in(one_ctx, "a wrong guess")
    assert (await stored(one_ctx, ana)).startswith(f"${kind}$")
    await log_in(one_ctx)
    assert (await stored(one_ctx, ana)).startswith("$argon2id$")
    await log_in(one_ctx)
    changes = [event.changes[ana] for event in await streams.after(one_ctx.db, ana, "", 100) if "rehash" in event.name]
    assert changes == [{"password_hash": ["***", "***"]}]


async def test_a_long_password_and_what_is_no_hash_are_no_faults(one_ctx: Context) -> None:
    long = "a long password " * 10
    stored = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    assert await passwords.matches(one_ctx.settings, stored, long)
    for broken in ("$2b$", "$2b$04$short", "$2a$99$" + "a" * 53, "$argon2id$", "plain"):
        assert not await passwords.matches(one_ctx.settings, broken, long)
    assert not await passwords.matches(one_ctx.settings, stored, "\0" * 8 + "\ud800")


async def test_a_hash_of_other_parameters_is_renewed_once_by_log_ins_at_the_same_time(ctx: Context) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    ana = await imported(ctx, old)
    await asyncio.gather(*(log_in(ctx) for _ in range(4)))
    assert not passwords.is_outdated(await stored(ctx, ana))
    names = [event.name for event in await streams.after(ctx.db, ana, "", 100)]
    assert names.count("user.password_rehashed") == 1
    assert await log_in(ctx)


async def test_as_many_as_the_setting_says_are_hashed_at_once_and_who_waits_too_long_is_sent_away(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "WAIT_S", 0.2)
    go, running, most = threading.Event(), 0, 0
    lock = threading.Lock()

    def work() -> bool:
        nonlocal running, most
        with lock:
            running, most = running + 1, max(most, running + 1)
        go.wait(10)
        with lock:
            running -= 1
        return True

    tasks = [asyncio.create_task(passwords._in_thread(one_ctx.settings, work)) for _ in range(6)]
    done, waiting = await asyncio.wait(tasks, timeout=2)
    go.set()
    assert [type(task.exception()) for task in done] == [Unavailable] * 4
    assert await asyncio.gather(*waiting) == [True, True]
    assert most == one_ctx.settings.password_hash_threads == 2
    assert await passwords._in_thread(one_ctx.settings, lambda: True)
