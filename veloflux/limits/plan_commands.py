"""`veloflux tenants change-plan` and `veloflux overrides`."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer

from veloflux.errors import InputInvalid
from veloflux.limits import change_plan as plans
from veloflux.limits.overrides import list_overrides, remove_override, set_override
from veloflux.plans import Override
from veloflux.terminal import Json, TenantOption, run, say, show

overrides = typer.Typer(no_args_is_help=True)
COLUMNS = ("key", "value", "hard", "burst", "until")

Key = Annotated[str, typer.Argument(help="Like quota:requests:month, rate:per_second or feature:sso")]


def change_plan(
    terminal: typer.Context,
    tenant: str,
    plan: Annotated[str, typer.Argument(help="Plan of the catalogue")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be exceeded")] = False,
    json: Json = False,
) -> None:
    """Give a tenant another plan from its next check on, and say which quotas it exceeds."""
    change = run(terminal, lambda ctx: plans.change_plan(ctx, plan, dry_run=dry_run), tenant=tenant)
    show(change if json else change.exceeded, json=json, columns=("meter", "period", "used", "limit"))
    if change.exceeded:
        say(f"The plan {plan} is exceeded: {change.when_exceeded}")


@overrides.command("list")
def list_(terminal: typer.Context, tenant: TenantOption, json: Json = False) -> None:
    """List what a tenant has beside its plan."""
    show(run(terminal, list_overrides, tenant=tenant), json=json, columns=COLUMNS)


@overrides.command("set")
def set_(
    terminal: typer.Context,
    override: Key,
    value: Annotated[str, typer.Argument(help="5000, none (no quota), 100/s, true, or a text")],
    *,
    tenant: TenantOption,
    soft: Annotated[bool, typer.Option("--soft", help="A quota that marks overage instead of refusing")] = False,
    burst: Annotated[int, typer.Option(help="Of a rate, how much at once; 0: as much as the rate")] = 0,
    until: Annotated[str, typer.Option(help="Like 2026-12-31T23:59:59Z; empty: for good")] = "",
    json: Json = False,
) -> None:
    """Give a tenant another quota, rate or feature, from its next check on."""
    kind, _, name = override.partition(":")
    name, _, period = name.partition(":")
    ends = {"until": _epoch_ms(until)} if until else {}
    quota = {"period": period or "month", "hard": not soft} if kind == "quota" else {}
    wanted = as_override({"kind": kind, "name": name, "value": _read(value), "burst": burst, **quota, **ends})
    show(run(terminal, lambda ctx: set_override(ctx, wanted), tenant=tenant), json=json, columns=COLUMNS)


@overrides.command("remove")
def remove(terminal: typer.Context, override: Key, tenant: TenantOption) -> None:
    """Let a tenant's plan hold again."""
    run(terminal, lambda ctx: remove_override(ctx, override), tenant=tenant)
    say(f"What its plan says of {override} holds again")


def as_override(values: dict[str, Any]) -> Override:
    """:raises InputInvalid: these are not an override's."""
    try:
        return msgspec.convert(values, Override)
    except msgspec.ValidationError as error:
        raise InputInvalid(str(error)) from None


def _read(value: str) -> bool | int | str | None:
    """What a person means by a word: a number, yes or no, nothing, or the word."""
    meant: dict[str, bool | None] = {"none": None, "true": True, "false": False}
    return int(value) if value.isascii() and value.isdigit() else meant.get(value, value)


def _epoch_ms(text: str) -> int:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise InputInvalid(f"{text[:60]!r} is no time; write it like 2026-12-31T23:59:59Z", field="until") from None
