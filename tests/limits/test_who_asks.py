"""Checks with what the script does not verify itself: the operator's service keys, and short-lived tokens."""

from typing import Any

import msgspec
import pytest

from tests import tape
from tests.customers import customer, expire, key, put_policy, rate, service_key
from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import (
    LimitReached,
    NotAuthenticated,
    NotFound,
    OriginRefused,
    PermissionDenied,
    TenantSuspended,
    VeloFluxError,
)
from veloflux.kit import ids
from veloflux.kit.http import Received
from veloflux.limits.api import decide
from veloflux.limits.reservations_api import reserve_units
from veloflux.metering import read_usage
from veloflux.metering.ingest import ingest
from veloflux.tenants import NewApiKey
from veloflux.tenants.model import NewToken

ASKED = {"meter": "requests"}
EVENT = {"type": "http.request", "id": "a", "data": {"bytes": 1}}
HERE = "203.0.113.9"


async def answered(ctx: Context, token: str, asked: Any = ASKED, address: str = HERE) -> Any:
    received = Received(token, msgspec.json.encode(asked), b"", address)
    return msgspec.json.decode(await decide(ctx.parts, received))


async def made(acme: Context, permissions: tuple[str, ...] = ("usage:write",)) -> tuple[NewApiKey, NewToken]:
    """A secret key, and a token that it has made."""
    maker = await key(acme)
    actor = await tenants.authenticate_api_key(acme.parts, maker.token)
    inside = await tenants.authorise(acme.acting(actor), acme.tenant, "tenant:read")
    return maker, await tenants.create_token(inside, permissions)


async def test_a_token_checks_reserves_and_records_for_its_tenant_alone(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    _, new = await made(acme)
    assert (await answered(acme, new.token))["used"] == 1
    assert (await answered(acme, new.token, ASKED | {"tenant": "acme"}))["used"] == 2
    await ingest(ctx.parts, Received(new.token, msgspec.json.encode(EVENT), b"", HERE))
    assert (await answered(acme, new.token))["used"] == 4
    reserving = Received(new.token, msgspec.json.encode(ASKED | {"cost": 2}), b"", HERE)
    assert msgspec.json.decode(await reserve_units(ctx.parts, reserving))["cost"] == 2
    with pytest.raises(NotFound):
        await answered(acme, new.token, ASKED | {"tenant": "globex"})
    assert (await read_usage(globex, "requests")).total == 0


async def test_a_token_without_the_permission_checks_nothing(ctx: Context) -> None:
    acme = await customer(ctx)
    _, new = await made(acme, ("usage:read",))
    with pytest.raises(PermissionDenied):
        await answered(acme, new.token)
    assert (await read_usage(acme, "requests")).total == 0


@pytest.mark.parametrize("end", ["token revoked", "maker revoked", "maker expired", "another secret", "suspended"])
async def test_from_its_end_on_a_token_checks_nothing(one_ctx: Context, end: str) -> None:
    acme = await customer(one_ctx)
    maker, new = await made(acme)
    await answered(acme, new.token)
    token, error = new.token, NotAuthenticated
    match end:
        case "token revoked":
            await tenants.revoke_token(acme, new.shown.id)
        case "maker revoked":
            await tenants.revoke_api_key(acme, maker.key.id)
        case "maker expired":
            await expire(acme, maker)
        case "another secret":
            token = new.token[:-1] + ("0" if new.token[-1] != "0" else "1")
        case _:
            await tenants.suspend_tenant(acme, "unpaid")
            error = TenantSuspended
    with pytest.raises(error):
        await answered(acme, token)
    assert (await read_usage(acme, "requests")).total == 1


@pytest.mark.parametrize("end", ["revoked", "expired", "suspended"])
async def test_from_its_end_on_a_service_key_checks_nothing(one_ctx: Context, end: str) -> None:
    acme = await customer(one_ctx)
    asked, token = ASKED | {"tenant": "acme"}, await service_key(acme)
    await answered(acme, token, asked)
    platform, id_ = tenants.named_by(token)
    operators = acme.within(tenants.scope_of(await tenants.find(acme, platform)), tenants.EVERYTHING)
    match end:
        case "revoked":
            await tenants.revoke_api_key(operators, id_)
        case "expired":
            await expire(operators, NewApiKey(key=await tenants.find_api_key(operators, id_), token=token))
        case _:
            await tenants.suspend_tenant(acme, "unpaid")
    with pytest.raises(TenantSuspended if end == "suspended" else NotAuthenticated):
        await answered(acme, token, asked)
    assert (await read_usage(acme, "requests")).total == 1


async def test_a_page_of_another_origin_checks_only_where_the_tenant_lists_it(ctx: Context) -> None:
    acme = await customer(ctx)
    _, new = await made(acme)
    received = Received(new.token, b'{"meter": "requests"}', b"", HERE, "https://app.example", "https://app.example")
    with pytest.raises(OriginRefused):
        await decide(ctx.parts, received)
    await tenants.set_origins(acme, ["https://app.example"])
    assert msgspec.json.decode(await decide(ctx.parts, received))["used"] == 1


async def test_a_page_cannot_say_that_it_asks_from_elsewhere(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(rate(count=1, burst=1, per="address", per_s=60),))
    _, new = await made(acme)
    await answered(acme, new.token)
    with pytest.raises(LimitReached):
        await answered(acme, new.token, ASKED | {"address": "198.51.100.7"})
    assert (await answered(acme, new.token, address="198.51.100.7"))["used"] == 2


@pytest.mark.parametrize("who", ["service key, slug", "service key, id", "key that names its tenant", "token"])
async def test_who_asks_is_read_in_one_round_trip_and_the_check_is_the_second(ctx: Context, who: str) -> None:
    acme = await customer(ctx)
    asked: dict[str, str] = ASKED
    if who == "token":
        _, new = await made(acme)
        token = new.token
    elif who.startswith("service"):
        token, asked = await service_key(acme), ASKED | {"tenant": "acme" if "slug" in who else acme.tenant}
    else:
        token, asked = (await key(acme)).token, ASKED | {"tenant": "acme"}
    for _ in range(2):  # what can be remembered is, and that the key was used is noted
        await answered(acme, token, asked)
    with tape.taped(ctx.db) as heard:
        await answered(acme, token, asked)
    assert heard.waves == 2, heard.commands


async def test_events_too_read_who_sends_them_in_one_round_trip(ctx: Context) -> None:
    acme = await customer(ctx)
    token = await service_key(acme)
    for _ in range(2):
        await ingest(ctx.parts, Received(token, msgspec.json.encode(EVENT), b"tenant=acme", HERE))
    with tape.taped(ctx.db) as heard:
        await ingest(ctx.parts, Received(token, msgspec.json.encode(EVENT), b"tenant=acme", HERE))
    assert heard.waves == 1, heard.commands


async def test_a_wrong_key_hears_the_same_of_a_tenant_and_of_none(ctx: Context) -> None:
    acme = await customer(ctx)
    right = await service_key(acme)
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    heard = []
    for ref in ("acme", "nobody", acme.tenant, ids.new("ten")):
        with tape.taped(ctx.db) as taped, pytest.raises(VeloFluxError) as caught:
            await answered(acme, wrong, ASKED | {"tenant": ref})
        heard.append((caught.value.code, str(caught.value), [one[0] for one in taped.commands]))
    assert heard[0] == heard[1]
    assert heard[2] == heard[3]
    assert heard[0][0] == "not_authenticated"
