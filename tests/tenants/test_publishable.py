import doctest

import pytest

from tests import customers
from veloflux import limits, tenants
from veloflux.context import PLATFORM, Context
from veloflux.errors import InputInvalid, NotAuthenticated, PermissionDenied
from veloflux.kit import clock, crypto
from veloflux.kit.http import Received
from veloflux.limits.api import decide
from veloflux.tenants import KeyTerms, NewApiKey, api_keys, origins


async def publishable(ctx: Context, terms: KeyTerms = api_keys.WITHOUT) -> NewApiKey:
    return await tenants.create_api_key(ctx, "page", "", terms, "publishable")


async def admitted(ctx: Context, token: str, address: str = "203.0.113.9", origin: str = "") -> str:
    return (await tenants.authenticate_publishable_key(ctx.parts, token, address, origin)).id


async def test_a_publishable_key_is_nobody_where_a_secret_one_is_asked(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    new = await publishable(acme)
    assert new.token.startswith(f"vf_pub_{acme.tenant[4:]}_")
    assert (new.key.kind, new.key.permissions) == ("publishable", ("usage:write",))
    disguised = new.token.replace("vf_pub_", "vf_test_")
    for token in (new.token, disguised):
        with pytest.raises(NotAuthenticated):
            await tenants.authenticate_api_key(ctx.parts, token)
        with pytest.raises(NotAuthenticated):
            await decide(acme.parts, Received(token, b'{"meter": "requests"}', b"", "203.0.113.9"))
    secret = await customers.key(acme)
    with pytest.raises(NotAuthenticated):
        await admitted(acme, secret.token.replace("vf_test_", "vf_pub_"))


async def test_the_script_of_a_check_does_not_take_the_digest_that_a_disguised_key_has(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    new = await publishable(acme)
    asked = limits.Question(
        meter="requests", id="", key=(new.key.id, crypto.digest(new.token.rpartition("_")[2])), address=""
    )
    with pytest.raises(NotAuthenticated):
        await limits.check(acme.parts, acme.tenant, asked)


async def test_it_ends_by_its_terms_by_rotation_and_by_its_beginning(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    new = await publishable(acme, KeyTerms(addresses=("203.0.113.0/24",), expires_at=clock.now_ms() + clock.DAY_MS))
    assert await admitted(acme, new.token) == new.key.id
    [kept] = (await tenants.list_api_keys(acme)).items
    assert kept.used_at
    with pytest.raises(NotAuthenticated):
        await admitted(acme, new.token, "198.51.100.1")
    successor = await tenants.rotate_api_key(acme, new.key.id)
    assert (successor.key.kind, await admitted(acme, successor.token)) == ("publishable", successor.key.id)
    await customers.expire(acme, successor)
    for token in (new.token, successor.token, "vf_pub_0_", new.token + "\n", new.token[:-1] + "0"):
        with pytest.raises(NotAuthenticated):
            await admitted(acme, token)
    leaked = await publishable(acme)
    assert (await tenants.revoke_leaked_key(ctx, leaked.token)).key.id == leaked.key.id
    with pytest.raises(NotAuthenticated):
        await admitted(acme, leaked.token)


async def test_only_who_may_record_makes_one_and_it_may_nothing_else(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    lacking = acme.within(acme.scope, acme.permissions - {"usage:write"}) if acme.scope else acme
    with pytest.raises(PermissionDenied):
        await publishable(lacking)
    for role, terms in (("admin", KeyTerms()), ("", KeyTerms(permissions=("usage:read",)))):
        with pytest.raises(InputInvalid):
            await tenants.create_api_key(acme, "page", role, terms, "publishable")
    with pytest.raises(InputInvalid, match="publishable"):
        await customers.key(acme, origins=("https://app.example",))
    with pytest.raises(InputInvalid):
        await publishable(customers.of(ctx, await tenants.find(ctx, PLATFORM)))


@pytest.mark.parametrize(
    "text",
    ["", "*", "null", "https://*", "http://app.example", "https://app.example/", "https://a b", "https://u@a.example"],
)
async def test_an_origin_is_exact_and_safe(one_ctx: Context, text: str) -> None:
    with pytest.raises(InputInvalid, match="origin"):
        await publishable(await customers.customer(one_ctx), KeyTerms(origins=(text,)))


def test_at_most_twenty_origins_in_one_way_of_writing() -> None:
    assert doctest.testmod(origins).failed == 0
    assert origins.checked(["http://[::1]:3000", "http://localhost:80"]) == ("http://[::1]:3000", "http://localhost")
    with pytest.raises(InputInvalid, match="20"):
        origins.checked([f"https://a{number}.example" for number in range(21)])
