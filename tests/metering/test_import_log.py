"""The import of an access log, whole, again, grown, and interrupted."""

import asyncio
import itertools
import signal
import sys
from pathlib import Path

import pytest

from tests.customers import customer
from veloflux.context import Context
from veloflux.db import keys, streams
from veloflux.demo import EXCERPT
from veloflux.events import Recorded
from veloflux.limits import read_period
from veloflux.metering import Report, access_log, import_log, read_usage

LINES = EXCERPT.read_bytes().splitlines()
MANY = [line + b" %d" % n for n, line in zip(range(1200), itertools.cycle(LINES))]


async def trail(ctx: Context) -> list[Recorded]:
    """The tenant's events that tell of imports."""
    found = await streams.after(ctx.db, ctx.tenant, "", 100)
    return [one for one in found if one.name == "usage.imported"]


async def requests(ctx: Context) -> object:
    return (await read_usage(ctx, "requests")).total


async def test_each_line_counts_on_the_day_it_happened_and_not_in_this_months_quota(ctx: Context) -> None:
    acme = await customer(ctx)
    report = await import_log(acme, LINES)
    assert (report.read, report.recorded, report.duplicates, report.bad) == (200, 200, 0, 0)
    usage, sizes = await read_usage(acme, "requests"), await read_usage(acme, "bytes")
    assert [row.start for row in usage.rows] == ["2015-05-17", "2015-05-18", "2015-05-19", "2015-05-20"]
    assert (usage.total, sizes.total) == (200, report.bytes)
    assert (await read_period(acme, "requests")).used == 0


async def test_the_same_log_again_records_nothing_and_five_more_lines_five_more(ctx: Context) -> None:
    acme = await customer(ctx)
    await import_log(acme, LINES[:195])
    again = await import_log(acme, LINES[:195])
    assert (again.recorded, again.duplicates) == (0, 195)
    grown = await import_log(acme, LINES)
    assert (grown.recorded, grown.duplicates) == (5, 195)
    assert await requests(acme) == 200


async def test_identical_lines_each_count(ctx: Context) -> None:
    acme = await customer(ctx)
    for _ in range(2):
        await import_log(acme, [LINES[0]] * 3 + [LINES[1]])
    assert await requests(acme) == 4


async def test_bad_lines_are_numbered_and_the_others_count(ctx: Context) -> None:
    acme = await customer(ctx)
    future = LINES[0].replace(b"/2015:", b"/2099:")
    report = await import_log(acme, [LINES[0], b"nonsense", future, LINES[1]])
    assert (report.read, report.recorded, report.bad) == (4, 2, 2)
    assert [bad.line for bad in report.bad_lines] == [2, 3]


async def test_an_import_is_one_entry_of_the_trail(ctx: Context) -> None:
    acme = await customer(ctx)
    report = await import_log(acme, LINES)
    [entry] = await trail(acme)
    assert entry.actor == "cli:test"
    assert entry.data == {
        "read": 200,
        "recorded": 200,
        "duplicates": 0,
        "bad": 0,
        "bytes": report.bytes,
        "complete": True,
    }


async def test_an_interrupted_import_says_what_it_recorded_and_the_next_one_completes_it(ctx: Context) -> None:
    acme = await customer(ctx)

    def interrupt(report: Report) -> None:
        if report.recorded >= 1000:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await import_log(acme, MANY, interrupt)
    assert await requests(acme) == 1000
    report = await import_log(acme, MANY)
    assert (report.recorded, report.duplicates) == (200, 1000)
    assert [(one.data["recorded"], one.data["complete"]) for one in await trail(acme)] == [(1000, False), (200, True)]


async def test_two_imports_of_one_log_at_the_same_time_count_each_line_once(ctx: Context) -> None:
    acme = await customer(ctx)
    reports = await asyncio.gather(import_log(acme, MANY), import_log(acme, MANY))
    assert sum(one.recorded for one in reports) == 1200
    assert await requests(acme) == 1200


async def test_the_days_of_an_import_live_from_the_import(ctx: Context) -> None:
    acme = await customer(ctx)
    await import_log(acme, LINES)
    left = await ctx.db.call("PTTL", keys.usage(acme.tenant, "requests", "2015-05-18"))
    assert round(left / 86_400_000) == 90


async def test_an_import_that_is_killed_is_completed_by_the_next_one(ctx: Context, tmp_path: Path) -> None:
    acme = await customer(ctx)
    log = tmp_path / "access.log"
    many = [line + b" %d" % n for n, line in zip(range(20_000), itertools.cycle(LINES))]
    log.write_bytes(b"\n".join(many))
    for batches in (1, 3, 5):
        await killed_after(batches, acme, log)
    assert 0 < int(str(await requests(acme))) < 20_000
    with log.open("rb") as file:
        report = await import_log(acme, access_log.lines(file))
    assert report.recorded + report.duplicates == 20_000
    assert await requests(acme) == 20_000
    assert [one.data["complete"] for one in await trail(acme)] == [True]


async def killed_after(batches: int, ctx: Context, log: Path) -> None:
    """Let another process import, and kill it when it has told of so many batches."""
    importing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.metering.importing", ctx.db.url, ctx.tenant, str(log)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert importing.stdout
    for _ in range(batches):
        assert await importing.stdout.readline()
    importing.kill()
    await importing.communicate()
    assert importing.returncode == -signal.SIGKILL
