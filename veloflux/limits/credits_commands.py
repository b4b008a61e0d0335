"""`veloflux credits`: what a tenant may use beyond its quotas."""

from datetime import datetime
from typing import Annotated

import msgspec
import typer

from veloflux.errors import InputInvalid
from veloflux.limits.credits import grant_credit, list_grants, void_grant
from veloflux.limits.grant import Terms
from veloflux.terminal import Json, TenantOption, run, say, show

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("id", "meter", "amount", "left", "priority", "starts_at", "expires_at", "recurrence", "rolls_over", "status")

Time = Annotated[str, typer.Option(help="Like 2026-12-31T23:59:59Z, by the tenant's clock")]


@app.command()
def grant(
    terminal: typer.Context,
    meter: str,
    amount: Annotated[int, typer.Argument(help="Whole units")],
    *,
    tenant: TenantOption,
    priority: Annotated[int, typer.Option(help="0 to 100; the lowest is burned first")] = 50,
    starts_at: Time = "",
    expires_at: Time = "",
    recurrence: Annotated[str, typer.Option(help="none, day, week, month or year")] = "none",
    rolls_over: Annotated[int, typer.Option(help="For how many further periods what is unused stays good")] = 0,
    note: Annotated[str, typer.Option(help="What it is for")] = "",
    json: Json = False,
) -> None:
    """Give a tenant credits, which pay for what is beyond its quotas."""
    values = {"priority": priority, "recurrence": recurrence, "rolls_over": rolls_over, "note": note}
    times = {"starts_at": _epoch_ms(starts_at, "starts_at"), "expires_at": _epoch_ms(expires_at, "expires_at")}
    try:
        terms = msgspec.convert({"meter": meter, "amount": amount, **values, **times}, Terms)
    except msgspec.ValidationError as error:
        raise InputInvalid(str(error)) from None
    show(run(terminal, lambda ctx: grant_credit(ctx, terms), tenant=tenant), json=json, columns=COLUMNS)


@app.command("list")
def list_(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    cursor: Annotated[str, typer.Option(help="Of the next page, as the page before says")] = "",
    json: Json = False,
) -> None:
    """List a tenant's credits, the newest first, with what is left."""
    page = run(terminal, lambda ctx: list_grants(ctx, cursor), tenant=tenant)
    show(page if json else page.items, json=json, columns=COLUMNS)
    if page.next and not json:
        say(f"More: --cursor {page.next}")


@app.command()
def void(terminal: typer.Context, grant: str, tenant: TenantOption, json: Json = False) -> None:
    """Void what is left of a grant; it does not recur any more."""
    show(run(terminal, lambda ctx: void_grant(ctx, grant), tenant=tenant), json=json, columns=COLUMNS)


def _epoch_ms(text: str, field: str) -> int | None:
    if not text:
        return None
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise InputInvalid(f"{text[:60]!r} is no time; write it like 2026-12-31T23:59:59Z", field=field) from None
