"""The proof of all ledgers against their documents, once a day."""

from veloflux.billing.documents_say import documents_say
from veloflux.context import Context
from veloflux.db.jobs import Job
from veloflux.ledger.check import check_all, keep
from veloflux.transaction import Transaction


async def check_ledgers(ctx: Context, _job: Job, _tx: Transaction) -> None:
    """The job `check_ledgers`: of every tenant; what it found is what the metric tells."""
    await keep(ctx.db, await check_all(ctx, documents_say))
