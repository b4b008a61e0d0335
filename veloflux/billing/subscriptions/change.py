"""A subscription gets another plan, other quantities or add-ons: now, or from the next period on.

A preview is the same computation without its commit, so what it says is what is charged.
"""

import asyncio
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from veloflux.billing import store
from veloflux.billing.arithmetic.cycle import (
    Offer,
    Step,
    check_selection,
    end_period,
    first_span,
    span_of,
    start_period,
    switch,
    worth,
)
from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.periods import anchored
from veloflux.billing.arithmetic.totals import Totals
from veloflux.billing.basis import Basis, read_basis
from veloflux.billing.invoices.drafting import invoice_of, put_invoice
from veloflux.billing.invoices.issue import composed, settled_with
from veloflux.billing.invoices.settle_drafts import as_settled, settle_drafts
from veloflux.billing.model import Selection, Subscription
from veloflux.billing.states import RUNNING, SUBSCRIPTION, move
from veloflux.billing.subscriptions.close_period import rolled, write
from veloflux.billing.subscriptions.follow import check_meters
from veloflux.billing.subscriptions.start import Count
from veloflux.context import Context
from veloflux.errors import InputInvalid, MoveImpossible
from veloflux.events import SubscriptionChanged, SubscriptionChangeScheduled, SubscriptionChangeUndone
from veloflux.plans import pick_plan
from veloflux.plans.prices import Name
from veloflux.plans.terms import Timing
from veloflux.transaction import Transaction, decide

AHEAD_MAX = 600
"""So many periods ahead a change can be previewed."""


class ChangeSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted; None keeps what there is. A plan is taken in its present version, also the one that there is.

    `when`: `now` with an invoice, now but on the next invoice (`next_invoice`), or from the next period on; None: as
    the plan says for an upgrade or a downgrade, which the fixed price of a year tells.
    """

    plan: Annotated[str, Meta(max_length=60, examples=["pro"])] | None = None
    quantities: dict[Name, Count] | None = None
    add_ons: dict[Name, Count] | None = None
    when: Timing | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change brings at a time: the lines, and what they come to on an invoice of their own. With
    `next_invoice` they wait for that; with `period_end` they are of the next period, from `holds_from` on."""

    when: Timing
    plan: str
    plan_version: int
    at: int
    holds_from: int
    currency: str
    lines: tuple[Line, ...]
    totals: Totals
    to_wallet: int


class _Planned(NamedTuple):
    """A change, before anything is written."""

    when: Timing
    selection: Selection
    step: Step


async def change(ctx: Context, id_: str, wanted: ChangeSubscription) -> Subscription:
    """Change a subscription.

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it does not run. :raises PlanUnknown,
        PriceMissing, InputInvalid: what is wanted is not for sale so. :raises Conflict: another subscription charges
        for a meter of it.
    """
    return await decide(lambda: _change(ctx, id_, wanted))


async def undo_change(ctx: Context, id_: str) -> Subscription:
    """Let a subscription stay as it is, that was to change when its period ends.

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it is not to change, or has ended.
    """
    return await decide(lambda: _undo(ctx, id_))


async def preview(ctx: Context, id_: str, wanted: ChangeSubscription, at: int | None = None) -> Preview:
    """What a change would bring now, or at a later time of the tenant's clock, if nothing else is changed until then.

    :raises InputInvalid: the time is past, or too far ahead. Else as `change`.
    """
    sub, basis, others = await asyncio.gather(
        store.subscription(ctx, id_), read_basis(ctx), store.other_subscriptions(ctx.db, ctx.tenant, id_)
    )
    now = ctx.now()
    moment = now if at is None else at
    if moment < now:
        raise InputInvalid("A change can be previewed from now on, not for a time that has passed", field="at")
    sub = _at(ctx, basis, await as_settled(ctx, basis, sub), moment)
    planned = _plan(basis, sub, wanted, moment)
    check_meters(basis, [*others, replace(sub, next_selection=planned.selection)])
    draft = invoice_of(ctx.at(moment), planned.step.alone(), "change")
    document, lack = composed(basis, draft, sub)
    return Preview(
        when=planned.when,
        plan=planned.selection.plan,
        plan_version=planned.selection.plan_version,
        at=moment,
        holds_from=sub.period_end if planned.when == "period_end" else moment,
        currency=sub.currency,
        lines=document.lines,
        totals=document.totals,
        to_wallet=lack.totals.total if lack else 0,
    )


async def _change(ctx: Context, id_: str, wanted: ChangeSubscription) -> Subscription:
    sub, basis = await asyncio.gather(store.subscription(ctx, id_), read_basis(ctx))
    planned = _plan(basis, sub, wanted, ctx.now())
    if planned.when != "period_end" and await settle_drafts(ctx, basis, sub):
        return await _change(ctx, id_, wanted)
    tx = Transaction(ctx, ctx.tenant)
    if planned.when == "period_end":
        after = replace(sub, next_selection=None if planned.selection == sub.selection else planned.selection)
        tx.event(SubscriptionChangeScheduled(subscription=id_, plan=planned.selection.plan, at=sub.period_end))
    else:
        after = await _bill(ctx, tx, basis, planned)
        tx.event(SubscriptionChanged(subscription=id_, plan=planned.selection.plan))
    await write(ctx, tx, basis, sub, after)
    await tx.commit()
    return replace(after, version=sub.version + 1)


async def _undo(ctx: Context, id_: str) -> Subscription:
    sub, basis = await store.subscription(ctx, id_), await read_basis(ctx)
    move(SUBSCRIPTION, sub.status, "undo_change")
    if sub.next_selection is None:
        raise MoveImpossible("This subscription is not to change; there is nothing to undo", state=sub.status)
    tx, after = Transaction(ctx, ctx.tenant), replace(sub, next_selection=None)
    tx.event(SubscriptionChangeUndone(subscription=id_))
    await write(ctx, tx, basis, sub, after)
    await tx.commit()
    return replace(after, version=sub.version + 1)


async def _bill(ctx: Context, tx: Transaction, basis: Basis, planned: _Planned) -> Subscription:
    sub, lines, _ = planned.step
    if planned.when == "next_invoice":
        return replace(sub, waiting=(*sub.waiting, *lines))
    return await put_invoice(ctx, tx, basis, planned.step, "change")


def _plan(basis: Basis, sub: Subscription, wanted: ChangeSubscription, at: int) -> _Planned:
    """What a change means at a time within the running period. Pure. Errors as `change`."""
    move(SUBSCRIPTION, sub.status, "change")
    selection = selected(basis, sub, wanted)
    old, new = basis.offer_of(sub), basis.offer(selection, sub.currency)
    rises = worth(new, selection) >= worth(old, sub.selection)
    when = wanted.when or (old.plan.upgrade if rises else old.plan.downgrade)
    if sub.status == "trialing":
        when = "now"
    if when == "period_end":
        following = rolled(basis, replace(sub, next_selection=selection, ends_at=None, cancel_at=None))
        return _Planned(when, selection, Step(sub, following.lines))
    if sub.status == "trialing":
        return _Planned(when, selection, Step(replace(sub, selection=selection, next_selection=None), ()))
    if _rhythm(old) != _rhythm(new):
        return _Planned("now", selection, _begun_anew(basis, sub, selection, at))
    step = switch(sub, new, selection, at, span_of(sub, old, basis.calendar))
    return _Planned(when, selection, step._replace(subscription=replace(step.subscription, next_selection=None)))


def selected(basis: Basis, sub: Subscription, wanted: ChangeSubscription) -> Selection:
    """What a subscription would have selected. Errors as `change`."""
    kept = {**sub.selection.quantities} if wanted.plan in (None, sub.selection.plan) else {}
    if wanted.plan is None:
        plan, version = sub.selection.plan, sub.selection.plan_version
    else:
        plan, version = wanted.plan, pick_plan(basis.catalogue.plans, wanted.plan).version
    selection = Selection(
        plan=plan,
        plan_version=version,
        quantities=kept | (wanted.quantities or {}),
        add_ons=sub.selection.add_ons if wanted.add_ons is None else wanted.add_ons,
    )
    check_selection(basis.offer(selection, sub.currency), selection)
    return selection


def _begun_anew(basis: Basis, sub: Subscription, selection: Selection, at: int) -> Step:
    """Another interval ends the period here: what is unused is credited, the new interval is counted from now."""
    ended = end_period(sub, at, span_of(sub, basis.offer_of(sub), basis.calendar), basis.offers(sub))
    anchor = anchored(at, basis.tenant.zone).isoformat()
    following = replace(ended.subscription, selection=selection, next_selection=None, anchor=anchor, billing_day=0)
    new = basis.offer_of(following)
    begun = start_period(following, new, first_span(following, new, basis.calendar, at))
    ends_with = begun.subscription.period_end if sub.cancel_at is not None else None
    after = replace(begun.subscription, cancel_at=ends_with)
    return Step(after, (*ended.lines, *begun.lines), ended.phases)


def _rhythm(offer: Offer) -> tuple[str, int]:
    return offer.plan.interval, offer.plan.interval_count


def _at(ctx: Context, basis: Basis, sub: Subscription, moment: int) -> Subscription:
    """A subscription as it will be at a time, if nothing happens but that its periods pass and are billed."""
    for _ in range(AHEAD_MAX):
        if sub.status not in RUNNING or moment < sub.period_end:
            return sub
        step = rolled(basis, sub)
        draft = invoice_of(ctx, step, "period")
        document, _lack = composed(basis, draft, step.subscription)
        billed = replace(draft, lines=document.lines, totals=document.totals)
        sub = replace(settled_with(step.subscription, billed), waiting=())
    raise InputInvalid("This is too far ahead to be previewed", field="at")
