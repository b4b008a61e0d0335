"""Subscriptions, invoices and what belongs to them, as they lie in Redis.

Amounts are whole minor units of `currency` (ISO 4217); times are epoch ms of the tenant's clock, which a sandbox moves.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from veloflux.billing.arithmetic.discounts import Redemption
from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.totals import Totals
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.billing.states import InvoiceStatus, Status
from veloflux.db.documents import OWNED, Entity, Owned
from veloflux.identity import Language

Proration = Literal["second", "day"]
Reason = Literal["period", "start", "change", "end", "late", "items"]


class Plain(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an entity, kept as JSON."""


class Selection(Plain, frozen=True, kw_only=True):
    """What is subscribed to: a version of a plan, how many of each fixed charge that is not what the plan says, and
    add-ons with their numbers."""

    plan: str
    plan_version: int
    quantities: dict[str, int] = {}
    add_ons: dict[str, int] = {}


class Phase(Plain, frozen=True, kw_only=True):
    """A stretch of a period with the same selection, which its usage is priced by; `free` in a trial. When it is over,
    `share` says how much of a whole period it was: units of time of it, and of the whole."""

    start: int
    end: int | None = None
    selection: Selection
    free: bool = False
    share: tuple[int, int] = (1, 1)


class Charged(Plain, frozen=True, kw_only=True):
    """A fixed charge of the running period that was paid in advance, from `start` on: `full` is the price of a whole
    period, `net` after percentages off. Of the `amount` that was charged, credit notes gave `credited` back."""

    name: str
    label: str
    plan: str = ""
    full: int
    net: int
    amount: int
    credited: int = 0
    start: int


class Spend(Plain, frozen=True, kw_only=True):
    """What a subscription's running period may cost, in minor units before taxes: `alerts` are amounts that are told of
    when its cost reaches them; what its usage costs is bounded by `cap`, that of one meter by `meter_caps`."""

    alerts: tuple[int, ...] = ()
    cap: int | None = None
    meter_caps: dict[str, int] = {}


class Subscription(Entity, frozen=True, kw_only=True):
    """`anchor` is the local date and time that periods are counted from (ISO 8601 without a zone), `billing_day` the
    day of the month that they begin on (0: the anchor's own); `calendar` lets them begin with the week, month or year.

    `phases` are those of the running period, `charged` is what was paid in advance for it. `next_selection` holds from
    the next period on. `cancel_at` and `ends_at` are when it ends, on request and by agreement. `waiting` are lines for
    the next invoice. The tenant has the limits of the plan of its `main` subscription.

    `metered`: it has charged for usage, so its invoices wait for what comes late. `late_billed` says how much of that
    invoices have had: `<meter> <segment>` -> amount. `idle` are phases that no invoice has, for nothing was to be paid.
    """

    status: Status
    currency: str
    selection: Selection
    next_selection: Selection | None = None
    main: bool = True
    anchor: str
    billing_day: int = 0
    calendar: bool = False
    period: int = 0
    period_start: int
    period_end: int
    phases: tuple[Phase, ...] = ()
    charged: tuple[Charged, ...] = ()
    coupons: tuple[Redemption, ...] = ()
    waiting: tuple[Line, ...] = ()
    metered: bool = False
    idle: tuple[Phase, ...] = ()
    late_billed: dict[str, int] = msgspec.field(default_factory=dict)
    spend: Spend | None = None
    set_up: bool = False
    trial_end: int | None = None
    cancel_at: int | None = None
    ends_at: int | None = None
    paused_at: int | None = None
    ended_at: int | None = None
    created_at: int


class SpendState(Entity, frozen=True, kw_only=True):
    """What of a subscription's `Spend` the period from `period_start` has reached: alerts by the cost so far and by its
    forecast, and the caps that refuse, by their meters ("" is that of all usage)."""

    period_start: int
    reached: tuple[int, ...] = ()
    foreseen: tuple[int, ...] = ()
    acting: tuple[str, ...] = ()


class Proof(msgspec.Struct, frozen=True, array_like=True):
    """That a tenant paid the state what it withheld: `document` as it is called there, `date` as in ISO 8601."""

    document: str
    date: str
    amount: int


class Invoice(Entity, frozen=True, kw_only=True):
    """`period_start` and `period_end` are what its usage is of; a draft's usage is read when it becomes final.

    `buyer` is who it is made out to, sealed with the tenant's data key. `credit` was paid from the wallet,
    `credited` by `credit_notes`, `paid` by payments; `due` is what is still to be paid. Of what the tenant withholds,
    `withheld_credited` was taken back and `proofs` are for the rest. `attempts` to collect it failed; `charging` is the
    charge whose outcome the provider has not told yet.
    """

    status: InvoiceStatus = "draft"
    number: str = ""
    subscription: str = ""
    reason: Reason
    currency: str
    period_start: int
    period_end: int
    phases: tuple[Phase, ...] = ()
    lines: tuple[Line, ...] = ()
    totals: Totals | None = None
    credit: int = 0
    credited: int = 0
    paid: int = 0
    final_at: int
    issued_at: int | None = None
    due_at: int | None = None
    settled_at: int | None = None
    attempts: int = 0
    charging: str = ""
    credit_notes: tuple[str, ...] = ()
    withheld_credited: int = 0
    proofs: Annotated[tuple[Proof, ...], OWNED] = ()
    buyer: str = ""
    language: Language = "pt-BR"
    zone: str = "UTC"
    created_at: int

    @property
    def due(self) -> int:
        """What is still to be paid."""
        return self.left if self.status == "open" else 0

    @property
    def left(self) -> int:
        """What was not paid, also where nobody is expected to pay it."""
        return self.totals.net - self.credit - self.credited - self.paid if self.totals else 0

    @property
    def unproven(self) -> int:
        """What the tenant withheld and has not proven yet."""
        withheld = self.totals.total - self.totals.net if self.totals else 0
        return withheld - self.withheld_credited - sum(proof.amount for proof in self.proofs)


class CreditNote(Entity, frozen=True, kw_only=True):
    """Takes back of an invoice, of its lines at the places `of`. `settles` is what was not paid of it yet, `withheld`
    what is not withheld any more; the rest went `to_wallet`, and `refunded` of that back to the tenant."""

    number: str
    invoice: str
    currency: str
    lines: tuple[Line, ...]
    of: tuple[int, ...] = ()
    totals: Totals
    settles: int = 0
    withheld: int = 0
    to_wallet: int = 0
    refunded: int = 0
    reason: Owned = ""
    created_at: int


PaymentKind = Literal["invoice", "top_up", "gift", "refund", "wallet_voided", "wallet_expired"]


class Payment(Entity, frozen=True, kw_only=True):
    """Money that came (for an `invoice`, or into the wallet) or went back (a `refund`), and credit that was given as a
    gift or taken away.

    In `currency`: `amount` is what it counts, `settled` of that for the invoice, `to_wallet` is by how much the wallet
    grew, negative where it shrank. A `provider` had `received` in its own currency, and kept `fee` of it; it `paid_out`
    what went back. `reference` is the provider's name of it. What is left of a gift is gone from `expires_at` on.
    """

    kind: PaymentKind
    invoice: str = ""
    credit_note: str = ""
    currency: str
    amount: int
    settled: int = 0
    to_wallet: int = 0
    provider: str = ""
    received: int = 0
    received_currency: str = ""
    fee: int = 0
    paid_out: int = 0
    reference: Owned = ""
    expires_at: int | None = None
    created_at: int


class Profile(Entity, frozen=True, kw_only=True):
    """How a tenant is billed. `taxes` are the ids of those that hold for it, None: by its place, () exempt.

    `days_to_pay` after an invoice is issued.
    """

    proration: Proration = "second"
    taxes: tuple[str, ...] | None = None
    withholdings: Annotated[tuple[Withholding, ...], OWNED] = ()
    days_to_pay: Annotated[int, Meta(ge=0, le=90)] = 0
    when_unpaid: Literal["suspend", "cancel", "nothing"] = "suspend"
