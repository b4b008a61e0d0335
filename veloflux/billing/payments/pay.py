"""Money comes for an invoice: by hand, or from a provider of payments. What is beyond it goes to the wallet."""

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from veloflux import ledger
from veloflux.billing import store
from veloflux.billing.model import Invoice, Payment
from veloflux.billing.payments.settle import put
from veloflux.billing.states import INVOICE, move
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import IdReused, InputInvalid
from veloflux.events import PaymentReceived
from veloflux.kit import ids, money
from veloflux.ledger import Received
from veloflux.plans.prices import Currency
from veloflux.transaction import Transaction, decide

Amount = Annotated[int, Meta(gt=0, lt=10**15, description="Minor units", examples=[14900])]
Fee = Annotated[int, Meta(ge=0, lt=10**15, description="Minor units that the provider keeps")]
Provider = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$", description="Who has the money", examples=["bank"])]
Reference = Annotated[str, Meta(max_length=200, description="The provider's own name of it")]
Once = Annotated[str, Meta(max_length=100, description="The same id again is the same payment")]


class Pay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money that came. In another currency than the invoice's, `settles` is what it counts in that one."""

    amount: Amount
    currency: Currency | None = None
    settles: Amount | None = None
    fee: Fee = 0
    provider: Provider = "bank"
    reference: Reference = ""
    id: Once = ""


class Came(NamedTuple):
    """Money as its document has it: `worth` minor units in the invoice's currency."""

    id: str
    received: Received
    worth: int
    reference: str = ""


async def pay(ctx: Context, id_: str, wanted: Pay) -> Payment:
    """Note a payment of an invoice, in part or whole; what is beyond it goes to the wallet.

    :raises NotFound: there is no such invoice. :raises MoveImpossible: it is not to be paid.
    :raises InputInvalid: the amount in another currency, or the fee. :raises IdReused: it was another payment's.
    """
    payment = ids.derived("pay", id_, wanted.id) if wanted.id else ids.new("pay")
    return await decide(lambda: _pay(ctx, id_, payment, wanted))


async def _pay(ctx: Context, id_: str, payment: str, wanted: Pay) -> Payment:
    invoice = await store.invoice(ctx, id_)
    came = _came(invoice, payment, wanted)
    if found := await store.find_payment(ctx.db, ctx.tenant, payment):
        return _same(found, came)
    move(INVOICE, invoice.status, "pay")
    tx = Transaction(ctx, ctx.tenant)
    made = await put_payment(ctx, tx, invoice, invoice, came)
    await tx.commit()
    return made


async def put_payment(ctx: Context, tx: Transaction, before: Invoice, after: Invoice, came: Came) -> Payment:
    """Part of a commit: money came for an invoice; also for one of which nothing is due any more."""
    settled = min(came.worth, after.left) if after.status in ("open", "uncollectible") else 0
    payment = _document(ctx, after, came, settled)
    put_document(tx, payment)
    tx.event(PaymentReceived(payment=payment.id, invoice=after.id, amount=payment.amount, currency=payment.currency))
    if settled and after.status == "uncollectible":
        ledger.post(tx, ledger.recovered(payment.id, payment.created_at, payment.currency, settled))
    to_wallet = payment.to_wallet
    ledger.post(
        tx,
        ledger.invoice_paid(payment.id, payment.created_at, payment.currency, settled, came.received, credit=to_wallet),
    )
    await put(ctx, tx, before, replace(after, paid=after.paid + settled))
    return payment


def put_document(tx: Transaction, payment: Payment) -> None:
    """Part of a commit: a new payment, and its place in the list."""
    tx.create(keys.payment(tx.owner, payment.id), payment)
    tx.rank(keys.payments(tx.owner), payment.id, payment.created_at)


def _document(ctx: Context, invoice: Invoice, came: Came, settled: int) -> Payment:
    return Payment(
        id=came.id,
        kind="invoice",
        invoice=invoice.id,
        currency=invoice.currency,
        amount=came.worth,
        settled=settled,
        to_wallet=came.worth - settled,
        provider=came.received.provider,
        received=came.received.amount,
        received_currency=came.received.currency,
        fee=came.received.fee,
        reference=came.reference,
        created_at=ctx.now(),
    )


def _came(invoice: Invoice, id_: str, wanted: Pay) -> Came:
    received = received_of(wanted.provider, wanted.currency or invoice.currency, wanted.amount, wanted.fee)
    if received.currency == invoice.currency:
        return Came(id_, received, wanted.amount, wanted.reference)
    if wanted.settles is None:
        raise InputInvalid(f"Say what this is in {invoice.currency}, the invoice's currency", field="settles")
    return Came(id_, received, wanted.settles, wanted.reference)


def received_of(provider: str, currency: str, amount: int, fee: int) -> Received:
    """:raises InputInvalid: there is no such currency, or the fee is more than what came."""
    money.minor_digits(currency)
    if fee > amount:
        raise InputInvalid("The fee is more than the amount", field="fee")
    return Received(provider, currency, amount, fee)


def _same(found: Payment, came: Came) -> Payment:
    there = Received(found.provider, found.received_currency, found.received, found.fee)
    if (there, found.amount) != (came.received, came.worth):
        raise IdReused("This id was another payment's; give each payment its own")
    return found
