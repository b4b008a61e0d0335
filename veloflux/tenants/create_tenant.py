"""A tenant comes into being: with its slug, its policy, and, if a person makes it, its owner."""

import contextlib
import functools
from zoneinfo import available_timezones

from babel.numbers import list_currencies

from veloflux.context import Context
from veloflux.db import keys, names
from veloflux.errors import InputInvalid, NameTaken, PermissionDenied, Unavailable
from veloflux.events import MemberJoined, TenantCreated
from veloflux.identity import Language
from veloflux.kit import clock, ids
from veloflux.kit.period import day_of
from veloflux.kit.text import one_line
from veloflux.plans import pick_plan, read_catalogue, write_policy
from veloflux.tenants import slug as slugs
from veloflux.tenants import store
from veloflux.tenants.access import may_everywhere
from veloflux.tenants.model import Member, Mode, Tenant
from veloflux.transaction import Transaction

NAME_MAX = 120


async def create_tenant(
    ctx: Context,
    name: str,
    *,
    slug: str = "",
    plan: str = "",
    zone: str = "America/Sao_Paulo",
    currency: str = "BRL",
    language: Language = "pt-BR",
    mode: Mode = "live",
) -> Tenant:
    """Create a tenant. A person becomes its owner; operators, and who sits at the terminal, do not become members.

    Without a plan it has the first one of the catalogue. Its billing periods begin on the day it was created.

    :raises InputInvalid: a value is not acceptable. :raises PlanUnknown: the catalogue has no such plan.
    :raises NameTaken: another tenant has the slug.
    :raises PermissionDenied: a person asks for another plan than the first, or the actor is a tenant's key.
    """
    plans = (await read_catalogue(ctx.db)).plans
    owner, now = await _owner(ctx, plan, plans[0].id), clock.now_ms()
    tenant = Tenant(
        id=ids.new("ten"),
        name=one_line(name, "A tenant's name", NAME_MAX),
        slug=slugs.check(slug) if slug else slugs.from_name(name),
        plan=pick_plan(plans, plan or plans[0].id).id,
        zone=checked_zone(zone),
        currency=checked_currency(currency),
        language=language,
        mode=mode,
        owners=1 if owner else 0,
        billing_anchor=day_of(now, zone).isoformat(),
        created_at=now,
    )
    await _commit(ctx, tenant, owner)
    with contextlib.suppress(Unavailable):  # the worker does it again
        await store.project_tenant(ctx.db, tenant.id)
        if owner:
            await store.project_membership(ctx.db, tenant.id, owner)
    return tenant


def checked_zone(zone: str) -> str:
    """:raises InputInvalid: not an IANA time zone."""
    if zone not in zones():
        raise InputInvalid(f"There is no time zone {zone[:60]!r}; write it like America/Sao_Paulo", field="zone")
    return zone


def checked_currency(currency: str) -> str:
    """:raises InputInvalid: not an ISO 4217 code."""
    if currency not in currencies():
        raise InputInvalid(
            f"There is no currency {currency[:60]!r}; write its ISO 4217 code, like BRL", field="currency"
        )
    return currency


@functools.cache
def zones() -> frozenset[str]:
    """Names of the IANA time zones."""
    return frozenset(available_timezones())


@functools.cache
def currencies() -> frozenset[str]:
    """Codes of ISO 4217, those of former currencies too."""
    return frozenset(list_currencies())


async def _owner(ctx: Context, plan: str, first: str) -> str:
    """The person who becomes the owner, or ""."""
    if await may_everywhere(ctx, "tenants:write"):
        return ""
    if not ctx.actor.person:
        raise PermissionDenied("An API key of a tenant cannot create tenants; use one of the platform's")
    if plan and plan != first:
        raise PermissionDenied(f"Begin with the plan {first!r}; an operator can choose another one")
    return ctx.actor.person


async def _commit(ctx: Context, tenant: Tenant, owner: str) -> None:
    try:
        async with names.claimed(ctx.db, store.slug_name(tenant.slug), tenant.id) as claim:
            tx = Transaction(ctx, tenant.id)
            claim.guard(tx)
            tx.create(keys.tenant(tenant.id), tenant)
            await write_policy(ctx.db, tx, tenant)
            tx.event(TenantCreated(tenant=tenant.id))
            if owner:
                tx.create(keys.member(tenant.id, owner), Member(id=owner, role="owner", joined_at=tenant.created_at))
                tx.rank(keys.members(tenant.id), owner, tenant.created_at)
                tx.event(MemberJoined(user=owner, role="owner"))
            await tx.commit()
    except NameTaken:
        raise NameTaken(f"The slug {tenant.slug!r} is taken; choose another", field="slug") from None
