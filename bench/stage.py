"""What is measured on: an embedded Redis in a folder of its own, a tenant that no limit stops, and web processes."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.servers import free_port
from veloflux import tenants, wiring
from veloflux.context import Actor, Context
from veloflux.db import embedded, keys
from veloflux.plans import catalogue
from veloflux.plans.catalogue import Rate
from veloflux.plans.policy import Policy, QuotaLimit, rate_limit, version
from veloflux.settings import Settings, environment
from veloflux.tenants import EVERYTHING

START_S = 30
UNPACED = "1000000/s"


class Stage(msgspec.Struct, frozen=True):
    """`ctx` is within the tenant; `token` is its API key's; `settings` are those of its embedded Redis."""

    settings: Settings
    ctx: Context
    token: str
    key: tuple[str, str]


@asynccontextmanager
async def stage(appendfsync: str = "always", **more: Any) -> AsyncIterator[Stage]:
    """Start Redis, make the tenant, and remove everything at the end; `more` are settings."""
    folder = Path(tempfile.mkdtemp(prefix="vf-bench-"))
    settings = Settings(
        data_dir=folder,
        appendfsync=appendfsync,
        port=free_port(),
        check_timeout_ms=2_000,
        log_level="warning",
        session_pace=UNPACED,
        api_key_pace=UNPACED,
        address_pace=UNPACED,
        **more,
    )
    server = embedded.start(settings)
    try:
        async with wiring.build(settings) as parts:
            ctx = Context(parts=parts, actor=Actor(id="cli:bench"))
            tenant = await tenants.create_tenant(ctx, "Bench", plan="enterprise")
            ctx = ctx.within(tenants.scope_of(tenant), EVERYTHING)
            await lift_limits(ctx)
            new = await tenants.create_api_key(ctx, "bench")
            yield Stage(settings, ctx, new.token, (new.key.id, new.key.digest))
    finally:
        embedded.stop(server)
        shutil.rmtree(folder, ignore_errors=True)


async def lift_limits(ctx: Context) -> None:
    """Three rate limits and a quota that are computed with each check and never reached."""
    rates = [
        rate_limit(Rate(name=name, meter="requests", limit="1000000/s", burst=10_000_000)) for name in ("a", "b", "c")
    ]
    policy = Policy(
        plan="bench",
        zone="America/Sao_Paulo",
        meters=catalogue().meters,
        rates=tuple(rates),
        quotas=(QuotaLimit(meter="requests", limit=2**52),),
    )
    await put_policy(ctx, policy)


async def put_policy(ctx: Context, policy: Policy) -> None:
    """Let it be in force for the tenant, whatever its plan says."""
    text = policy.text
    await ctx.db.call("HSET", keys.limits(ctx.tenant), "policy", text, "version", version(text))


async def sync(ctx: Context, how: str) -> None:
    """From now on acknowledge what is on disk (`always`), or what a power cut may take a second of (`everysec`)."""
    await ctx.db.every_master("CONFIG", "SET", "appendfsync", how)


async def used_memory(ctx: Context) -> int:
    """Bytes that the server has in use, but for what the connections hold at this moment."""
    [text] = await ctx.db.every_master("INFO", "memory")
    info = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(info["used_memory"]) - int(info["mem_clients_normal"])


@contextmanager
def web(target: Stage) -> Iterator[str]:
    """One web process, as `veloflux serve` starts it; gives its URL."""
    with _serving([sys.executable, "-m", "veloflux", "serve"], target.settings, "/healthz") as url:
        yield url


@contextmanager
def bare(target: Stage) -> Iterator[str]:
    """The ceiling: an ASGI handler that makes one script call, on the same server."""
    extra = {"BENCH_TENANT": target.ctx.tenant, "BENCH_KEY": " ".join(target.key)}
    with _serving([sys.executable, "-m", "bench.bare"], target.settings, "/", extra) as url:
        yield url


@contextmanager
def _serving(command: list[str], settings: Settings, probe: str, extra: dict[str, str] | None = None) -> Iterator[str]:
    settings = msgspec.structs.replace(settings, port=free_port())
    process = subprocess.Popen(command, env=environment(settings) | (extra or {}))
    url = f"http://127.0.0.1:{settings.port}"
    try:
        _wait_for(url + probe, process)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the server ended while starting")
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{url} did not answer within {START_S} s")


def tool(name: str, package: str) -> str:
    """Where a program of the system is.

    :raises SystemExit: it is missing; the sentence says what to install.
    """
    path = shutil.which(name)
    if path is None:
        raise SystemExit(f"{name} is missing; install the package {package} (Debian: apt-get install {package})")
    return path


def redis_of(settings: Settings) -> list[str]:
    """How a program of redis-tools reaches the embedded Redis."""
    folder = settings.data_dir / "redis"
    os.environ["REDISCLI_AUTH"] = (folder / "password").read_text("ascii")
    return ["-s", str(embedded.socket_path(folder))]
