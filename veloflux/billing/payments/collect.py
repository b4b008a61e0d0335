"""An invoice is due: its provider of payments is asked for the money, again and again, until nobody pays for good.

Where a tenant has no provider, an invoice waits to be paid by hand. Else a try that fails is followed by another one
after each of the `dunning_days`, and the last one by days of grace; then `give_up.py`. Each step writes to the tenant.
Only what is due is asked for: never what the tenant withholds.
"""

from typing import NamedTuple

from msgspec.structs import replace

from veloflux import tenants
from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.model import Invoice
from veloflux.billing.payments.dunning_mails import mail
from veloflux.billing.payments.give_up import give_up
from veloflux.billing.payments.pay import Came, put_payment
from veloflux.billing.payments.provider import payment_provider
from veloflux.billing.payments.settle import COLLECT
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import InvoicePaymentFailed, PaymentPending
from veloflux.kit import ids
from veloflux.kit.clock import DAY_MS, HOUR_MS
from veloflux.kit.payments import Answer, AnswerLost, Charged, PaymentProvider, Pending, Refused
from veloflux.ledger import Received
from veloflux.transaction import Transaction, decide

ASK_AGAIN_MS = HOUR_MS
"""After so long a provider is asked again what became of a charge."""


class Money(NamedTuple):
    """What a provider collected, by which charge."""

    provider: str
    charge: str
    answer: Charged


async def collect(ctx: Context, item: Item) -> None:
    """What is due when an invoice is, and after each try that failed."""
    invoice = await store.invoice(ctx, item.subject)
    provider = payment_provider(ctx, await tenants.find(ctx, ctx.tenant))
    if provider and (invoice.charging or (invoice.due and invoice.attempts < _tries(ctx))):
        answer = await _ask(ctx, provider, invoice)
        await record_answer(ctx, invoice.id, provider.name, charge_of(invoice), answer)
    elif provider and invoice.due and not await _is_overdue(ctx, invoice):
        await give_up(ctx, invoice)
    else:
        await agenda.correct(ctx, item, None, keys.invoice(ctx.tenant, invoice.id), invoice)


async def record_answer(ctx: Context, id_: str, provider: str, charge: str, answer: Answer) -> None:
    """What a provider says of a charge, whenever it does: the same answer counts once. Money that came is kept,
    whatever became of the invoice meanwhile.

    :raises NotFound: there is no such invoice.
    """

    async def attempt() -> None:
        invoice = await store.invoice(ctx, id_)
        if isinstance(answer, Charged):
            await _charged(ctx, invoice, Money(provider, charge, answer))
        elif charge == charge_of(invoice):
            await (_refused(ctx, invoice) if isinstance(answer, Refused) else _wait(ctx, invoice))

    await decide(attempt)


def charge_of(invoice: Invoice) -> str:
    """The charge that is under way, or else the next one: each try has its own, however often it is asked for."""
    return invoice.charging or ids.derived("chg", invoice.id, str(invoice.attempts))


async def _ask(ctx: Context, provider: PaymentProvider, invoice: Invoice) -> Answer:
    try:
        return await provider.charge(ctx.tenant, charge_of(invoice), invoice.id, invoice.due, invoice.currency)
    except AnswerLost:
        return Pending()


async def _charged(ctx: Context, invoice: Invoice, money: Money) -> None:
    provider, charge, answer = money
    payment = ids.derived("pay", charge)
    if await store.find_payment(ctx.db, ctx.tenant, payment):
        return
    tx = Transaction(ctx, ctx.tenant)
    received = Received(provider, answer.currency, answer.amount, answer.fee)
    worth = answer.amount if answer.currency == invoice.currency else invoice.due
    after = invoice
    if charge == charge_of(invoice):
        after = replace(invoice, charging="", attempts=invoice.attempts + (invoice.due > worth))
        if after.due > worth:
            agenda.put(ctx, tx, Item(COLLECT, invoice.id, ctx.now() + _pause(ctx, after.attempts)))
    await put_payment(ctx, tx, invoice, after, Came(payment, received, worth, answer.reference))
    await tx.commit()


async def _refused(ctx: Context, invoice: Invoice) -> None:
    after = replace(invoice, charging="", attempts=invoice.attempts + 1)
    tx = Transaction(ctx, ctx.tenant)
    tx.event(InvoicePaymentFailed(invoice=invoice.id, attempts=after.attempts))
    if after.due:
        following = ctx.now() + _pause(ctx, after.attempts)
        agenda.put(ctx, tx, Item(COLLECT, invoice.id, following))
        is_last = after.attempts >= _tries(ctx)
        mail(tx, after, "payment_failed_last" if is_last else "payment_failed", after.attempts, until=following)
    else:
        agenda.take(tx, COLLECT, invoice.id)
    tx.change(keys.invoice(ctx.tenant, invoice.id), invoice, after)
    await tx.commit()


async def _wait(ctx: Context, invoice: Invoice) -> None:
    again = Item(COLLECT, invoice.id, ctx.now() + ASK_AGAIN_MS)
    if invoice.charging:
        await agenda.correct(ctx, again, again.due, keys.invoice(ctx.tenant, invoice.id), invoice)
        return
    tx = Transaction(ctx, ctx.tenant)
    agenda.put(ctx, tx, again)
    tx.change(keys.invoice(ctx.tenant, invoice.id), invoice, replace(invoice, charging=charge_of(invoice)))
    tx.event(PaymentPending(invoice=invoice.id))
    await tx.commit()


async def _is_overdue(ctx: Context, invoice: Invoice) -> bool:
    return any(one.id == invoice.id for one in await store.overdue(ctx.db, ctx.tenant))


def _days(ctx: Context) -> list[int]:
    return [int(days) for days in ctx.settings.dunning_days.split(",")]


def _tries(ctx: Context) -> int:
    return len(_days(ctx)) + 1


def _pause(ctx: Context, attempts: int) -> int:
    """How long nothing is tried after so many tries failed, in ms."""
    days = [*_days(ctx), ctx.settings.dunning_grace_days]
    return days[min(attempts, len(days)) - 1] * DAY_MS
