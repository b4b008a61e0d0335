"""What follows from the events of people: the global list of them, and their e-mails."""

from veloflux.context import Context
from veloflux.events import Recorded, RegistrationRepeated, UserErasureRequested, UserPasswordChanged
from veloflux.identity import store
from veloflux.identity.jobs import SEND_NOTICE, SEND_RESET_LINK, SEND_VERIFICATION
from veloflux.kit import ids
from veloflux.transaction import Transaction

NOTICES = {
    RegistrationRepeated.name: "registration_repeated",
    UserPasswordChanged.name: "password_changed",
    UserErasureRequested.name: "erasure_requested",
}
"""Which message tells a person of which event."""


async def index_user(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `user.registered`; doing it again changes nothing."""
    await store.project_user(ctx.db, event.owner, event.at)


async def unindex_user(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `user.erased`; doing it again changes nothing."""
    await store.unproject_user(ctx.db, event.owner)


async def mail_verification(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `registration.started`: the job that sends the link."""
    _enqueue(tx, event, SEND_VERIFICATION, {})


async def mail_reset_link(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `password_reset.requested`: the job that sends the link."""
    _enqueue(tx, event, SEND_RESET_LINK, {"link": str(event.data["link"])})


async def mail_notice(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of the events in NOTICES: the job that tells the person."""
    _enqueue(tx, event, SEND_NOTICE, {"notice": NOTICES[event.name]})


def _enqueue(tx: Transaction, event: Recorded, kind: str, payload: dict[str, str]) -> None:
    tx.enqueue(kind, payload, job=ids.derived("job", event.owner, event.id, kind))
