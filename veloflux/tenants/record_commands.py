"""`veloflux tenants show-record`, `change-record`: the rest of a tenant's record."""

from datetime import date
from typing import Annotated

import msgspec
import typer

from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import InputInvalid
from veloflux.tenants import commands
from veloflux.tenants.record import RecordChange
from veloflux.tenants.shown import RecordShown
from veloflux.terminal import Json, TenantOption, run, show

app = commands.app
FIELDS = RecordShown.__struct_fields__


@app.command("set-failure-policy")
def set_failure_policy(
    terminal: typer.Context,
    tenant: str,
    *,
    fails_open: Annotated[bool, typer.Option("--open/--closed", help="Let pass, or refuse")] = False,
    json: Json = False,
) -> None:
    """Say what a tenant's checks answer while they cannot be decided."""
    done = run(terminal, lambda ctx: tenants.set_failure_policy(ctx, fails_open), tenant=tenant)
    show(done, json=json, columns=("id", "slug", "fails_open"))


@app.command("set-billing-anchor")
def set_billing_anchor(
    terminal: typer.Context,
    tenant: str,
    anchor: Annotated[str, typer.Argument(help="A day on which a period begins, like 2026-01-31")],
    json: Json = False,
) -> None:
    """Say on which day of the month a tenant's billing periods begin; the 31st is the last day of a shorter month."""
    try:
        on = date.fromisoformat(anchor)
    except ValueError:
        raise InputInvalid(f"{anchor[:60]!r} is no day; write it like 2026-01-31", field="anchor") from None
    done = run(terminal, lambda ctx: tenants.set_billing_anchor(ctx, on), tenant=tenant)
    show(done, json=json, columns=("id", "slug", "zone", "billing_anchor"))


@app.command("show-record")
def show_record(terminal: typer.Context, tenant: TenantOption, json: Json = False) -> None:
    """Show a tenant's legal name, tax id, address and the rest of its record."""
    show(RecordShown.of(run(terminal, tenants.read_record, tenant=tenant)), json=json, columns=FIELDS)


@app.command("change-record")
def change_record(
    terminal: typer.Context,
    tenant: TenantOption,
    values: Annotated[
        list[str], typer.Argument(help="field=value, like city=Recife; an empty value takes it away", metavar="FIELD")
    ],
    json: Json = False,
) -> None:
    """Change fields of a tenant's record; metadata.NAME=value sets one entry of its metadata."""
    pairs = dict(_pair(value) for value in values)

    async def change(ctx: Context) -> tenants.TenantRecord:
        known = await tenants.read_record(ctx)
        return await tenants.change_record(ctx, _change(pairs, known.metadata))

    show(RecordShown.of(run(terminal, change, tenant=tenant)), json=json, columns=FIELDS)


def _change(pairs: dict[str, str], metadata: dict[str, str]) -> RecordChange:
    entries = {name.removeprefix("metadata."): pairs.pop(name) for name in list(pairs) if name.startswith("metadata.")}
    if strange := pairs.keys() - set(RecordChange.__struct_fields__) | pairs.keys() & {"metadata"}:
        raise typer.BadParameter(f"there is no field {min(strange)!r}; choose of {', '.join(FIELDS)}")
    kept = {name: value for name, value in (metadata | entries).items() if value}
    return msgspec.convert({**pairs, "metadata": kept} if entries else pairs, RecordChange)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not field=value")
    return name, value
