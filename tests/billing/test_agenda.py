"""Several workers catch up with one tenant at once: what one has put on the agenda, another one that read an older
state does not take off."""

import pytest

from tests.billing.shop import ms, subscribed
from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.subscriptions.cancel import cancel, reactivate
from veloflux.billing.subscriptions.start import CLOSE
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import ChangedMeanwhile


async def test_who_is_late_takes_off_nothing_that_was_put_there_anew(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, "2024-01-01", "three")
    await cancel(acme, sub, now=True)
    ended = await store.subscription(acme, sub)
    again = await reactivate(acme, sub)
    stale = Item(CLOSE, sub, ms("2024-02-01"))
    with pytest.raises(ChangedMeanwhile):
        await agenda.correct(acme, stale, None, keys.subscription(acme.tenant, sub), ended)
    assert (CLOSE, sub, again.period_end) in await planned(acme)


async def planned(ctx: Context) -> list[Item]:
    found = await ctx.db.call("ZRANGE", keys.agenda(ctx.tenant), 0, -1, "WITHSCORES")
    return [Item(*member.split("/"), int(due)) for member, due in zip(found[::2], found[1::2], strict=True)]
