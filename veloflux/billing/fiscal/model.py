"""The fiscal document of an invoice as it lies in Redis: in Brazil an NFS-e, or one that is to be."""

from veloflux.billing.states import FiscalStatus
from veloflux.db.documents import Entity, Owned


class FiscalDocument(Entity, frozen=True, kw_only=True):
    """The provider knows it by `id`, which follows from the invoice.

    `attempts` counts how often the provider was asked in vain since the last move, `next_at` is when it is asked next.
    `reason` is why it was rejected, not cancelled, or not answered, `reason_code` the provider's code for it;
    `cancel_reason` why it is to be cancelled, "" as long as it is not. The buyer is the invoice's, or with
    `from_record` the tenant's record as it is now: somebody corrected it. Times are epoch ms of the tenant's clock.
    """

    invoice: str
    status: FiscalStatus = "waiting"
    number: str = ""
    verification: str = ""
    attempts: int = 0
    reason: Owned = ""
    reason_code: str = ""
    cancel_reason: Owned = ""
    from_record: bool = False
    next_at: int | None = None
    issued_at: int | None = None
    cancelled_at: int | None = None
    created_at: int
