"""Credit that was given for a time is over: what is left of it is gone.

Which credit was used first is told from the ledger: what expires first, and what does not expire last.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from veloflux import ledger
from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.model import Payment
from veloflux.billing.wallet.credit import put_end
from veloflux.context import Context
from veloflux.db import commit, keys
from veloflux.kit import ids
from veloflux.ledger import Account, Posted
from veloflux.transaction import Transaction


class Flow(NamedTuple):
    """Credit that came into a wallet (positive) or went (negative), by which document."""

    document: str
    amount: int


async def expire_gift(ctx: Context, item: Item) -> None:
    """What is due when a gift expires."""
    gift = await store.find_payment(ctx.db, ctx.tenant, item.subject)
    assert gift
    field = Account("credit", gift.currency).field
    held = await store.credit_balance(ctx.db, ctx.tenant, gift.currency)
    tx = Transaction(ctx, ctx.tenant)
    agenda.take(tx, item.kind, item.subject)
    left = min(await _left(ctx, gift), -int(held or 0))
    if left <= 0:
        await commit.run(ctx.db, tx)
        return
    tx.expect(keys.balances(ctx.tenant), field, held)
    gone = Payment(
        id=ids.derived("pay", gift.id, "expired"),
        kind="wallet_expired",
        currency=gift.currency,
        amount=left,
        to_wallet=-left,
        reference=gift.reference,
        created_at=ctx.now(),
    )
    put_end(tx, gone, "wallet_expired")
    await tx.commit()


def left_of(gift: str, flows: Iterable[Flow], expiries: dict[str, int]) -> int:
    """What is left of a gift after all that came and went, in minor units. Pure.

    `expiries` has when the gifts expire; what an expired one had left went with a document that is derived from it.

    >>> left_of("g", [Flow("top_up", 500), Flow("g", 300), Flow("inv", -200)], {"g": 9})
    100
    """
    lots: dict[str, int] = {}
    for document, amount in flows:
        if amount > 0:
            lots[document] = lots.get(document, 0) + amount
            continue
        ended = [one for one in lots if ids.derived("pay", one, "expired") == document]
        wanted = -amount
        for one in ended or sorted(lots, key=lambda one: expiries.get(one, math.inf)):
            used = min(wanted, lots[one])
            lots[one] -= used
            wanted -= used
    return lots.get(gift, 0)


async def _left(ctx: Context, gift: Payment) -> int:
    postings = [posted async for posted in ledger.every_posting(ctx.db, ctx.tenant)]
    gifts = [posted.document for posted in postings if posted.kind == "gift"]
    found = [await store.find_payment(ctx.db, ctx.tenant, id_) for id_ in gifts]
    expiries = {one.id: one.expires_at for one in found if one and one.expires_at}
    return left_of(gift.id, _flows(postings, gift.currency), expiries)


def _flows(postings: Sequence[Posted], currency: str) -> list[Flow]:
    """In the order of their times; at one moment what came is before what went."""
    flows = [
        (posted.at, entry.amount > 0, Flow(posted.document, -entry.amount))
        for posted in postings
        for entry in posted.entries
        if (entry.account, entry.currency) == ("credit", currency)
    ]
    return [flow for _, _, flow in sorted(flows, key=lambda each: each[:2])]
