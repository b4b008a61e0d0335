"""What of billing lies in Redis: subscriptions, invoices, credit notes, the profile, numbers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from veloflux.billing.fiscal.model import FiscalDocument
from veloflux.billing.model import CreditNote, Invoice, Payment, Profile, SpendState, Subscription
from veloflux.context import PLATFORM, Context
from veloflux.db import documents, keys, ranking, scripts
from veloflux.db.client import Db
from veloflux.db.documents import Entity
from veloflux.errors import NotFound
from veloflux.kit.page import LIMIT_MAX, Page
from veloflux.ledger import Account

E = TypeVar("E", bound=Entity)
NUMBER = scripts.load("billing", "number")


async def find_profile(db: Db, tenant: str) -> Profile | None:
    return await _find(db, Profile, keys.billing(tenant))


async def find_subscription(db: Db, tenant: str, id_: str) -> Subscription | None:
    return await _find(db, Subscription, keys.subscription(tenant, id_))


async def subscription(ctx: Context, id_: str) -> Subscription:
    """:raises NotFound: the tenant has no such subscription."""
    found = await find_subscription(ctx.db, ctx.tenant, id_)
    if found is None:
        raise NotFound(f"There is no subscription {id_[:60]!r}")
    return found


async def subscriptions(db: Db, tenant: str) -> list[Subscription]:
    """All of a tenant's, the oldest first."""
    found = await db.call("ZRANGE", keys.subscriptions(tenant), 0, -1)
    return await _all(db, Subscription, [keys.subscription(tenant, id_) for id_ in found])


async def other_subscriptions(db: Db, tenant: str, id_: str) -> list[Subscription]:
    """All of a tenant's but one: nothing more is read where it is the only one."""
    found = await db.call("ZRANGE", keys.subscriptions(tenant), 0, -1)
    return await _all(db, Subscription, [keys.subscription(tenant, other) for other in found if other != id_])


async def find_spend(db: Db, tenant: str, id_: str) -> SpendState | None:
    return await _find(db, SpendState, keys.spend(tenant, id_))


async def watched(db: Db) -> list[tuple[str, str]]:
    """Tenant and subscription of all that have alerts or caps."""
    found: list[str] = await db.call("ZRANGE", keys.watched_spend(), 0, -1)
    return [(tenant, id_) for tenant, _, id_ in (member.partition("/") for member in found)]


async def watch(db: Db, tenant: str, id_: str, *, on: bool) -> None:
    """Put a subscription among the watched ones, or take it out."""
    member = keys.watched_member(tenant, id_)
    await (db.call("ZADD", keys.watched_spend(), 0, member) if on else db.call("ZREM", keys.watched_spend(), member))


async def find_invoice(db: Db, tenant: str, id_: str) -> Invoice | None:
    return await _find(db, Invoice, keys.invoice(tenant, id_))


async def invoice(ctx: Context, id_: str) -> Invoice:
    """:raises NotFound: the tenant has no such invoice."""
    found = await find_invoice(ctx.db, ctx.tenant, id_)
    if found is None:
        raise NotFound(f"There is no invoice {id_[:60]!r}")
    return found


async def find_credit_note(db: Db, tenant: str, id_: str) -> CreditNote | None:
    return await _find(db, CreditNote, keys.credit_note(tenant, id_))


async def credit_note(ctx: Context, id_: str) -> CreditNote:
    """:raises NotFound: the tenant has no such credit note."""
    found = await find_credit_note(ctx.db, ctx.tenant, id_)
    if found is None:
        raise NotFound(f"There is no credit note {id_[:60]!r}")
    return found


async def invoices(db: Db, tenant: str, cursor: str, limit: int) -> Page[Invoice]:
    """A page of a tenant's invoices, the newest first."""
    found, following = await ranking.newest(db, keys.invoices(tenant), cursor, limit)
    return Page(await _all(db, Invoice, [keys.invoice(tenant, id_) for id_ in found]), following)


def every_invoice(db: Db, tenant: str) -> AsyncIterator[Invoice]:
    """All of a tenant's invoices, the newest first."""
    return _every(invoices, db, tenant)


def every_credit_note(db: Db, tenant: str) -> AsyncIterator[CreditNote]:
    """All of a tenant's credit notes, the newest first."""
    return _every(credit_notes, db, tenant)


def every_payment(db: Db, tenant: str) -> AsyncIterator[Payment]:
    """All of a tenant's payments, the newest first."""
    return _every(payments, db, tenant)


async def credit_notes(db: Db, tenant: str, cursor: str, limit: int) -> Page[CreditNote]:
    """A page of a tenant's credit notes, the newest first."""
    found, following = await ranking.newest(db, keys.credit_notes(tenant), cursor, limit)
    return Page(await _all(db, CreditNote, [keys.credit_note(tenant, id_) for id_ in found]), following)


async def find_payment(db: Db, tenant: str, id_: str) -> Payment | None:
    return await _find(db, Payment, keys.payment(tenant, id_))


async def payments(db: Db, tenant: str, cursor: str, limit: int) -> Page[Payment]:
    """A page of a tenant's payments, the newest first."""
    found, following = await ranking.newest(db, keys.payments(tenant), cursor, limit)
    return Page(await _all(db, Payment, [keys.payment(tenant, id_) for id_ in found]), following)


async def unproven(db: Db, tenant: str, cursor: str, limit: int) -> Page[Invoice]:
    """A page of the invoices of which the tenant withheld what it has not proven, the newest first."""
    found, following = await ranking.newest(db, keys.unproven(tenant), cursor, limit)
    return Page(await _all(db, Invoice, [keys.invoice(tenant, id_) for id_ in found]), following)


async def overdue(db: Db, tenant: str) -> list[Invoice]:
    """The invoices that could not be collected."""
    found = await db.call("ZRANGE", keys.overdue(tenant), 0, -1)
    return await _all(db, Invoice, [keys.invoice(tenant, id_) for id_ in found])


async def ask_sandbox(db: Db, tenant: str, charge: str, meets: str) -> tuple[str, int]:
    """What a charge of the sandbox's provider meets, which the first asking settles; and how often it was asked."""
    key = keys.charges(tenant)
    await db.call("HSETNX", key, charge, meets)
    return await db.call("HGET", key, charge), int(await db.call("HINCRBY", key, f"{charge}.asked", 1))


async def find_fiscal(db: Db, tenant: str, invoice: str) -> FiscalDocument | None:
    return await _find(db, FiscalDocument, keys.fiscal(tenant, invoice))


async def find_fiscal_xml(db: Db, tenant: str, invoice: str) -> str | None:
    """As `fiscal/files.py` keeps it."""
    found: str | None = await db.call("GET", keys.fiscal_xml(tenant, invoice))
    return found


async def fiscal_fake(db: Db, *fields: str) -> list[str | None]:
    """Fields of what the fake provider of fiscal documents keeps."""
    found: list[str | None] = await db.call("HMGET", keys.fiscal_fake(PLATFORM), *fields)
    return found


async def last_number(db: Db, tenant: str, kind: str) -> str | None:
    """The last number of a kind of document, as its field says it."""
    found: str | None = await db.call("HGET", keys.invoice_numbers(tenant), kind)
    return found


async def number_of(db: Db, kind: str, document: str) -> int:
    """The number of a document among all of the operator's: the next one, and the same whenever it is asked again."""
    _, number = await db.repeat(NUMBER, [keys.invoice_numbers(PLATFORM)], [kind, document])
    return int(number)


async def first_due(db: Db, tenant: str) -> tuple[str, int] | None:
    """The item of the agenda that is due first, and when; None: there is none."""
    found = await db.call("ZRANGE", keys.agenda(tenant), 0, 0, "WITHSCORES")
    return (found[0], int(found[1])) if found else None


async def planned(db: Db, tenant: str, kind: str) -> list[tuple[str, int]]:
    """The items of a kind on the agenda, and when they are due, the first one first."""
    found = await db.call("ZRANGE", keys.agenda(tenant), 0, -1, "WITHSCORES")
    items = ((member.partition("/"), int(due)) for member, due in zip(found[::2], found[1::2], strict=True))
    return [(name, due) for (which, _, name), due in items if which == kind]


async def deferrals(db: Db, tenant: str) -> dict[str, str]:
    """Revenue that waits, as its fields say it."""
    flat = await db.call("HGETALL", keys.deferrals(tenant))
    return dict(zip(flat[::2], flat[1::2], strict=True))


async def credit_balance(db: Db, tenant: str, currency: str) -> str | None:
    """What the ledger says that the tenant has in its wallet: a liability, so at or below zero."""
    found: str | None = await db.call("HGET", keys.balances(tenant), credit_field(currency))
    return found


def credit_field(currency: str) -> str:
    """The field of the balances that has the wallet."""
    return Account("credit", currency).field


async def _find(db: Db, kind: type[E], key: str) -> E | None:
    return documents.from_pairs(kind, await db.call("HGETALL", key))


async def _every(pages: Callable[[Db, str, str, int], Awaitable[Page[E]]], db: Db, tenant: str) -> AsyncIterator[E]:
    cursor: str | None = ""
    while cursor is not None:
        page = await pages(db, tenant, cursor, LIMIT_MAX)
        for found in page.items:
            yield found
        cursor = page.next


async def _all(db: Db, kind: type[E], names: list[str]) -> list[E]:
    found = await asyncio.gather(*(_find(db, kind, name) for name in names))
    return [entity for entity in found if entity]
