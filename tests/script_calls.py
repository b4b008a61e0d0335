"""How often a database was asked to run a script."""

from veloflux.db.client import Db


async def count(db: Db) -> int:
    """Calls of EVALSHA since the servers started."""
    lines = [line for info in await db.every_master("INFO", "commandstats") for line in info.splitlines()]
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in lines if line.startswith("cmdstat_evalsha:"))
