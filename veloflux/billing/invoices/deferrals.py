"""Revenue that is billed in advance waits, invoice by invoice, until it is earned; each month releases what is.

A deferral is a field of the tenant's: `<invoice>:<line>` -> `currency|amount|start|end|released`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from veloflux import ledger
from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.arithmetic.deferral import Service, earned
from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.percent import WHOLE, parts
from veloflux.billing.model import Invoice
from veloflux.context import Context
from veloflux.db import commit, keys
from veloflux.db.client import Db
from veloflux.events import RevenueReleased
from veloflux.kit.money import share
from veloflux.kit.period import day_start, next_month, utc_day
from veloflux.plans.prices import Tax
from veloflux.transaction import Transaction

IN_ADVANCE = ("fixed", "add_on", "debit", "credit", "item")
AT_ONCE = 20
"""So many invoices' revenue is released by one commit."""
RELEASE = "release"


class Deferral(NamedTuple):
    """What an invoice charged for a service to come; `released` is earned already. Minor units."""

    field: str
    currency: str
    service: Service
    released: int

    @property
    def invoice(self) -> str:
        return self.field.partition(":")[0]


def services(invoice: Invoice, taxes: Iterable[Tax]) -> list[Service]:
    """What of a final invoice is for a time after it was issued, without the taxes within it, by that time."""
    assert invoice.issued_at is not None
    whole = WHOLE + sum(parts(tax.percent) for tax in taxes if tax.inclusive)
    amounts: Counter[tuple[int, int]] = Counter()
    for line in invoice.lines:
        if _is_in_advance(invoice, line):
            amounts[line.start, line.end] += share(line.net, WHOLE, whole)
    return [Service(amount, start, end) for (start, end), amount in sorted(amounts.items()) if amount]


def put_deferrals(ctx: Context, tx: Transaction, invoice: Invoice, to_come: Sequence[Service]) -> None:
    """Part of the commit that issues an invoice."""
    if not to_come:
        return
    tx.put(
        keys.deferrals(tx.owner),
        {
            f"{invoice.id}:{at}": f"{invoice.currency}|{each.amount}|{each.start}|{each.end}|0"
            for at, each in enumerate(to_come)
        },
    )
    agenda.put(ctx, tx, Item(RELEASE, "revenue", _month_after(ctx.now())))


async def release(ctx: Context, item: Item) -> None:
    """What is due on the first of each month (UTC): to make revenue of what has been earned until then."""
    found = await read_deferrals(ctx)
    due = [one for one in found if earned(one.service, item.due) != one.released or one.service.end <= item.due]
    if not due:
        await _wait_on(ctx, item, _month_after(item.due + 1) if found else None)
        return
    tx = Transaction(ctx, ctx.tenant)
    agenda.expect(tx, item)
    for invoice, group in islice(groupby(due, key=lambda one: one.invoice), AT_ONCE):
        _release(tx, invoice, list(group), item.due)
    tx.event(RevenueReleased(tenant=ctx.tenant, until=item.due))
    await tx.commit()


async def take_back(
    ctx: Context, tx: Transaction, invoice: Invoice, credited: Mapping[int, int], left: Sequence[int]
) -> int:
    """Part of the commit that credits so much of lines of an invoice, by their places, of what was `left` of each.

    Gives what of it was not earned yet, in minor units.
    """
    deferred = 0
    for one in await _of_invoice(ctx, invoice.id):
        group = [at for at, line in enumerate(invoice.lines) if _is_of(one.service, invoice, line)]
        part, whole = sum(credited.get(at, 0) for at in group), sum(left[at] for at in group)
        if part and whole:
            amount, released = (_proportion(of, part, whole) for of in (one.service.amount, one.released))
            deferred += amount - released
            _put_rest(tx, one, amount, released)
    return deferred


async def take_away(ctx: Context, tx: Transaction, invoice: str) -> None:
    """Part of the commit that voids an invoice, whose releases it reverses."""
    for one in await _of_invoice(ctx, invoice):
        _put_rest(tx, one, one.service.amount, one.released)


async def read_deferrals(ctx: Context) -> list[Deferral]:
    """All of a tenant, by invoice."""
    return await deferrals_of(ctx.db, ctx.tenant)


async def deferrals_of(db: Db, tenant: str) -> list[Deferral]:
    """The same, for whoever has no context of the tenant."""
    return sorted(_read(field, text) for field, text in (await store.deferrals(db, tenant)).items())


async def _of_invoice(ctx: Context, invoice: str) -> list[Deferral]:
    return [one for one in await read_deferrals(ctx) if one.invoice == invoice]


async def _wait_on(ctx: Context, item: Item, due: int | None) -> None:
    """Until a month in which something is earned; None: nothing is left to be."""
    tx = Transaction(ctx, ctx.tenant)
    agenda.expect(tx, item)
    if due is None:
        tx.expect_absent(keys.deferrals(ctx.tenant))
        agenda.take(tx, item.kind, item.subject)
    else:
        agenda.put(ctx, tx, item._replace(due=due))
    await commit.run(ctx.db, tx)


def _is_in_advance(invoice: Invoice, line: Line) -> bool:
    assert invoice.issued_at is not None
    return line.kind in IN_ADVANCE and line.end > invoice.issued_at


def _is_of(service: Service, invoice: Invoice, line: Line) -> bool:
    return _is_in_advance(invoice, line) and (line.start, line.end) == (service.start, service.end)


def _proportion(amount: int, part: int, whole: int) -> int:
    """As `share`; the line of a credit among them can make a part negative, or more than the whole."""
    return share(amount if (part < 0) == (whole < 0) else -amount, abs(part), abs(whole))


def _put_rest(tx: Transaction, one: Deferral, amount: int, released: int) -> None:
    """What is left of a deferral after so much of it is taken back, of which so much was released."""
    key, rest = keys.deferrals(tx.owner), one.service._replace(amount=one.service.amount - amount)
    tx.expect(key, one.field, _text(one))
    if rest.amount or one.released != released:
        tx.put(key, {one.field: _text(one._replace(service=rest, released=one.released - released))})
    else:
        tx.drop(key, one.field)


def _release(tx: Transaction, invoice: str, group: Sequence[Deferral], until: int) -> None:
    key, amount = keys.deferrals(tx.owner), 0
    before = f"{sum(one.released for one in group)} of {sum(one.service.amount for one in group)}"
    for one in group:
        now_earned = earned(one.service, until)
        amount += now_earned - one.released
        tx.expect(key, one.field, _text(one))
        if one.service.end <= until:
            tx.drop(key, one.field)
        else:
            tx.put(key, {one.field: _text(one._replace(released=now_earned))})
    if amount:
        ledger.post(tx, ledger.revenue_released(invoice, until, group[0].currency, amount, before))


def _read(field: str, text: str) -> Deferral:
    currency, amount, start, end, released = text.split("|")
    return Deferral(field, currency, Service(int(amount), int(start), int(end)), int(released))


def _text(one: Deferral) -> str:
    amount, start, end = one.service
    return f"{one.currency}|{amount}|{start}|{end}|{one.released}"


def _month_after(at: int) -> int:
    """The first beginning of a UTC month that is not before a time."""
    first = utc_day(at).replace(day=1)
    begins = day_start(first, "UTC")
    return begins if begins == at else day_start(next_month(first), "UTC")
