"""One-off items, agreed by hand, and add-ons that are charged once: on the next invoice, or on one of their own."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from veloflux.billing import store
from veloflux.billing.arithmetic.lines import Line, text
from veloflux.billing.basis import Basis, read_basis
from veloflux.billing.invoices import drafting as invoicing
from veloflux.billing.invoices.issue import issue
from veloflux.billing.model import Invoice, Subscription
from veloflux.billing.states import SUBSCRIPTION, move
from veloflux.billing.subscriptions.start import Time
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid, PriceMissing
from veloflux.events import SubscriptionItemAdded
from veloflux.kit import ids, money
from veloflux.kit.money import EXACT
from veloflux.plans.prices import Currency, Price, Quantity
from veloflux.transaction import Transaction, decide

WAITING_MAX = 500


class OneOff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something with a `name` and a `price` of one, in major units; or an `add_on` of the catalogue that is charged
    once. `start` and `end` bound the service that it pays for, if it is one."""

    name: Annotated[str, Meta(max_length=100, examples=["Training"])] = ""
    price: Price | None = None
    add_on: Annotated[str, Meta(max_length=60)] = ""
    quantity: Quantity = "1"
    start: Time | None = None
    end: Time | None = None


class ItemsInvoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invoice of its own, at once; without a currency, in the tenant's."""

    items: Annotated[tuple[OneOff, ...], Meta(min_length=1, max_length=100)]
    currency: Currency | None = None


async def add_item(ctx: Context, id_: str, wanted: OneOff) -> Subscription:
    """Put an item onto the next invoice of a subscription.

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it has ended.
    :raises InputInvalid, PriceMissing: the item. :raises Conflict: too much waits already.
    """
    return await decide(lambda: _add(ctx, id_, wanted))


async def invoice_items(ctx: Context, wanted: ItemsInvoice, key: str = "") -> Invoice:
    """Issue an invoice of items; the same key again gives the same invoice.

    :raises InputInvalid, PriceMissing, CurrencyUnknown: an item, or the currency.
    """
    id_ = ids.derived("inv", ctx.tenant, "items", key) if key else ids.new("inv")
    return await decide(lambda: _invoice(ctx, id_, wanted))


async def _add(ctx: Context, id_: str, wanted: OneOff) -> Subscription:
    sub, basis = await store.subscription(ctx, id_), await read_basis(ctx)
    move(SUBSCRIPTION, sub.status, "add_item")
    if len(sub.waiting) >= WAITING_MAX:
        raise Conflict(f"{WAITING_MAX} lines wait for the next invoice; invoice some at once")
    line = line_of(basis, wanted, sub.currency)
    tx = Transaction(ctx, ctx.tenant)
    after = replace(sub, waiting=(*sub.waiting, line))
    after = tx.change(keys.subscription(ctx.tenant, id_), sub, after)
    tx.event(SubscriptionItemAdded(subscription=id_, amount=line.amount))
    await tx.commit()
    return after


async def _invoice(ctx: Context, id_: str, wanted: ItemsInvoice) -> Invoice:
    if found := await store.find_invoice(ctx.db, ctx.tenant, id_):
        return found
    basis = await read_basis(ctx)
    currency = wanted.currency or basis.tenant.currency
    money.minor_digits(currency)
    draft = Invoice(
        id=id_,
        reason="items",
        currency=currency,
        period_start=ctx.now(),
        period_end=ctx.now(),
        lines=tuple(line_of(basis, one, currency) for one in wanted.items),
        final_at=ctx.now(),
        created_at=ctx.now(),
    )
    tx = Transaction(ctx, ctx.tenant)
    invoice = (await issue(ctx, tx, basis, draft, None)).invoice
    invoicing.write(ctx, tx, invoice)
    await tx.commit()
    return invoice


def line_of(basis: Basis, wanted: OneOff, currency: str) -> Line:
    """The line of an item. Pure. Errors as `add_item`."""
    if (wanted.start is None) != (wanted.end is None) or (wanted.start or 0) > (wanted.end or 0):
        raise InputInvalid("A service has a start, and an end that is not before it", field="end")
    name, price = _priced(basis, wanted, currency)
    amount = money.minor(EXACT.multiply(Decimal(price), Decimal(wanted.quantity)), currency)
    if not 0 < amount < 10**15:
        raise InputInvalid("An item costs something, and less than 10^15 minor units", field="price")
    line = Line("item", name, amount, start=wanted.start or 0, end=wanted.end or 0)
    line = replace(line, quantity=text(Decimal(wanted.quantity)), price=price)
    return replace(line, kind="add_on") if wanted.add_on else line


def _priced(basis: Basis, wanted: OneOff, currency: str) -> tuple[str, str]:
    """Name and price of one."""
    if not wanted.add_on:
        if not wanted.name or wanted.price is None:
            raise InputInvalid("An item has a name and a price, or is an add_on of the catalogue", field="name")
        return wanted.name, wanted.price
    if wanted.name or wanted.price is not None:
        raise InputInvalid("An add_on has its name and price from the catalogue", field="name")
    found = next((one for one in basis.catalogue.addons if one.id == wanted.add_on and not one.recurring), None)
    if found is None:
        raise InputInvalid(f"There is no add-on {wanted.add_on!r} that is charged once", field="add_on")
    if currency not in found.prices:
        raise PriceMissing(f"The add-on {found.id} has no price in {currency}", field="currency")
    return found.name, found.prices[currency]
