"""Segments that money has long read are forgotten."""

from collections.abc import Iterable, Sequence

from veloflux.context import Context
from veloflux.db import keys
from veloflux.kit import clock
from veloflux.kit.clock import DAY_MS
from veloflux.metering import store
from veloflux.metering.segments import LATE
from veloflux.plans import Meter
from veloflux.plans.policy import from_text

KEPT_MS = 800 * DAY_MS
"""How long after its end a segment is kept at least: late usage of a year is priced for 400 days after it by all that
the year had."""


async def prune_segments(ctx: Context, tenant: str, meters: Iterable[Meter]) -> int:
    """How many fields were forgotten of a tenant: of segments that are closed, and ended long ago by its clock."""
    closed, text = await store.closed_and_policy(ctx.db, tenant)
    if closed is None or text is None:
        return 0
    policy = from_text(text)
    before = min(closed, clock.apply(policy.clock, clock.now_ms()) - KEPT_MS)
    number = 0
    for meter in meters:
        name = keys.billed(tenant, meter.key)
        number += await store.forget_fields(ctx.db, name, ended(await store.fields(ctx.db, name), policy.cuts, before))
    return number


def ended(fields: Sequence[str], cuts: Sequence[int], before: int) -> list[str]:
    """The fields of segments that ended by `before`, epoch ms; one ends where the next is known to begin.

    >>> ended(["10", "10.late", "20", "30"], cuts=(25,), before=25)
    ['10', '10.late', '20']
    """
    starts = {field: int(field.removesuffix(LATE)) for field in fields}
    known = {*starts.values(), *cuts}
    return [field for field, start in starts.items() if any(start < end <= before for end in known)]
