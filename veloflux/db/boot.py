"""What a Redis must be before VeloFlux trusts it with money: asked at each start, and by `veloflux doctor`.

What is wrong is refused with its mend (unless `VELOFLUX_REDIS_UNSAFE` allows it); what a managed service does not let
us see is a warning.
"""

import msgspec
import structlog
from redis.exceptions import ResponseError

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.errors import StartRefused
from veloflux.kit import clock, ids
from veloflux.settings import Settings

DATA_VERSION = 1
OLDEST = (7, 0)
log = structlog.get_logger(slice="db")


class Finding(msgspec.Struct, frozen=True):
    """`wrong` is false where something could not be seen."""

    wrong: bool
    sentence: str
    mend: str


async def check(db: Db, settings: Settings) -> None:
    """Refuse a Redis that could lose data; write the data version into an empty one.

    :raises StartRefused: with the first fault and its mend.
    """
    for finding in await findings(db):
        if finding.wrong and not settings.redis_unsafe:
            raise StartRefused(
                f"{finding.sentence}; {finding.mend}, or set VELOFLUX_REDIS_UNSAFE=true to start all the same"
            )
        log.warning("redis_check", finding=finding.sentence, mend=finding.mend)
    await _check_data_version(db)


async def findings(db: Db) -> list[Finding]:
    """Everything wrong or invisible on the masters, most serious first; empty when all is well."""
    found = [f for info in await db.every_master("INFO") for f in _of_info(_parsed(info))]
    found += await _of_config(db)
    return sorted(dict.fromkeys(found), key=lambda f: not f.wrong)


def _of_info(info: dict[str, str]) -> list[Finding]:
    version = info.get("redis_version", "0.0")
    found = []
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        found.append(Finding(True, f"Redis {version} is too old", "use Redis or Valkey 7.0 or later"))
    if info.get("maxmemory_policy", "noeviction") != "noeviction":
        mend = "CONFIG SET maxmemory-policy noeviction"
        found.append(Finding(True, "Redis forgets data when its memory is full", mend))
    if info.get("aof_enabled") == "0":
        mend = "CONFIG SET appendonly yes"
        found.append(Finding(True, "Redis keeps no append-only file: a crash loses what was acknowledged", mend))
    if info.get("aof_last_write_status", "ok") != "ok":
        found.append(Finding(True, "Redis cannot write its append-only file", "make room on its disk"))
    return found


async def _of_config(db: Db) -> list[Finding]:
    try:
        answers = await db.every_master("CONFIG", "GET", "no-appendfsync-on-rewrite")
    except ResponseError as error:
        return [
            Finding(
                False,
                f"CONFIG is refused here ({error})",
                "ask your provider for appendfsync and its rewrites",
            )
        ]
    if any(answer and answer[1] == "yes" for answer in answers):
        mend = "CONFIG SET no-appendfsync-on-rewrite no"
        return [Finding(True, "Redis does not sync while it rewrites its append-only file", mend)]
    return []


async def _check_data_version(db: Db) -> None:
    await db.call("HSETNX", keys.meta(), "installation", ids.new("ins"))
    await db.call("HSETNX", keys.meta(), "created_at", clock.now_ms())
    await db.call("HSETNX", keys.meta(), "data_version", DATA_VERSION)
    found = int(await db.call("HGET", keys.meta(), "data_version"))
    if found > DATA_VERSION:
        raise StartRefused(
            f"The data is of version {found}, this VeloFlux knows version {DATA_VERSION}; start the newer VeloFlux"
        )


def _parsed(info: str) -> dict[str, str]:
    return dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
