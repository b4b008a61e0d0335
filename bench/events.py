"""Events in batches of 500 over HTTP, each id counted once; on disk within a second, or before it is acknowledged."""

from bench.load import ROUNDS, drive, middle, post
from bench.report import Row
from bench.stage import stage, web
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
            loads = [drive(url, post("/api/events", target.token, EVENTS), CONNECTIONS) for _ in range(ROUNDS)]
        load, counted = middle(loads), (await read_usage(target.ctx, "requests")).total
        memory = await target.ctx.db.every_master("INFO", "memory")
    used = int(memory[0].split("used_memory:")[1].split()[0])
    return Row(
        what=f"events over HTTP in batches of 500, each id once, appendfsync {appendfsync}",
        script="events.py",
        figure=load.per_second * BATCH,
        unit="events/s",
        bar=bar,
        notes=f"p99 {load.p99_ms:.0f} ms, {load.failed} failed; {used / int(counted):.1f} bytes of Redis an event",
        loaded=load.latency,
    )
