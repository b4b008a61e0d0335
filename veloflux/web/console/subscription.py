"""One subscription: how it stands, what became of it, and what may become of it; a change is looked at before."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from litestar import get, post

from veloflux.billing import read_subscription
from veloflux.billing.model import Subscription
from veloflux.billing.printing.rendered import rendered_lines, rendered_totals
from veloflux.billing.printing.writing import Writing
from veloflux.billing.spend.limits import limit_spend, read_spend
from veloflux.billing.states import SUBSCRIPTION, possible
from veloflux.billing.subscriptions import cancel as cancelling
from veloflux.billing.subscriptions.change import ChangeSubscription, Preview, change, preview, undo_change
from veloflux.billing.subscriptions.history import history
from veloflux.billing.subscriptions.trial import set_trial_end
from veloflux.plans import Catalogue, Plan, pick_plan, read_catalogue
from veloflux.plans.catalogue import pick_version
from veloflux.plans.terms import currencies_of
from veloflux.web.console.amounts import said, spend_limits_of
from veloflux.web.console.form import converted
from veloflux.web.console.page import Html, Page
from veloflux.web.console.plan import midnight
from veloflux.web.console.selection import add_ons_of, quantities_of

ONE = "/console/t/{tenant:str}/subscriptions/{subscription:str}"
FIELDS = ("plan", "when", "quantit", "add_on", "at", "alerts", "cap", "meter_cap")
"""How the names of the fields begin that a form of the page has."""


@get(ONE, operation_id="console.subscription", permission="billing:read")
async def show(page: Page, subscription: str) -> Html:
    """With a change in its query, what that would bring."""
    return await _show(page, subscription, dict(page.request.query_params))


@post(f"{ONE}/change", operation_id="console.subscriptions.change", permission="billing:write")
async def change_(page: Page, subscription: str) -> Html:
    with page.keeping_form():
        sub, catalogue = await _read(page, subscription)
        await change(page.ctx, subscription, _wanted(catalogue, sub, page.form))
        return page.go(f"{page.home}/subscriptions/{subscription}", done="subscriptions.change")
    return await _show(page, subscription, {})


@post(f"{ONE}/undo-change", operation_id="console.subscriptions.undo_change", permission="billing:write")
async def undo_change_(page: Page, subscription: str) -> Html:
    return await _do(page, subscription, "undo_change", undo_change(page.ctx, subscription))


@post(f"{ONE}/trial-end", operation_id="console.subscriptions.set_trial_end", permission="billing:write")
async def set_trial_end_(page: Page, subscription: str) -> Html:
    return await _do(page, subscription, "set_trial_end", _set_trial_end(page, subscription))


@post(f"{ONE}/spend", operation_id="console.subscriptions.limit_spend", permission="billing:write")
async def limit_spend_(page: Page, subscription: str) -> Html:
    return await _do(page, subscription, "limit_spend", _limit_spend(page, subscription))


@post(f"{ONE}/cancel", operation_id="console.subscriptions.cancel", permission="billing:write")
async def cancel(page: Page, subscription: str) -> Html:
    now, credit = page.form["when"] == "now", page.form["keep"] != "1"
    return await _do(
        page, subscription, "cancel", cancelling.cancel(page.ctx, subscription, now=now, credit_unused=credit)
    )


@post(f"{ONE}/undo-cancel", operation_id="console.subscriptions.undo_cancel", permission="billing:write")
async def undo_cancel(page: Page, subscription: str) -> Html:
    return await _do(page, subscription, "undo_cancel", cancelling.undo_cancel(page.ctx, subscription))


@post(f"{ONE}/pause", operation_id="console.subscriptions.pause", permission="billing:write")
async def pause(page: Page, subscription: str) -> Html:
    credit = page.form["keep"] != "1"
    return await _do(page, subscription, "pause", cancelling.pause(page.ctx, subscription, credit_unused=credit))


@post(f"{ONE}/resume", operation_id="console.subscriptions.resume", permission="billing:write")
async def resume(page: Page, subscription: str) -> Html:
    return await _do(page, subscription, "resume", cancelling.resume(page.ctx, subscription))


@post(f"{ONE}/reactivate", operation_id="console.subscriptions.reactivate", permission="billing:write")
async def reactivate(page: Page, subscription: str) -> Html:
    return await _do(page, subscription, "reactivate", cancelling.reactivate(page.ctx, subscription))


async def _set_trial_end(page: Page, subscription: str) -> Subscription:
    """:raises InputInvalid: the form has no day. Else as `set_trial_end`."""
    at = None if page.form["when"] == "now" else midnight(page, "at")
    return await set_trial_end(page.ctx, subscription, at)


async def _limit_spend(page: Page, subscription: str) -> None:
    """:raises InputInvalid: the form has something that is no amount. Else as `limit_spend`."""
    sub = await read_subscription(page.ctx, subscription)
    await limit_spend(page.ctx, subscription, spend_limits_of(page.form, sub.currency))


async def _do(page: Page, subscription: str, what: str, doing: Awaitable[object]) -> Html:
    with page.keeping_form():
        await doing
        return page.go(f"{page.home}/subscriptions/{subscription}", done=f"subscriptions.{what}")
    return await _show(page, subscription, {})


async def _show(page: Page, subscription: str, asked: Mapping[str, str]) -> Html:
    sub, catalogue = await _read(page, subscription)
    spend = await read_spend(page.ctx, subscription)
    present = pick_version(catalogue, sub.selection.plan, sub.selection.plan_version)
    wanted = _plan(catalogue, asked.get("plan", ""))
    seen, following = None, sub.next_selection
    if "plan" in asked and "subscriptions.change" in page.may:
        with page.keeping_form():
            seen = await preview(page.ctx, subscription, _wanted(catalogue, sub, asked))
    page.blame(*FIELDS)
    return page.show(
        "subscription.html",
        at=f"{page.home}/subscriptions/{subscription}" if page.problem else "",
        sub=sub,
        plan=present,
        next_plan=following and pick_version(catalogue, following.plan, following.plan_version),
        possible=possible(SUBSCRIPTION, sub.status),
        choices=_choices(catalogue, sub),
        wanted=wanted if wanted and sub.currency in currencies_of(wanted) else present,
        asked=asked,
        add_ons=[one for one in catalogue.addons if one.recurring and sub.currency in one.prices],
        names=_names(catalogue),
        preview=seen and _seen(page, seen),
        spend=spend,
        said=said(spend),
        events=await history(page.ctx, subscription),
    )


async def _read(page: Page, subscription: str) -> tuple[Subscription, Catalogue]:
    """:raises NotFound: the tenant has no such subscription."""
    return await asyncio.gather(read_subscription(page.ctx, subscription), read_catalogue(page.ctx.db))


def _plan(catalogue: Catalogue, plan: str) -> Plan | None:
    """The plan that a form names, in its present version; None: that which there is."""
    return pick_plan(catalogue.plans, plan) if plan else None


def _wanted(catalogue: Catalogue, sub: Subscription, sent: Mapping[str, str]) -> ChangeSubscription:
    """:raises PlanUnknown, InputInvalid: what the form says cannot be wanted."""
    named = _plan(catalogue, sent.get("plan", ""))
    plan = named or pick_version(catalogue, sub.selection.plan, sub.selection.plan_version)
    values: dict[str, Any] = {
        "plan": named.id if named else None,
        "quantities": quantities_of(sent, plan),
        "add_ons": add_ons_of(sent, catalogue.addons) if any(name.startswith("add_on-") for name in sent) else None,
        "when": sent.get("when") or None,
    }
    return converted(values, ChangeSubscription, "when")


def _choices(catalogue: Catalogue, sub: Subscription) -> list[Plan]:
    """What it can change to: what is for sale in its currency, of its own plan a newer version."""
    present = (sub.selection.plan, sub.selection.plan_version)
    return [
        plan for plan in catalogue.plans if sub.currency in currencies_of(plan) and (plan.id, plan.version) != present
    ]


def _names(catalogue: Catalogue) -> dict[str, str]:
    """What plans, add-ons and coupons are called, by their ids."""
    rows = (*catalogue.former_plans, *catalogue.plans, *catalogue.addons, *catalogue.coupons)
    return {row.id: row.name for row in rows}


def _seen(page: Page, seen: Preview) -> dict[str, Any]:
    """A preview as the template reads it."""
    assert page.tenant
    writing = Writing(page.language, page.tenant.zone, seen.currency)
    return {
        "when": seen.when,
        "plan": seen.plan,
        "holds_from": seen.holds_from,
        "to_wallet": seen.to_wallet,
        "rows": rendered_lines(writing, seen.lines),
        "sums": rendered_totals(writing, seen.totals),
    }


ROUTES = (show, change_, limit_spend_, undo_change_, set_trial_end_, cancel, undo_cancel, pause, resume, reactivate)
