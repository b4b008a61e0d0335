"""`veloflux usage`: import an access log, show what was used, what came late and which events come."""

import contextlib
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from veloflux.context import Context
from veloflux.errors import InputInvalid
from veloflux.kit import page
from veloflux.metering import access_log
from veloflux.metering.adjustments import read_adjustments
from veloflux.metering.import_log import Report, import_log
from veloflux.metering.raw_events import Filter, Outcome, RawEvent, follow, list_raw_events
from veloflux.metering.usage import Usage, WindowSize, read_usage
from veloflux.metering.usage_windows import moment
from veloflux.terminal import Json, TenantOption, err, run, say, show

app = typer.Typer(no_args_is_help=True)
NEWEST = 10
NONE: list[str] = []


@app.command("import")
def import_(
    terminal: typer.Context,
    file: Annotated[Path, typer.Argument(help="Access log in Combined Log Format")],
    tenant: TenantOption,
    json: Json = False,
) -> None:
    """Record each line of an access log as one event; a line that was imported before is not counted again."""
    with _opened(file) as log:
        report = run(terminal, lambda ctx: _import(ctx, log), tenant=tenant)
    if not json:
        for bad in report.bad_lines:
            say(f"line {bad.line}: {bad.reason}")
        if not report.recorded:
            say("nothing new: every line was imported before" if report.duplicates else "nothing new: no line counts")
    show(report, json=json, columns=("read", "recorded", "duplicates", "bad", "bytes"))


@app.command("show")
def show_(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    meter: Annotated[str, typer.Option(help="Name of a meter")] = "requests",
    window: Annotated[WindowSize, typer.Option(help="minute, hour, day or month of the zone")] = "day",
    first: Annotated[str, typer.Option("--from", help="First day (2026-11-22), or a time")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day, included, or a time, not included")] = "",
    group_by: Annotated[list[str], typer.Option(help="A property that the meter groups by; several times")] = NONE,
    filters: Annotated[list[str], typer.Option("--filter", help="property=value; several times")] = NONE,
    zone: Annotated[str, typer.Option(help="IANA time zone; the tenant's by default")] = "",
    version: Annotated[int | None, typer.Option(help="Version of the meter; the newest by default", min=1)] = None,
    json: Json = False,
) -> None:
    """Show a meter's usage; without days, all that is kept."""

    async def read(ctx: Context) -> Usage:
        since, until = moment(first) if first else None, moment(last) if last else None
        return await read_usage(
            ctx, meter, window, since, until, group_by=group_by, filters=filters, zone=zone, version=version
        )

    usage = run(terminal, read, tenant=tenant)
    if not json:
        _say_what_is_missing(usage)
    show(usage if json else usage.rows, json=json, columns=_columns(usage))


@app.command("adjustments")
def adjustments(terminal: typer.Context, tenant: TenantOption, json: Json = False) -> None:
    """List usage that came after its month was invoiced."""
    found = run(terminal, read_adjustments, tenant=tenant)
    show(found if json else found.rows, json=json, columns=("month", "meter", "version", "value", "unit"))


def _say_what_is_missing(usage: Usage) -> None:
    if usage.kept_from:
        say(f"everything is kept from {usage.kept_from} on; what is missing before may have been used")
    if usage.groups_capped:
        say("the meter has as many groups as are kept apart; the group other has what came with further values")


def _columns(usage: Usage) -> tuple[str, ...]:
    return (
        "start",
        *(["group"] if any(row.group for row in usage.rows) else []),
        *(["percentiles"] if usage.aggregation == "percentile" else ["value"]),
        *(["exact"] if usage.aggregation == "unique" else []),
    )


@app.command()
def tail(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    type_: Annotated[str, typer.Option("--type", help="Only events of this type")] = "",
    outcome: Annotated[Outcome | None, typer.Option(help="Only those of which this became")] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="End after so long, not by Ctrl-C")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document a line")] = False,
) -> None:
    """Show the newest events of a tenant and then each as it comes, and what became of it; Ctrl-C ends it."""
    wanted = Filter(type_, outcome or "")

    async def print_all(ctx: Context) -> None:
        newest = await list_raw_events(ctx, wanted, limit=NEWEST)
        _print(reversed(newest.items), json=json)
        cursor = page.encode(newest.items[0].entry) if newest.items else ""
        async for events in await follow(ctx, wanted, cursor, seconds):
            _print(events, json=json)

    with contextlib.suppress(KeyboardInterrupt):
        run(terminal, print_all, tenant=tenant)


def _print(events: Iterable[RawEvent], *, json: bool) -> None:
    for event in events:
        if json:
            typer.echo(msgspec.json.encode(event))
            continue
        at = datetime.fromtimestamp(event.at / 1000).astimezone().isoformat(" ", "seconds")
        what = f"{event.type or '-'} {event.id or '-'} {event.data}{'…' if event.cut else ''}"
        line = f"{at} {event.outcome:<9} {what}{event.code and f'  {event.code}: {event.reason}'}"
        # Senders choose the texts: nothing in them may steer the terminal.
        typer.echo("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line))


async def _import(ctx: Context, file: BinaryIO) -> Report:
    bar = Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=err)
    with bar:
        task = bar.add_task("", total=os.fstat(file.fileno()).st_size)
        return await import_log(
            ctx,
            access_log.lines(file),
            lambda report: bar.update(task, completed=file.tell(), description=f"{report.recorded:,} recorded"),
        )


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputInvalid(f"{path} cannot be read: {error.strerror}") from None
