"""Events in batches of 500 over HTTP, each id counted once; on disk within a second, or before it is acknowledged.

The ceiling is what a process counts of ready events, without HTTP and JSON, on the same server by turns.
"""

from bench import rounds
from bench.in_process import SENDERS, sending
from bench.load import ROUNDS, SECONDS, drive, middle, post
from bench.report import Row
from bench.stage import stage, used_memory, web
from veloflux.metering import read_usage

CONNECTIONS = 8
BATCH = 500
EVENTS = f"""(function()
  local events = {{}}
  for i = 1, {BATCH} do
    events[i] = '{{"type":"http.request","id":"' .. run .. n .. "-" .. i .. '","data":{{"bytes":' .. i .. '}}}}'
  end
  return "[" .. table.concat(events, ",") .. "]"
end)()"""


BARS = {"everysec": 100_000, "always": 80_000}


async def measure() -> list[Row]:
    return [await _row(appendfsync, bar) for appendfsync, bar in BARS.items()]


async def _row(appendfsync: str, bar: int) -> Row:
    async with stage(appendfsync) as target:
        with web(target) as url:
            loads, tops = [], []
            for _ in range(ROUNDS):
                loads.append(drive(url, post("/api/events", target.token, EVENTS), CONNECTIONS))
                tops.append(await rounds.drive(sending(target), SENDERS, SECONDS))
        load, counted = middle(loads), (await read_usage(target.ctx, "requests")).total or 0
        used = await used_memory(target.ctx)
    return Row(
        what=f"events over HTTP in batches of 500, each id once, appendfsync {appendfsync}",
        script="events.py",
        figure=load.per_second * BATCH,
        unit="events/s",
        ceiling=rounds.middle(tops) * BATCH,
        ceiling_is="in process",
        least=bar,
        failed=load.failed,
        notes=f"p99 {load.p99_ms:.0f} ms; {used / int(counted):.1f} bytes of Redis an event",
        loaded=load.latency,
    )
