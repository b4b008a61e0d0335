"""Subscriptions and previews of their changes as the API shows them. Pure."""

import msgspec

from veloflux.billing.invoices.shown import LineShown, TotalsShown, same, shown_lines, shown_totals
from veloflux.billing.model import Selection, Subscription
from veloflux.billing.states import Status
from veloflux.billing.subscriptions.change import Preview
from veloflux.plans.terms import Timing


class Attached(msgspec.Struct, frozen=True):
    """A coupon of a subscription, for `left` invoices more; null: for all."""

    coupon: str
    left: int | None


class SubscriptionShown(msgspec.Struct, frozen=True, kw_only=True):
    """`anchor` is the local date and time that periods are counted from. `next_selection` holds from the next period
    on; `waiting` are lines for the next invoice; `cancel_at` and `ends_at` say when it ends, on request and as agreed.
    Times are epoch ms of the tenant's clock."""

    id: str
    status: Status
    currency: str
    selection: Selection
    next_selection: Selection | None
    main: bool
    anchor: str
    billing_day: int
    calendar: bool
    period_start: int
    period_end: int
    coupons: tuple[Attached, ...]
    waiting: tuple[LineShown, ...]
    trial_end: int | None
    cancel_at: int | None
    ends_at: int | None
    paused_at: int | None
    ended_at: int | None
    created_at: int

    @classmethod
    def of(cls, sub: Subscription) -> "SubscriptionShown":
        coupons = tuple(Attached(one.coupon, one.left) for one in sub.coupons)
        return same(cls, sub, {"coupons": coupons, "waiting": shown_lines(sub.waiting)})


class PreviewShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a change brings at a time: the lines, and what they come to on an invoice of their own. With
    `next_invoice` they wait for that; with `period_end` they are of the next period, from `holds_from` on."""

    when: Timing
    plan: str
    plan_version: int
    at: int
    holds_from: int
    currency: str
    lines: tuple[LineShown, ...]
    totals: TotalsShown
    to_wallet: int

    @classmethod
    def of(cls, preview: Preview) -> "PreviewShown":
        return same(cls, preview, {"lines": shown_lines(preview.lines), "totals": shown_totals(preview.totals)})
