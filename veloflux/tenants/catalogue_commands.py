"""`veloflux meters`, `veloflux plans apply` and `plans rollout`: the catalogue is changed."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import InputInvalid
from veloflux.plans import Catalogue, Meter, pick_meter, read_catalogue
from veloflux.tenants.shown import Meters
from veloflux.terminal import Json, run, say, show

meters = typer.Typer(no_args_is_help=True)
ROLLOUT = ("version", "done", "left", "began_at", "finished_at")

FIELDS = [field for field in Meter.__struct_fields__ if field not in ("name", "version")]
METER = ("name", "version", *FIELDS)

MeterName = Annotated[str, typer.Argument(help="Small letters, digits and _", metavar="METER")]
Values = Annotated[
    list[str],
    typer.Argument(help="field=value, like aggregation=sum or group_by=region,model", metavar="FIELD"),
]


def apply(
    terminal: typer.Context,
    file: Annotated[Path, typer.Argument(help="The whole catalogue, TOML, or JSON as `plans list --json` shows it")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change")] = False,
    json: Json = False,
) -> None:
    """Change the catalogue of meters and plans to what a file says, and show what changes."""
    wanted = read_file(file)
    applied = run(terminal, lambda ctx: tenants.apply_catalogue(ctx, wanted, dry_run=dry_run))
    if json:
        show(applied, json=True)
        return
    for change in applied.changes:
        typer.echo(change.words)
    if not applied.changes:
        say("The catalogue is as the file says; nothing changes")
    elif not dry_run:
        say(f"Version {applied.version} is in force; tenants follow one after the other (plans rollout)")


def rollout(terminal: typer.Context, json: Json = False) -> None:
    """Show how far tenants follow the last change of the catalogue."""
    show(run(terminal, tenants.read_rollout), json=json, columns=ROLLOUT)


@meters.command("list")
def list_meters(terminal: typer.Context, json: Json = False) -> None:
    """List meters, and their earlier versions."""
    found = run(terminal, lambda ctx: read_catalogue(ctx.db))
    shown = Meters(meters=found.meters, former=found.former)
    show(shown if json else [*shown.meters, *shown.former], json=json, columns=METER)


@meters.command("add")
def add(terminal: typer.Context, meter: MeterName, values: Values, json: Json = False) -> None:
    """Measure something more, from now on."""
    new = as_meter({"name": meter, **_given(values)})
    show(run(terminal, lambda ctx: tenants.add_meter(ctx, new)), json=json, columns=METER)


@meters.command("change")
def change(terminal: typer.Context, meter: MeterName, values: Values, json: Json = False) -> None:
    """Measure otherwise; what is not given stays. More than another unit or display name makes the next version."""

    async def changed(ctx: Context) -> Meter:
        present = pick_meter((await read_catalogue(ctx.db)).meters, meter)
        return await tenants.change_meter(ctx, meter, as_meter(msgspec.to_builtins(present) | _given(values)))

    show(run(terminal, changed), json=json, columns=METER)


def read_file(file: Path) -> Catalogue:
    """:raises InputInvalid: the file cannot be read, or is no catalogue."""
    try:
        raw = file.read_bytes()
        data = msgspec.json.decode(raw) if file.suffix == ".json" else tomllib.loads(raw.decode())
        return msgspec.convert(data, Catalogue)
    except (OSError, ValueError) as error:  # what TOML, JSON, UTF-8 and msgspec raise are ValueErrors
        raise InputInvalid(f"{file}: {error}") from None


def as_meter(values: Any) -> Meter:
    """:raises InputInvalid: these are not a meter's."""
    try:
        return msgspec.convert(values, Meter, strict=False)
    except msgspec.ValidationError as error:
        raise InputInvalid(str(error)) from None


def _given(values: list[str]) -> dict[str, Any]:
    """:raises InputInvalid: not field=value, or no such field."""
    given: dict[str, Any] = dict(value.partition("=")[::2] for value in values)
    if unknown := sorted(given.keys() - set(FIELDS)):
        raise InputInvalid(f"A meter has no field {unknown[0]!r}; there are {', '.join(FIELDS)}")
    if "group_by" in given:
        given["group_by"] = [name for name in given["group_by"].split(",") if name]
    return given
