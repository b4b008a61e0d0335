"""What follows from the events of people: their e-mails."""

from veloflux.context import Context
from veloflux.events import (
    FactorAdded,
    FactorRemoved,
    ImpersonationStarted,
    PasskeyCopied,
    Recorded,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    RegistrationRepeated,
    UserCreated,
    UserErasureRequested,
    UserPasswordChanged,
)
from veloflux.identity.jobs import SEND_NOTICE, SEND_RESET_LINK, SEND_VERIFICATION
from veloflux.kit import ids
from veloflux.transaction import Transaction

NOTICES = {
    ImpersonationStarted.name: "impersonation",
    RegistrationRepeated.name: "registration_repeated",
    UserPasswordChanged.name: "password_changed",
    FactorAdded.name: "factor_added",
    FactorRemoved.name: "factor_removed",
    PasskeyCopied.name: "passkey_copied",
    RecoveryCodesMade.name: "recovery_codes_made",
    RecoveryCodeUsed.name: "recovery_code_used",
    UserErasureRequested.name: "erasure_requested",
}
"""Which message tells a person of which event."""


async def mail_verification(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `registration.started`: the job that sends the link."""
    _enqueue(tx, event, SEND_VERIFICATION, {})


async def mail_reset_link(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `password_reset.requested` and `user.created`: the job that sends the link."""
    mail = "new_account" if event.name == UserCreated.name else "password_reset"
    _enqueue(tx, event, SEND_RESET_LINK, {"link": str(event.data["link"]), "mail": mail})


async def mail_notice(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of the events in NOTICES: the job that tells the person."""
    _enqueue(tx, event, SEND_NOTICE, {"notice": NOTICES[event.name]})


def _enqueue(tx: Transaction, event: Recorded, kind: str, payload: dict[str, str]) -> None:
    tx.enqueue(kind, payload, job=ids.derived("job", event.owner, event.id, kind))
