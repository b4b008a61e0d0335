"""`veloflux doctor`: what is wrong with the Redis and the data in it, how to mend it, and where the data stands against
the four conditions under which PostgreSQL would be the better store."""

import msgspec

from veloflux import terminal
from veloflux.context import Context
from veloflux.db import boot, keys
from veloflux.db.boot import Finding

GIB = 1024**3
POSTGRES_BYTES = 100 * GIB
FRAGMENTED = 1.5
FULL = 0.8


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Memory in bytes; `limit` 0 means none is set."""

    server: str
    version: str
    masters: int
    memory: int
    resident: int
    limit: int
    tenants: int
    findings: list[Finding]
    postgres: list[str]

    @property
    def wrong(self) -> bool:
        return any(finding.wrong for finding in self.findings)


async def examine(ctx: Context) -> Report:
    """Ask the server and the data; changes nothing."""
    infos = [_parsed(info) for info in await ctx.db.every_master("INFO")]
    memory = sum(int(info["used_memory"]) for info in infos)
    resident = sum(int(info["used_memory_rss"]) for info in infos)
    limit = sum(int(info.get("maxmemory", 0)) for info in infos)
    return Report(
        server="Valkey" if "valkey_version" in infos[0] else "Redis",
        version=infos[0].get("valkey_version", infos[0]["redis_version"]),
        masters=len(infos),
        memory=memory,
        resident=resident,
        limit=limit,
        tenants=await ctx.db.call("ZCARD", keys.tenants()),
        findings=[*await boot.findings(ctx.db), *_of_memory(memory, resident, limit)],
        postgres=_against_postgres(memory),
    )


def show(report: Report, *, json: bool) -> None:
    """Print a report for a person, or as JSON."""
    if json:
        terminal.show(report, json=True)
        return
    limit = f" of {report.limit / GIB:.1f} GiB" if report.limit else ""
    terminal.out.print(f"{report.server} {report.version}, {report.masters} master(s), {report.tenants} tenants")
    terminal.out.print(f"memory {report.memory / GIB:.3f} GiB{limit}, resident {report.resident / GIB:.3f} GiB")
    for finding in report.findings:
        mark = "[red]wrong[/red]" if finding.wrong else "[yellow]not seen[/yellow]"
        terminal.out.print(f"{mark}  {finding.sentence}\n       mend: {finding.mend}")
    if not report.findings:
        terminal.out.print("[green]nothing is wrong[/green]")
    terminal.out.print("\nWhen PostgreSQL would be the better store (all four at once):")
    for line in report.postgres:
        terminal.out.print(f"  {line}")


def _of_memory(memory: int, resident: int, limit: int) -> list[Finding]:
    found = []
    if limit and memory > FULL * limit:
        sentence = f"Redis is {memory / limit:.0%} full; at 100 % it refuses writes"
        found.append(Finding(True, sentence, "raise maxmemory, or shorten what is kept"))
    if resident > FRAGMENTED * memory and resident > GIB:
        sentence = f"Redis holds {resident / memory:.1f} times the memory that its data needs"
        found.append(Finding(True, sentence, "restart it at a quiet hour"))
    return found


def _against_postgres(memory: int) -> list[str]:
    large = "yes" if memory > POSTGRES_BYTES else f"no, {memory / GIB:.3f} GiB"
    return [
        "a specific compliance need: not known to the data; you decide",
        "frequent complex SQL: none is possible here; exports serve analysis",
        f"more than 100 GB of data: {large}",
        "retention above 5 years: no key of the registry lives longer by a life of its own",
    ]


def _parsed(info: str) -> dict[str, str]:
    return dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
