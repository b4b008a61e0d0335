"""POST /api/check: whose key may ask, and what the answer says."""

from typing import Any

import msgspec
import pytest

from tests import whole_database
from tests.customers import customer, key, put_policy, quota, service_key
from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import InputInvalid, LimitReached, NotAuthenticated, NotFound, PermissionDenied
from veloflux.kit.http import Received
from veloflux.limits import RateState
from veloflux.limits.api import decide
from veloflux.metering import read_usage

ASKED = {"meter": "requests", "cost": 1, "id": "request-1"}


async def answered(ctx: Context, token: str, asked: Any = ASKED) -> Any:
    body = asked if isinstance(asked, bytes) else msgspec.json.encode(asked)
    return msgspec.json.decode(await decide(ctx.parts, Received(token, body, b"", "203.0.113.9")))


async def test_a_tenants_key_is_answered_with_the_quotas_figures(ctx: Context) -> None:
    acme = await customer(ctx)
    answer = await answered(acme, (await key(acme)).token)
    assert answer == {
        "allowed": True,
        "limit": 1000,
        "used": 1,
        "remaining": 999,
        "reset_at": 1_748_746_800_000,
        "overage": 0,
        "credits": 0,
        "feature": None,
        "rates": [{"name": "per_second", "limit": 20, "window": 2, "remaining": 19, "reset": 1}],
        "watching": [],
        "failed_open": False,
    }


async def test_a_refusal_names_the_limit_its_figures_and_when_to_repeat(ctx: Context) -> None:
    acme = await customer(ctx)
    token = (await key(acme)).token
    await put_policy(acme, quotas=(quota(1),))
    await answered(acme, token)
    with pytest.raises(LimitReached, match="quota of requests") as caught:
        await answered(acme, token, {"meter": "requests"})
    reset_at, retry_after = caught.value.extra.pop("reset_at"), caught.value.extra.pop("retry_after")
    assert caught.value.extra == {
        "allowed": False,
        "refused_by": "quota:requests",
        "limit": 1,
        "used": 1,
        "remaining": 0,
        "overage": 0,
        "credits": 0,
        "feature": None,
        "rates": (RateState(name="per_second", limit=20, window=2, remaining=19, reset=1),),
        "watching": (),
        "failed_open": False,
    }
    assert retry_after == (reset_at - 1_747_494_000_000) // 1000


async def test_a_service_key_asks_for_the_tenant_in_the_body(ctx: Context) -> None:
    acme = await customer(ctx)
    assert acme.scope
    token = await service_key(acme)
    for number, ref in enumerate((acme.scope.slug, acme.tenant), 1):
        answer = await answered(acme, token, {"meter": "requests", "tenant": ref})
        assert answer["used"] == number
    with pytest.raises(InputInvalid, match="must name the tenant"):
        await answered(acme, token)
    with pytest.raises(NotFound):
        await answered(acme, token, ASKED | {"tenant": "nobody"})


async def test_a_tenants_key_may_name_its_own_tenant_and_no_other(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    token = (await key(acme)).token
    assert (await answered(acme, token, ASKED | {"tenant": "acme"}))["used"] == 1
    with pytest.raises(NotFound):
        await answered(acme, token, ASKED | {"tenant": "globex"})
    assert (await read_usage(globex, "requests")).total == 0


async def test_who_may_not_ask_changes_nothing(ctx: Context) -> None:
    acme = await customer(ctx)
    revoked = await key(acme)
    await tenants.revoke_api_key(acme, revoked.key.id)
    viewer = (await key(acme, "viewer")).token
    before = await whole_database.contents(ctx.db)
    other_tenant = revoked.token.replace(acme.tenant[4:], "0" * 26)
    for token in ("", "nonsense", revoked.token, other_tenant, revoked.token[:-1] + "0"):
        with pytest.raises(NotAuthenticated):
            await answered(acme, token)
    with pytest.raises(PermissionDenied):
        await answered(acme, viewer)
    assert await whole_database.contents(ctx.db) == before


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"{",
        b"[]",
        b'{"meter": "\xff"}',
        {"cost": 1},
        {"meter": 1},
        {"meter": "requests", "cost": 0},
        {"meter": "requests", "cost": -1},
        {"meter": "requests", "cost": 10**9 + 1},
        {"meter": "requests", "cost": 1.5},
        {"meter": "requests", "cost": "1"},
        {"meter": "requests", "unknown": 1},
        {"meter": "requests", "id": "x" * 201},
        {"meter": "no such meter"},
    ],
)
async def test_what_is_no_question_is_an_input_error(one_ctx: Context, wrong: Any) -> None:
    acme = await customer(one_ctx)
    token = (await key(acme)).token
    before = await whole_database.contents(one_ctx.db)
    with pytest.raises(InputInvalid):
        await answered(acme, token, wrong)
    assert await whole_database.contents(one_ctx.db) == before
