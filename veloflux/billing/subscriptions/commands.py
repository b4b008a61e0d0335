"""`veloflux subscriptions`: what tenants have subscribed to."""

from typing import Annotated, Any

import msgspec
import typer

from veloflux.billing import store
from veloflux.billing.model import Subscription
from veloflux.billing.subscriptions import cancel as cancelling
from veloflux.billing.subscriptions.change import ChangeSubscription, change, preview
from veloflux.billing.subscriptions.change import undo_change as undo
from veloflux.billing.subscriptions.start import Start, start
from veloflux.billing.subscriptions.trial import TrialEnd
from veloflux.billing.subscriptions.trial import set_trial_end as set_end
from veloflux.errors import InputInvalid
from veloflux.terminal import Json, TenantOption, parsed, run, say, show

app = typer.Typer(no_args_is_help=True)
LINES = ("kind", "name", "quantity", "price", "amount", "discount")

Counts = Annotated[list[str] | None, typer.Option(help="Like seats=5; can be repeated")]
When = Annotated[str, typer.Option(help="now, next_invoice or period_end; else as the plan says")]
Credit = Annotated[bool, typer.Option(help="Credit what was paid for the rest of the period")]


class Row(msgspec.Struct):
    """A subscription as a table shows it."""

    id: str
    status: str
    plan: str
    currency: str
    since_at: int
    period_ends_at: int
    cancel_at: int | None


COLUMNS = Row.__struct_fields__


@app.command("list")
def list_(terminal: typer.Context, tenant: TenantOption, json: Json = False) -> None:
    """List a tenant's subscriptions, the oldest first."""
    show_subscriptions(run(terminal, lambda ctx: store.subscriptions(ctx.db, ctx.tenant), tenant=tenant), json=json)


@app.command("start")
def start_(
    terminal: typer.Context,
    plan: str,
    *,
    tenant: TenantOption,
    currency: Annotated[str, typer.Option(help="ISO 4217; else the tenant's")] = "",
    quantity: Counts = None,
    add_on: Counts = None,
    coupon: Annotated[list[str] | None, typer.Option(help="Of the catalogue; can be repeated")] = None,
    trial_days: Annotated[int | None, typer.Option(help="Else as the plan says")] = None,
    billing_day: Annotated[int, typer.Option(help="Day of the month on which periods begin; 0: today's")] = 0,
    calendar: Annotated[bool, typer.Option(help="Periods begin with the week, month, quarter or year")] = False,
    json: Json = False,
) -> None:
    """Begin a subscription; what is paid in advance is invoiced at once."""
    wanted = parsed(
        Start,
        plan=plan,
        currency=currency or None,
        quantities=_counts(quantity),
        add_ons=_counts(add_on),
        coupons=coupon or [],
        trial_days=trial_days,
        billing_day=billing_day,
        calendar=calendar or None,
    )
    show_subscriptions([run(terminal, lambda ctx: start(ctx, wanted), tenant=tenant)], json=json)


@app.command("change")
def change_(
    terminal: typer.Context,
    subscription: str,
    *,
    tenant: TenantOption,
    plan: Annotated[str, typer.Option(help="Plan of the catalogue, in its present version")] = "",
    quantity: Counts = None,
    add_on: Counts = None,
    when: When = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the lines that it would bring")] = False,
    json: Json = False,
) -> None:
    """Change the plan, quantities or add-ons of a subscription."""
    wanted = parsed(
        ChangeSubscription,
        plan=plan or None,
        quantities=_counts(quantity) if quantity else None,
        add_ons=_counts(add_on) if add_on else None,
        when=when or None,
    )
    if not dry_run:
        show_subscriptions([run(terminal, lambda ctx: change(ctx, subscription, wanted), tenant=tenant)], json=json)
        return
    seen = run(terminal, lambda ctx: preview(ctx, subscription, wanted), tenant=tenant)
    show(seen if json else seen.lines, json=json, columns=LINES)
    say(f"{seen.when}: {seen.totals.total} minor units of {seen.currency}, {seen.to_wallet} to the wallet")


@app.command()
def undo_change(terminal: typer.Context, subscription: str, tenant: TenantOption, json: Json = False) -> None:
    """Take back a change that was to come with the next period."""
    show_subscriptions([run(terminal, lambda ctx: undo(ctx, subscription), tenant=tenant)], json=json)


@app.command()
def set_trial_end(
    terminal: typer.Context,
    subscription: str,
    at: Annotated[str, typer.Argument(help="Epoch ms of the tenant's clock; or now, which bills the first period")],
    *,
    tenant: TenantOption,
    json: Json = False,
) -> None:
    """Let a trial end later, earlier, or now."""
    wanted = parsed(TrialEnd, at=None if at == "now" else at)
    show_subscriptions([run(terminal, lambda ctx: set_end(ctx, subscription, wanted.at), tenant=tenant)], json=json)


@app.command()
def cancel(
    terminal: typer.Context,
    subscription: str,
    *,
    tenant: TenantOption,
    now: Annotated[bool, typer.Option("--now", help="Not with its period, but at once")] = False,
    credit_unused: Credit = True,
    json: Json = False,
) -> None:
    """End a subscription with its period, or now."""
    ended = run(
        terminal,
        lambda ctx: cancelling.cancel(ctx, subscription, now=now, credit_unused=credit_unused),
        tenant=tenant,
    )
    show_subscriptions([ended], json=json)


@app.command()
def undo_cancel(terminal: typer.Context, subscription: str, tenant: TenantOption, json: Json = False) -> None:
    """Let a subscription go on that was to end."""
    show_subscriptions([run(terminal, lambda ctx: cancelling.undo_cancel(ctx, subscription), tenant=tenant)], json=json)


@app.command()
def pause(
    terminal: typer.Context,
    subscription: str,
    *,
    tenant: TenantOption,
    credit_unused: Credit = True,
    json: Json = False,
) -> None:
    """Stop a subscription now; nothing is charged until it is resumed."""
    paused = run(terminal, lambda ctx: cancelling.pause(ctx, subscription, credit_unused=credit_unused), tenant=tenant)
    show_subscriptions([paused], json=json)


@app.command()
def resume(terminal: typer.Context, subscription: str, tenant: TenantOption, json: Json = False) -> None:
    """Let a paused subscription go on, with a new period."""
    show_subscriptions([run(terminal, lambda ctx: cancelling.resume(ctx, subscription), tenant=tenant)], json=json)


@app.command()
def reactivate(terminal: typer.Context, subscription: str, tenant: TenantOption, json: Json = False) -> None:
    """Begin a subscription anew that has ended."""
    show_subscriptions([run(terminal, lambda ctx: cancelling.reactivate(ctx, subscription), tenant=tenant)], json=json)


def show_subscriptions(found: list[Subscription], *, json: bool) -> None:
    """As JSON, or as a table."""
    if json:
        show(found, json=True)
        return
    rows = [
        Row(one.id, one.status, one.selection.plan, one.currency, one.created_at, one.period_end, one.cancel_at)
        for one in found
    ]
    show(rows, json=False, columns=COLUMNS)


def _counts(texts: list[str] | None) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for text in texts or []:
        name, _, number = text.partition("=")
        if not number.isdigit():
            raise InputInvalid(f"{text[:60]!r} is not like seats=5")
        counts[name] = int(number)
    return counts
