"""The registry of keys as a page: `veloflux data-layout`, and `docs/data-layout.md`."""

from itertools import groupby

from veloflux.db import keys

HEAD = """# Data layout

Every key that VeloFlux keeps in Redis. The part in braces is the owner: on a cluster, all its keys share a slot.
`whose` says of whom a key holds something, whether an export has it, and what becomes of it when they are erased
([personal data](personal-data.md)).
"""


def as_text() -> str:
    """The registry as Markdown, grouped by slice."""
    entries = sorted(keys.registry(), key=lambda entry: entry.slice)
    parts = [HEAD]
    for name, group in groupby(entries, key=lambda entry: entry.slice):
        rows = [
            f"| `{e.pattern}` | {e.type} | {e.life} | {e.meaning} | {e.whose} |".replace("tenant|user", "tenant\\|user")
            for e in group
        ]
        parts.append(
            f"\n## {name}\n\n| key | type | life | meaning | whose |\n|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
        )
    return "".join(parts)
