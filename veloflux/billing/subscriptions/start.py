"""A tenant subscribes to a plan: at once, or with a trial before it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.arithmetic.cycle import Step, check_selection, first_span, start_period
from veloflux.billing.arithmetic.discounts import redeem
from veloflux.billing.arithmetic.periods import anchored
from veloflux.billing.basis import Basis, read_basis
from veloflux.billing.invoices.drafting import put_invoice
from veloflux.billing.model import Phase, Selection, Subscription
from veloflux.billing.states import LIVING
from veloflux.billing.subscriptions.follow import expect_zone, follow
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid
from veloflux.events import SubscriptionStarted
from veloflux.kit import clock, ids, money
from veloflux.kit.clock import DAY_MS
from veloflux.plans import pick_plan
from veloflux.plans.prices import Coupon, Currency, Name
from veloflux.plans.terms import TRIAL_DAYS_MAX
from veloflux.transaction import Transaction, decide

CLOSE = "close"
SUBSCRIPTIONS_MAX = 20
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Time = Annotated[int, Meta(ge=clock.EARLIEST, lt=clock.LATEST, description="Epoch ms of the tenant's clock")]


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tenant subscribes to; what is left out is as the plan says, and the tenant's currency.

    `billing_day` lets periods begin on a day of the month, `calendar` with the week, month, quarter or year; else they
    begin when the subscription does. `main`: the tenant has the limits of its plan; without it, only the first living
    subscription has.
    """

    plan: Annotated[str, Meta(max_length=60, examples=["pro"])]
    currency: Currency | None = None
    quantities: dict[Name, Count] = {}
    add_ons: dict[Name, Count] = {}
    coupons: Annotated[tuple[Name, ...], Meta(max_length=10)] = ()
    trial_days: Annotated[int, Meta(ge=0, le=TRIAL_DAYS_MAX)] | None = None
    billing_day: Annotated[int, Meta(ge=0, le=31)] = 0
    calendar: bool | None = None
    main: bool | None = None
    ends_at: Time | None = None


async def start(ctx: Context, wanted: Start, once: str = "") -> Subscription:
    """Begin a subscription; what is paid in advance is invoiced at once. The same text in `once` gives the subscription
    that began with it first.

    :raises PlanUnknown: the catalogue has no such plan. :raises PriceMissing: something of it has no price in the
        currency. :raises InputInvalid: it has no such charge, add-on or coupon, or a time is out of order.
    :raises Conflict: there are too many, a second main one, or another one that charges for a meter of it.
    """
    id_ = ids.derived("sub", ctx.tenant, once) if once else ids.new("sub")
    if once and (begun_before := await store.find_subscription(ctx.db, ctx.tenant, id_)):
        return begun_before
    return await decide(lambda: _start(ctx, id_, wanted))


async def _start(ctx: Context, id_: str, wanted: Start) -> Subscription:
    if ctx.tenant == PLATFORM:
        raise Conflict("The platform's own tenant is not billed")
    basis, others = await read_basis(ctx), await store.subscriptions(ctx.db, ctx.tenant)
    step = begun(ctx.now(), basis, new_subscription(ctx, basis, id_, wanted, others))
    tx = Transaction(ctx, ctx.tenant)
    sub = await put_invoice(ctx, tx, basis, step, "start")
    tx.create(keys.subscription(ctx.tenant, sub.id), sub)
    tx.rank(keys.subscriptions(ctx.tenant), sub.id, sub.created_at)
    agenda.put(ctx, tx, Item(CLOSE, sub.id, sub.period_end))
    expect_zone(tx, basis)
    await follow(ctx, tx, basis, [*others, sub])
    tx.event(SubscriptionStarted(subscription=sub.id, plan=sub.selection.plan, status=sub.status))
    await tx.commit()
    return sub


def new_subscription(ctx: Context, basis: Basis, id_: str, wanted: Start, others: list[Subscription]) -> Subscription:
    """A subscription that has no period yet. Errors as `start`."""
    now, plan = ctx.now(), pick_plan(basis.catalogue.plans, wanted.plan)
    currency = wanted.currency or basis.tenant.currency
    money.minor_digits(currency)
    selection = Selection(plan=plan.id, plan_version=plan.version, quantities=wanted.quantities, add_ons=wanted.add_ons)
    check_selection(basis.offer(selection, currency), selection)
    days = plan.trial_days if wanted.trial_days is None else wanted.trial_days
    trial_end = now + days * DAY_MS if days else None
    if wanted.ends_at is not None and wanted.ends_at <= (trial_end or now):
        raise InputInvalid("The end must be in the future of the tenant's clock, and after the trial", field="ends_at")
    return Subscription(
        id=id_,
        status="trialing" if trial_end else "active",
        currency=currency,
        selection=selection,
        main=_is_main(wanted.main, others),
        anchor=anchored(trial_end or now, basis.tenant.zone).isoformat(),
        billing_day=wanted.billing_day,
        calendar=plan.calendar if wanted.calendar is None else wanted.calendar,
        period_start=now,
        period_end=trial_end or now,
        coupons=tuple(redeem(coupon) for coupon in picked_coupons(basis, wanted.coupons, currency)),
        trial_end=trial_end,
        ends_at=wanted.ends_at,
        created_at=now,
    )


def begun(at: int, basis: Basis, sub: Subscription) -> Step:
    """A subscription in its first period, which costs nothing in a trial."""
    offer = basis.offer_of(sub)
    first = first_span(sub, offer, basis.calendar, sub.period_end)
    if sub.status == "trialing":
        phase = Phase(start=at, selection=sub.selection, free=True)
        return Step(msgspec.structs.replace(sub, period=-1, phases=(phase,)), ())
    return start_period(sub, offer, first)


def picked_coupons(basis: Basis, wanted: tuple[str, ...], currency: str) -> list[Coupon]:
    """:raises InputInvalid: the catalogue has no such coupon, or it has no amount in the currency."""
    known = {coupon.id: coupon for coupon in basis.catalogue.coupons}
    for id_ in wanted:
        if id_ not in known:
            raise InputInvalid(f"There is no coupon {id_[:60]!r}", field="coupons")
        if known[id_].percent is None and currency not in known[id_].amounts:
            raise InputInvalid(f"The coupon {id_} has no amount in {currency}", field="coupons")
    return [known[id_] for id_ in dict.fromkeys(wanted)]


def _is_main(wanted: bool | None, others: list[Subscription]) -> bool:
    living = [one for one in others if one.status in LIVING]
    if len(living) >= SUBSCRIPTIONS_MAX:
        raise Conflict(f"A tenant has at most {SUBSCRIPTIONS_MAX} living subscriptions")
    taken = any(one.main for one in living)
    if wanted and taken:
        raise Conflict("The tenant has a main subscription; change its plan instead, or start one beside it")
    return not taken if wanted is None else wanted
