"""Builds what a process has one of; the only place that chooses between real and sandbox adapters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from veloflux.billing import FiscalFake
from veloflux.billing.payments.sandbox import SandboxPayments
from veloflux.context import Parts, Secrets
from veloflux.db import boot, client, embedded
from veloflux.db.client import Db
from veloflux.db.data_keys import DataKeys
from veloflux.db.wake import Waker
from veloflux.notifications import OutboxFolder
from veloflux.secret_file import installation_secret
from veloflux.settings import Settings


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Parts]:
    """Connect to the Redis of the settings, check it, and hold everything until the block ends.

    :raises StartRefused: Redis is away, unsafe, or holds data of a newer version.
    """
    url = settings.redis_url or embedded.connection_url(settings)
    db = await client.connect(url, settings.redis_timeout_ms, settings.redis_wait_replicas)
    try:
        await boot.check(db, settings)
        yield assemble(settings, db, installation_secret(settings))
    finally:
        await db.close()


def assemble(settings: Settings, db: Db, secret: bytes) -> Parts:
    """The parts, from what they are made of."""
    secrets = Secrets(secret)
    return Parts(
        settings=settings,
        db=db,
        secrets=secrets,
        data_keys=DataKeys(db, secrets.of("data-keys")),
        wake=Waker(db),
        mailer=OutboxFolder.of(settings),
        fiscal=FiscalFake(db) if settings.fiscal_provider == "fake" else None,
        sandbox_payments=SandboxPayments(db) if settings.sandbox_payments else None,
    )
