"""A tenant that requires a second factor of its people."""

from typing import NamedTuple

import msgspec
import pytest

from tests import cast, customers
from tests.identity.apps import App, challenged, finish, with_app
from tests.identity.calls import calls_of
from veloflux import identity, tenants
from veloflux.context import PLATFORM, Actor, Context
from veloflux.errors import Conflict, NotFound, SecondFactorNeeded
from veloflux.identity.factors_model import FactorAnswer
from veloflux.tenants import Tenant


class Acme(NamedTuple):
    """Alice owns it and has an app; bob is a member and has none."""

    alice: Context
    bob: Context
    carol: Context
    tenant: Tenant
    app: App


@pytest.fixture
async def acme(one_ctx: Context) -> Acme:
    members = await cast.assemble(one_ctx)
    app, _ = await with_app(members.alice)
    alice = cast.acting(one_ctx, await finish(one_ctx, await challenged(one_ctx, "alice"), app.code()))
    return Acme(alice, members.bob, members.carol, members.acme, app)


async def required(acme: Acme) -> None:
    await tenants.require_second_factor(await cast.within(acme.alice, acme.tenant), True)


async def test_from_the_next_request_on_a_session_without_it_is_refused_until_it_is_raised(
    one_ctx: Context, acme: Acme
) -> None:
    assert await cast.within(acme.bob, acme.tenant)
    await required(acme)
    with pytest.raises(SecondFactorNeeded):
        await cast.within(acme.bob, acme.tenant)
    signed_in = await identity.log_in(cast.fresh(one_ctx), cast.email("bob"), cast.PASSWORD)
    await with_app(cast.acting(one_ctx, signed_in))
    person = await identity.authenticate(one_ctx.parts, signed_in.token)
    assert await cast.within(cast.fresh(one_ctx).acting(person.actor()), acme.tenant)


async def test_an_old_session_of_its_owner_is_refused_and_raised_by_a_code(one_ctx: Context, acme: Acme) -> None:
    await identity.remove_totp(acme.alice, password=cast.PASSWORD)
    old = await identity.log_in(cast.fresh(one_ctx), cast.email("alice"), cast.PASSWORD)
    app, _ = await with_app(acme.alice)
    await required(acme)
    with pytest.raises(SecondFactorNeeded):
        await cast.within(cast.acting(one_ctx, old), acme.tenant)
    await identity.step_up(cast.acting(one_ctx, old), FactorAnswer(code=app.code()))
    person = await identity.authenticate(one_ctx.parts, old.token)
    assert await cast.within(cast.fresh(one_ctx).acting(person.actor()), acme.tenant)


async def test_nobody_requires_what_they_have_not_proved(one_ctx: Context, acme: Acme) -> None:
    within = await cast.within(acme.alice, acme.tenant)
    for factors in ((), ("password",)):
        weak = within.acting(msgspec.structs.replace(within.actor, factors=factors))
        with pytest.raises(SecondFactorNeeded):
            await tenants.require_second_factor(weak, True)
    key = within.acting(Actor(id="key_1", tenant=acme.tenant.id, role="owner"))
    with pytest.raises(SecondFactorNeeded):
        await tenants.require_second_factor(key, True)
    assert (await cast.within(acme.bob, acme.tenant)).scope


async def test_keys_are_not_concerned_and_to_strangers_the_tenant_is_not_there(one_ctx: Context, acme: Acme) -> None:
    key = await customers.key(customers.of(one_ctx, acme.tenant))
    await required(acme)
    actor = await tenants.authenticate_api_key(one_ctx.parts, key.token, "203.0.113.7")
    assert await cast.within(cast.fresh(one_ctx).acting(actor), acme.tenant)
    with pytest.raises(NotFound):
        await cast.within(acme.carol, acme.tenant)


async def test_it_is_required_no_longer(one_ctx: Context, acme: Acme) -> None:
    await required(acme)
    within = await cast.within(acme.alice, acme.tenant)
    assert not (await tenants.require_second_factor(within, False)).requires_second_factor
    assert await cast.within(acme.bob, acme.tenant)


async def test_the_platforms_own_tenant_cannot_require_it(one_ctx: Context) -> None:
    olivia = await tenants.authorise(await cast.operator(one_ctx), PLATFORM, "tenant:write")
    with pytest.raises(Conflict):
        await tenants.require_second_factor(olivia, True)


async def test_it_costs_no_round_trip(one_ctx: Context, acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    for _ in range(2):
        with calls_of(one_ctx, monkeypatch) as sent:
            await cast.within(acme.alice, acme.tenant)
        counts.append(len(sent))
        await required(acme)
    assert counts[0] == counts[1] > 0
