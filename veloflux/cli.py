"""The command `veloflux`: one group a part of the product, and the processes. `veloflux --help` lists them."""

from typing import Annotated

import typer
from rich.table import Table

from veloflux import data_layout as layout
from veloflux import doctor as doctor_
from veloflux import logs, settings, terminal, wiring
from veloflux.audit import commands as audit
from veloflux.billing import check_books_commands, clock_commands, zone_commands
from veloflux.billing.fiscal import commands as fiscal_commands
from veloflux.billing.invoices import changes_commands as invoice_changes_commands
from veloflux.billing.spend import commands as cost_commands
from veloflux.billing.subscriptions import commands as subscriptions_commands
from veloflux.billing.subscriptions import items_commands
from veloflux.billing.wallet import commands as wallet_commands
from veloflux.context import Context
from veloflux.db import prompt
from veloflux.errors import StartRefused
from veloflux.exports import commands as exports
from veloflux.identity import commands as identity_commands
from veloflux.identity import factor_commands, rebuild_people_index
from veloflux.jobs import commands as jobs
from veloflux.ledger import commands as ledger
from veloflux.limits import commands as limits
from veloflux.limits import credits_commands, leases_commands, plan_commands
from veloflux.metering import commands as metering
from veloflux.notifications import commands as notifications
from veloflux.personal_data import commands as personal_data
from veloflux.plans import commands as plans
from veloflux.processes import PROCESSES
from veloflux.tenants import (
    catalogue_commands,
    find,
    key_commands,
    oidc_commands,
    record_commands,
    roles_commands,
    scope_of,
    token_commands,
)
from veloflux.tenants import commands as tenants
from veloflux.tenants.permissions import ROLES
from veloflux.users import commands as users

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)
app.add_typer(tenants.operator, name="operator", help="The people who run this installation")
app.add_typer(identity_commands.auth, name="auth", help="People's accounts")
app.add_typer(identity_commands.sessions, name="sessions", help="Where people are signed in")
app.add_typer(factor_commands.totp, name="totp", help="Authenticator apps")
app.add_typer(factor_commands.passkeys, name="passkeys", help="Passkeys, which browsers make")
app.add_typer(factor_commands.recovery_codes, name="recovery-codes", help="For who lost the second factor")
app.add_typer(users.app, name="users", help="All people")
app.add_typer(record_commands.app, name="tenants", help="Your customers")
tenants.app.add_typer(oidc_commands.app, name="oidc", help="Signing in by a tenant's own provider")
app.add_typer(tenants.members, name="members", help="The people of a tenant")
app.add_typer(tenants.invitations, name="invitations", help="Invitations to a tenant")
app.add_typer(roles_commands.app, name="roles", help="Who may do what in a tenant")
app.add_typer(key_commands.app, name="api-keys", help="Keys for a tenant's programs")
app.add_typer(token_commands.app, name="tokens", help="Short-lived tokens for a tenant's own front end")
app.add_typer(plans.app, name="plans", help="The catalogue")
app.add_typer(catalogue_commands.meters, name="meters", help="What is measured")
plans.app.command("apply")(catalogue_commands.apply)
plans.app.command("rollout")(catalogue_commands.rollout)
app.add_typer(metering.app, name="usage", help="What tenants used")
app.add_typer(audit.app, name="audit", help="Who changed what")
app.add_typer(notifications.app, name="outbox", help="Messages written for people")
app.add_typer(jobs.app, name="jobs", help="Work for later, waiting and dead")
identity_commands.auth.command("sso-join")(oidc_commands.join)
identity_commands.auth.command("sso-link")(oidc_commands.link)
metering.app.command("export")(exports.export)
ledger.app.command("export")(exports.export_ledger)
users.app.command("export")(personal_data.export_person)
identity_commands.auth.command("personal-data")(personal_data.export_own)
identity_commands.auth.command("erase")(personal_data.erase_own)
identity_commands.auth.command("keep")(personal_data.keep_own)
tenants.app.command("set-clock")(clock_commands.set_clock)
tenants.app.command("set-zone")(zone_commands.set_zone)
tenants.app.command("change-plan")(plan_commands.change_plan)
app.add_typer(plan_commands.overrides, name="overrides", help="Limits and features beside a tenant's plan")
app.add_typer(credits_commands.app, name="credits", help="What a tenant may use beyond its quotas")
subscriptions_commands.app.command("cost")(cost_commands.cost)
subscriptions_commands.app.command("spend")(cost_commands.spend)
subscriptions_commands.app.command("limit-spend")(cost_commands.set_limits)
ledger.app.command("check")(check_books_commands.check)
app.add_typer(subscriptions_commands.app, name="subscriptions", help="What tenants have subscribed to")
app.add_typer(invoice_changes_commands.app, name="invoices", help="What tenants were billed")
invoice_changes_commands.app.add_typer(fiscal_commands.app, name="fiscal", help="Fiscal documents (NFS-e)")
subscriptions_commands.app.command("add-item")(items_commands.add_item)
subscriptions_commands.app.command("attach-coupon")(items_commands.attach_coupon)
subscriptions_commands.app.command("detach-coupon")(items_commands.detach_coupon)
app.add_typer(wallet_commands.payments, name="payments", help="Money that came or went back")
app.add_typer(wallet_commands.wallet, name="wallet", help="What a tenant paid in advance, or was given")
app.add_typer(wallet_commands.profile, name="billing", help="How a tenant is billed")
app.add_typer(ledger.app, name="ledger", help="What was billed and paid, in double entry")
app.add_typer(leases_commands.app, name="reservations", help="What is held for work of unknown size")
tenants.app.command("export")(personal_data.export_tenant)
app.command("check")(limits.check_command)
metering.app.command("near")(limits.near_command)
app.command("limits")(limits.limits_command)


for process in PROCESSES.values():
    app.command()(process)


@app.command()
def demo(terminal_: typer.Context) -> None:
    """Do the main job by itself: a tenant, a key, an imported log, an export, a check. Starts VeloFlux if it must."""
    from veloflux.demo import alone, main_job

    try:
        terminal.run(terminal_, main_job.run)
    except StartRefused:
        alone.run()


@app.command()
def doctor(
    terminal_: typer.Context,
    rebuild_indexes: Annotated[
        bool, typer.Option("--rebuild-indexes", help="First make the list and the search index of people anew")
    ] = False,
    json: terminal.Json = False,
) -> None:
    """Say what is wrong with the Redis and the data in it, and how to mend it."""
    if rebuild_indexes:
        count = terminal.run(terminal_, rebuild_people_index)
        terminal.say(f"The index holds {count} people")
    report = terminal.run(terminal_, doctor_.examine)
    doctor_.show(report, json=json)
    raise SystemExit(1 if report.wrong else 0)


@app.command("data-layout")
def data_layout() -> None:
    """Print every Redis key: type, life, slice, meaning."""
    typer.echo(layout.as_text())


@app.command("redis-cli")
def redis_cli(
    arguments: Annotated[list[str] | None, typer.Argument(help="One command; none: a prompt")] = None,
) -> None:
    """Open the server that this installation uses."""
    prompt.run(settings.load(), arguments or [])


@app.command("settings")
def show_settings() -> None:
    """Print every setting: environment variable, type, default, help."""
    table = Table("setting", "type", "default", "help", box=None, pad_edge=False)
    for row in settings.describe():
        table.add_row(*row)
    terminal.out.print(table)


@app.callback()
def connect(terminal_: typer.Context) -> None:
    """How the commands reach the running instance."""
    chosen = settings.load()
    terminal_.obj = terminal.Instance(lambda: wiring.build(chosen), _within)
    if terminal_.invoked_subcommand not in PROCESSES:
        logs.configure(chosen, file=False)


async def _within(ctx: Context, ref: str) -> Context:
    """Whoever may use the data folder may do everything in every tenant."""
    return ctx.within(scope_of(await find(ctx, ref)), ROLES["operator"])
