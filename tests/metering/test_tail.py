"""`veloflux usage tail`: at a terminal, events as they come."""

import asyncio
import os
import signal
import sys

import msgspec

from tests.customers import customer, key
from veloflux.context import Context
from veloflux.kit.http import Received
from veloflux.metering.ingest import ingest


async def send(ctx: Context, token: str, id_: str) -> None:
    body = msgspec.json.encode({"type": "http.request", "id": id_, "data": {"bytes": 1}})
    await ingest(ctx.parts, Received(token, body, b"", "203.0.113.9"))


async def started(ctx: Context, tenant: str, *options: str) -> asyncio.subprocess.Process:
    environ = {
        "REDIS_URL": ctx.db.url,
        "VELOFLUX_REDIS_UNSAFE": "true",
        "VELOFLUX_DATA_DIR": str(ctx.settings.data_dir),
    }
    words = ("-m", "veloflux", "usage", "tail", "--tenant", tenant, *options)
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, *words, env=os.environ | environ, stdout=pipe, stderr=pipe
    )


async def next_line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    async with asyncio.timeout(60):
        return (await process.stdout.readline()).decode()


async def test_it_shows_what_was_and_what_comes_until_ctrl_c(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    token = (await key(acme)).token
    await send(one_ctx, token, "before")
    process = await started(one_ctx, acme.tenant, "--json")
    assert msgspec.json.decode(await next_line(process))["id"] == "before"
    await send(one_ctx, token, "while it runs")
    shown = msgspec.json.decode(await next_line(process))
    assert (shown["id"], shown["outcome"], shown["data"]) == ("while it runs", "accepted", '{"bytes":1}')
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, out, b"Traceback" in err, b"Aborted" in err) == (0, b"", False, False)


async def test_it_ends_by_itself_after_some_seconds_and_no_sender_steers_the_terminal(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    token = (await key(acme)).token
    await send(one_ctx, token, "red \x1b[31m")
    await send(one_ctx, token, "red \x1b[31m")
    await asyncio.sleep(0.2)
    process = await started(one_ctx, acme.tenant, "--outcome", "duplicate", "--seconds", "0")
    out, err = await process.communicate()
    assert (process.returncode, b"Traceback" in err) == (0, False)
    [line] = out.decode().splitlines()
    assert line.endswith('duplicate http.request red \N{REPLACEMENT CHARACTER}[31m {"bytes":1}')


async def test_of_a_tenant_that_is_not_there_it_says_so(one_ctx: Context) -> None:
    process = await started(one_ctx, "nobody", "--seconds", "0")
    _, err = await process.communicate()
    assert process.returncode == 1
    assert b"nobody" in err
