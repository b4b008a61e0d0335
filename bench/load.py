"""Load over HTTP by wrk, which takes little of the machine itself."""

import re
import subprocess
import tempfile
from pathlib import Path
from statistics import median

import msgspec

from bench.report import Latency
from bench.stage import tool

SECONDS = 4
ROUNDS = 3


class Load(msgspec.Struct, frozen=True):
    """Answers per second, how long they took, and how many were no success."""

    per_second: float
    median_ms: float
    p99_ms: float
    failed: int

    @property
    def latency(self) -> Latency:
        return Latency(self.median_ms, self.p99_ms)


def drive(url: str, script: str, connections: int) -> Load:
    """Run a wrk script against a URL."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "load.lua")
        path.write_text(script, "utf-8")
        command = [tool("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", str(path), url]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return Load(
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", out)[0]),
        median_ms=_ms(*_found(r"50%\s+([\d.]+)(us|ms|s)", out)),
        p99_ms=_ms(*_found(r"99%\s+([\d.]+)(us|ms|s)", out)),
        failed=int(failed[1]) if failed else 0,
    )


def middle(loads: list[Load]) -> Load:
    """The round in the middle, with the failures of all."""
    at = median(load.per_second for load in loads)
    found = next(load for load in loads if load.per_second == at)
    return msgspec.structs.replace(found, failed=sum(load.failed for load in loads))


def _found(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    if not found:
        raise RuntimeError(f"wrk says something else than expected:\n{text}")
    return found.groups()


def _ms(number: str, unit: str) -> float:
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def post(path: str, token: str, body: str) -> str:
    """A wrk script: POST to a path; `body` is a Lua expression in which `n` counts the requests of a run."""
    return f"""
local headers = {{["authorization"] = "Bearer {token}", ["content-type"] = "application/json"}}
local run, n = tostring(os.time()) .. tostring({{}}):sub(8), 0
function request()
  n = n + 1
  return wrk.format("POST", "{path}", headers, {body})
end
"""


def get(path: str, token: str) -> str:
    """A wrk script: GET a path."""
    return f"""
local headers = {{["authorization"] = "Bearer {token}"}}
function request() return wrk.format("GET", "{path}", headers) end
"""
