"""An owner's events, read forwards by workers and backwards by the audit trail."""

import msgspec

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.events import Recorded

_data = msgspec.json.Decoder(dict[str, object]).decode
_changes = msgspec.json.Decoder(dict[str, dict[str, list[str | None]]]).decode


async def after(db: Db, owner: str, cursor: str, count: int) -> list[Recorded]:
    """The next events after a cursor (`""` from the beginning), oldest first."""
    rows = await db.call("XRANGE", keys.events(owner), f"({cursor}" if cursor else "-", "+", "COUNT", count)
    return [recorded(owner, *row) for row in rows]


async def before(db: Db, owner: str, cursor: str, count: int) -> list[Recorded]:
    """The events before a cursor (`""` from the end), newest first."""
    rows = await db.call("XREVRANGE", keys.events(owner), f"({cursor}" if cursor else "+", "-", "COUNT", count)
    return [recorded(owner, *row) for row in rows]


def recorded(owner: str, id_: str, pairs: list[str]) -> Recorded:
    """An entry of a stream as an event."""
    fields = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return Recorded(
        id=id_,
        owner=owner,
        name=fields["name"],
        at=int(fields["at"]),
        actor=fields["actor"],
        request=fields["request"],
        data=_data(fields["data"]),
        changes=_changes(fields["changes"]),
        address=fields.get("address", ""),
        person=fields.get("person", ""),
        impersonator=fields.get("impersonator", ""),
        impersonation=fields.get("impersonation", ""),
        subject=fields.get("subject", ""),
    )
