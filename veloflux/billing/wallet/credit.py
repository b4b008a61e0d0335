"""A tenant's wallet, one for each currency: what it paid in advance, was given, or got back; it pays its invoices.

Its balance is what the ledger says that we owe the tenant. New invoices take from it by themselves.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from veloflux import ledger
from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.model import Invoice, Payment
from veloflux.billing.payments.pay import Amount, Fee, Once, Provider, Reference, put_document, received_of
from veloflux.billing.payments.refund import put_out
from veloflux.billing.payments.settle import put
from veloflux.billing.states import INVOICE, move
from veloflux.billing.subscriptions.start import Time
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, IdReused, InputInvalid
from veloflux.events import WalletApplied, WalletReduced, WalletToppedUp
from veloflux.kit import ids, money
from veloflux.ledger import Posting
from veloflux.plans.prices import Currency
from veloflux.transaction import Transaction, decide

EXPIRE = "expire_gift"


class TopUp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money that a tenant pays in advance."""

    amount: Amount
    currency: Currency
    fee: Fee = 0
    provider: Provider = "bank"
    reference: Reference = ""
    id: Once = ""


class Gift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Credit without money; what is left of it at `expires_at` is gone."""

    amount: Amount
    currency: Currency
    expires_at: Time | None = None
    reference: Annotated[str, Meta(max_length=200, description="What it is for")] = ""
    id: Once = ""


class Taken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is taken out of the wallet; no amount: all of it. With a provider it goes back to the tenant."""

    currency: Currency
    amount: Amount | None = None
    refunded_by: Provider | None = None
    reference: Reference = ""


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the wallet, in minor units."""

    currency: str
    amount: int


async def read_wallet(ctx: Context) -> list[Balance]:
    """By currency; those with nothing are left out."""
    found = await ledger.read_balances(ctx.db, ctx.tenant)
    held = {account.currency: -amount for account, amount in found.items() if account.name == "credit"}
    return [Balance(currency=currency, amount=held[currency]) for currency in sorted(held)]


async def top_up(ctx: Context, wanted: TopUp) -> Payment:
    """Note money that came for the wallet.

    :raises InputInvalid: the currency, or the fee. :raises IdReused: the id was another payment's.
    """
    received = received_of(wanted.provider, wanted.currency, wanted.amount, wanted.fee)
    payment = Payment(
        id=ids.derived("pay", "top_up", ctx.tenant, wanted.id) if wanted.id else ids.new("pay"),
        kind="top_up",
        currency=wanted.currency,
        amount=wanted.amount,
        to_wallet=wanted.amount,
        provider=received.provider,
        received=received.amount,
        received_currency=received.currency,
        fee=received.fee,
        reference=wanted.reference,
        created_at=ctx.now(),
    )
    posted = ledger.topped_up(payment.id, payment.created_at, payment.currency, payment.amount, received)
    return await decide(lambda: _fill(ctx, payment, posted))


async def give(ctx: Context, wanted: Gift) -> Payment:
    """Give a tenant credit.

    :raises InputInvalid: the currency, or it expires in the past. :raises IdReused: the id was another payment's.
    """
    money.minor_digits(wanted.currency)
    if wanted.expires_at is not None and wanted.expires_at <= ctx.now():
        raise InputInvalid("It must expire in the future of the tenant's clock", field="expires_at")
    gift = Payment(
        id=ids.derived("pay", "gift", ctx.tenant, wanted.id) if wanted.id else ids.new("pay"),
        kind="gift",
        currency=wanted.currency,
        amount=wanted.amount,
        to_wallet=wanted.amount,
        reference=wanted.reference,
        expires_at=wanted.expires_at,
        created_at=ctx.now(),
    )
    posted = ledger.gifted(gift.id, gift.created_at, gift.currency, gift.amount)
    return await decide(lambda: _fill(ctx, gift, posted))


async def take(ctx: Context, wanted: Taken) -> Payment:
    """Take credit out of the wallet: back to the tenant, or without anything for it.

    :raises Conflict: there is not so much in it.
    """
    id_ = ids.new("pay")
    return await decide(lambda: _take(ctx, id_, wanted))


async def apply(ctx: Context, id_: str, amount: int | None = None) -> Invoice:
    """Let the wallet pay an open invoice: so much, or all it can.

    :raises NotFound: there is no such invoice. :raises MoveImpossible: it is not to be paid. :raises Conflict: there is
        not so much in the wallet. :raises InputInvalid: it is more than is due.
    """
    return await decide(lambda: _apply(ctx, id_, amount))


async def _fill(ctx: Context, payment: Payment, posted: Posting) -> Payment:
    if found := await store.find_payment(ctx.db, ctx.tenant, payment.id):
        if (found.kind, found.amount, found.currency) != (payment.kind, payment.amount, payment.currency):
            raise IdReused("This id was another payment's; give each payment its own")
        return found
    tx = Transaction(ctx, ctx.tenant)
    put_document(tx, payment)
    ledger.post(tx, posted)
    if payment.expires_at:
        agenda.put(ctx, tx, Item(EXPIRE, payment.id, payment.expires_at))
    tx.event(WalletToppedUp(tenant=ctx.tenant, amount=payment.amount, currency=payment.currency))
    await tx.commit()
    return payment


async def _take(ctx: Context, id_: str, wanted: Taken) -> Payment:
    tx = Transaction(ctx, ctx.tenant)
    amount = await _held(ctx, tx, wanted.currency, wanted.amount)
    taken = Payment(
        id=id_,
        kind="refund" if wanted.refunded_by else "wallet_voided",
        currency=wanted.currency,
        amount=amount,
        to_wallet=-amount,
        provider=wanted.refunded_by or "",
        paid_out=amount if wanted.refunded_by else 0,
        reference=wanted.reference,
        created_at=ctx.now(),
    )
    if wanted.refunded_by:
        put_out(ctx, tx, taken)
    else:
        put_end(tx, taken, "wallet_voided")
    await tx.commit()
    return taken


def put_end(tx: Transaction, taken: Payment, kind: Literal["wallet_voided", "wallet_expired"]) -> None:
    """Part of a commit: credit that is gone."""
    put_document(tx, taken)
    ledger.post(tx, ledger.wallet_ended(taken.id, taken.created_at, taken.currency, taken.amount, kind))
    tx.event(WalletReduced(payment=taken.id, amount=taken.amount, currency=taken.currency))


async def _apply(ctx: Context, id_: str, amount: int | None) -> Invoice:
    invoice = await store.invoice(ctx, id_)
    move(INVOICE, invoice.status, "pay")
    if amount is not None and amount > invoice.left:
        raise InputInvalid(f"Only {invoice.left} minor units are due", field="amount")
    tx = Transaction(ctx, ctx.tenant)
    paid = await _held(ctx, tx, invoice.currency, amount, at_most=invoice.left)
    if invoice.status == "uncollectible":
        ledger.post(tx, ledger.recovered(id_, ctx.now(), invoice.currency, paid, of=str(invoice.version)))
    ledger.post(tx, ledger.credit_applied(id_, ctx.now(), invoice.currency, paid, of=str(invoice.version)))
    tx.event(WalletApplied(invoice=id_, amount=paid, currency=invoice.currency))
    after = await put(ctx, tx, invoice, replace(invoice, credit=invoice.credit + paid))
    await tx.commit()
    return after


async def _held(ctx: Context, tx: Transaction, currency: str, wanted: int | None, at_most: int | None = None) -> int:
    """What is taken out of the wallet; the commit expects that nobody took from it meanwhile."""
    held = await store.credit_balance(ctx.db, ctx.tenant, currency)
    there = max(-int(held or 0), 0)
    amount = wanted if wanted is not None else there if at_most is None else min(there, at_most)
    if not 0 < amount <= there:
        raise Conflict(f"There are {there} minor units of {currency[:3]} in the wallet")
    tx.expect(keys.balances(ctx.tenant), store.credit_field(currency), held)
    return amount
