"""How far a meter was used in its whole life, and in its segments, both at the same moment."""

from collections.abc import Sequence
from typing import NamedTuple

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.metering import store
from veloflux.metering.quotas import Span, open_words, sources
from veloflux.metering.segments import Segments, added_up
from veloflux.plans import Meter, QuotaLimit


class Standing(NamedTuple):
    """`used` is what a quota of the whole life is compared with, in the places of the present version of the meter;
    the segments are of all versions."""

    used: int
    segments: Segments


async def read_standing(db: Db, tenant: str, versions: Sequence[Meter], zone: str, now: int) -> Standing:
    """Of all versions of a meter, the present one last; `now` is the time of the tenant's clock, epoch ms."""
    *former, meter = versions
    span = Span(QuotaLimit(meter=meter.name, limit=0, period="lifetime"), "life", 0, None)
    counter, segments = keys.counted(tenant, meter.key, span.name), keys.billed(tenant, meter.key)
    months = [name for name, _, _ in sources(tenant, meter.key, span, zone, now)]
    field, _ = open_words(meter.key, ())
    earlier = await store.hashes(db, [keys.billed(tenant, one.key) for one in former])
    _, open_, (counted, paid), pairs, totals = await store.run_standing(
        db, [keys.limits(tenant), counter, segments, *months], field
    )
    is_open = span.name in open_.split()
    total = int(counted or 0) if is_open else sum(int(one) for one in totals if one)
    present = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return Standing(total - int(paid or 0), added_up([*zip(former, earlier, strict=True), (meter, present)]))
