"""What the present periods of quotas have used, whether their counters are open or not."""

import asyncio

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.metering import store
from veloflux.metering.open_periods import Opening
from veloflux.metering.quotas import Span, sources


async def used_in(db: Db, opening: Opening, now: int) -> list[int]:
    """For each quota what its counter would begin with, less what credits paid, in the meter's places.

    Nothing is written; `now` is the time of the tenant's clock in epoch ms.
    """
    return await asyncio.gather(*(_used(db, opening, span, now) for span in opening.quotas))


async def _used(db: Db, opening: Opening, span: Span, now: int) -> int:
    made_of = sources(opening.tenant, opening.meter_key, span, opening.zone, now)
    parts = await asyncio.gather(*(store.used_of(db, *source) for source in made_of))
    return sum(parts) - await store.paid_of(db, keys.counted(opening.tenant, opening.meter_key, span.name))
