"""`veloflux usage`: import an access log, show what was used and which events come."""

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
from veloflux.metering.import_log import Report, import_log
from veloflux.metering.raw_events import Filter, Outcome, RawEvent, follow, list_raw_events
from veloflux.metering.usage import Usage, WindowSize, read_usage
from veloflux.terminal import Json, TenantOption, err, run, say, show

app = typer.Typer(no_args_is_help=True)
DAY = ["%Y-%m-%d"]
NEWEST = 10


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
    window: Annotated[WindowSize, typer.Option(help="hour, day or month of the tenant's zone")] = "day",
    first: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="First day")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last day, included")] = None,
    json: Json = False,
) -> None:
    """Show a meter's usage; without days, all that is kept."""

    async def read(ctx: Context) -> Usage:
        return await read_usage(ctx, meter, window, first and first.date(), last and last.date())

    usage = run(terminal, read, tenant=tenant)
    show(usage if json else usage.rows, json=json, columns=("start", "value"))


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
