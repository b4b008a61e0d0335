"""Postings in a tenant's ledger, each in a commit of its own."""

import random

from tests.customers import NOON
from veloflux.context import Context
from veloflux.events import Event
from veloflux.kit.clock import DAY_MS
from veloflux.ledger import post
from veloflux.ledger.entries import (
    Parts,
    Received,
    credit_note_issued,
    invoice_issued,
    invoice_paid,
    refunded,
    revenue_released,
    topped_up,
    voided,
    written_off,
)
from veloflux.ledger.posting import Posting
from veloflux.transaction import Transaction

CURRENCIES = ("BRL", "USD")


class Posted(Event, frozen=True, kw_only=True):
    name = "document.posted"
    document: str


async def write(ctx: Context, *postings: Posting) -> None:
    """In one commit."""
    tx = Transaction(ctx, ctx.tenant)
    for each in postings:
        post(tx, each)
    tx.event(Posted(document=postings[0].document))
    await tx.commit()


async def life(ctx: Context) -> None:
    """An invoice of 45.74 that is paid, released and credited in part, over three months from November 2023."""
    november, december, january = (1_700_000_000_000 + days * DAY_MS for days in (0, 30, 60))
    await write(ctx, invoice_issued("inv_1", november, "USD", Parts(revenue=1_575, deferred=2_999)))
    await write(ctx, invoice_paid("pay_1", november + 1, "USD", 4_574, Received("stripe", "USD", 4_574, fee=150)))
    await write(ctx, revenue_released("inv_1", december, "USD", 2_999, "0"))
    await write(ctx, credit_note_issued("crn_1", january, "USD", Parts(revenue=574)))


def some(seed: int, number: int) -> list[Posting]:
    """Random documents of a seed, over about a year."""
    rng = random.Random(seed)
    return [_one(rng, f"{seed}x{at}", NOON + rng.randrange(365) * DAY_MS) for at in range(number)]


def _one(rng: random.Random, name: str, at: int) -> Posting:
    currency, amount, fee = rng.choice(CURRENCIES), rng.randrange(1, 10**6), rng.randrange(10)
    came = Received("stripe", rng.choice(CURRENCIES), amount + fee, fee)
    came = came if came.currency != currency else came._replace(amount=amount, fee=min(fee, amount))
    parts = Parts(revenue=amount, deferred=rng.randrange(10**6), taxes={"iss": rng.randrange(10**4)})
    invoice = invoice_issued(f"inv_{name}", at, currency, parts, withheld=rng.randrange(amount))
    return rng.choice(
        [
            invoice,
            voided(invoice, at),
            invoice_paid(f"pay_{name}", at, currency, amount, came),
            topped_up(f"pay_{name}", at, currency, amount, came),
            refunded(f"ref_{name}", at, currency, amount, "stripe", credit=rng.randrange(amount), fee=fee),
            credit_note_issued(f"crn_{name}", at, currency, parts.share(amount), receivable=rng.randrange(amount)),
            written_off(f"inv_{name}", at, currency, amount),
            revenue_released(f"inv_{name}", at, currency, amount, "0"),
        ]
    )
