"""Exports of usage: the same figures as the usage itself, in documents that other programs read."""

import csv
import io
import json

from tests.customers import customer
from veloflux.context import Context
from veloflux.demo import EXCERPT
from veloflux.exports import Format, export_usage
from veloflux.exports.formats import UsageRow, csv_line, encoded
from veloflux.metering import import_log, read_usage


async def document(ctx: Context, form: Format) -> bytes:
    return b"".join([piece async for piece in export_usage(ctx, form)])


async def test_csv_and_json_have_the_same_rows_and_their_sums_are_the_usage(ctx: Context) -> None:
    acme = await customer(ctx)
    await import_log(acme, EXCERPT.read_bytes().splitlines())
    as_csv = list(csv.DictReader(io.StringIO((await document(acme, "csv")).decode(), newline="")))
    as_json = json.loads(await document(acme, "json"))
    assert [row | {"value": int(row["value"])} for row in as_csv] == as_json
    assert {(row["tenant"], row["date"]) for row in as_json} == {("acme", f"2015-05-{day}") for day in range(17, 21)}
    for meter in ("requests", "bytes"):
        days = {row["date"]: row["value"] for row in as_json if row["meter"] == meter}
        usage = await read_usage(acme, meter)
        assert days == {row.start: row.value for row in usage.rows}
        assert sum(days.values()) == usage.total > 0


async def test_an_export_without_usage_is_an_empty_document(ctx: Context) -> None:
    acme = await customer(ctx)
    assert await document(acme, "csv") == b"tenant,meter,date,value\r\n"
    assert json.loads(await document(acme, "json")) == []


async def test_another_tenants_usage_is_not_in_the_export(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    await import_log(globex, EXCERPT.read_bytes().splitlines())
    assert json.loads(await document(acme, "json")) == []


async def test_a_text_that_a_spreadsheet_would_run_is_only_shown() -> None:
    async def rows() -> object:
        for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", 'a"b', "a,b"):
            yield UsageRow(text, "bytes", "2015-05-17", -5)

    text = b"".join([piece async for piece in encoded(rows(), UsageRow, "csv")]).decode()  # type: ignore[arg-type]
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert [row[0] for row in table[1:]] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", 'a"b', "a,b"]
    assert {row[3] for row in table[1:]} == {"-5"}


def test_records_end_as_rfc_4180_says() -> None:
    assert csv_line(["a\nb", 1]) == b'"a\nb",1\r\n'
