"""Open the counters of quotas' periods, so that checks and events add to them."""

from collections.abc import Iterable
from typing import NamedTuple

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.db.commit import Commit
from veloflux.metering import store
from veloflux.metering.quotas import Span, life_ms, of_days, open_words, replaced, sources
from veloflux.plans import Meter


class Opening(NamedTuple):
    """The quotas of a meter of a tenant, which has this zone, in their present periods."""

    tenant: str
    meter_key: str
    zone: str
    quotas: tuple[Span, ...]

    @property
    def words(self) -> tuple[str, str]:
        """The field that names the open periods, and what it is to say."""
        return open_words(self.meter_key, self.quotas)


async def open_periods(db: Db, opening: Opening, open_: str, now: int) -> None:
    """Open those counters that are not among the `open_` ones, which are kept up to date (as the code OPEN says).

    Safe to repeat; `now` is the time of the tenant's clock in epoch ms.
    """
    tenant, meter_key, zone, quotas = opening
    names, program = [keys.limits(tenant)], []  # type: tuple[list[str], list[int | str]]
    new = [span for span in quotas if span.name not in open_.split()]
    for span in new:
        begun_with = sources(tenant, meter_key, span, zone, now)
        names.append(keys.counted(tenant, meter_key, span.name))
        life = life_ms(span)
        program += [len(names), "" if life is None else life]
        if ended := replaced(span, open_.split()):
            names.append(keys.counted(tenant, meter_key, ended))
        program += [len(names) if ended else "", len(begun_with)]
        for name, first, last in begun_with:
            names.append(name)
            program += [len(names), "" if first is None else first, "" if last is None else last]
    await store.run_open_periods(db, names, [*opening.words[:1], open_, opening.words[1], len(new), *program])


async def begin_days_anew(db: Db, tx: Commit, tenant: str, meters: Iterable[Meter]) -> None:
    """Part of the commit that gives a tenant another zone: its days and billing periods begin at other moments, so
    their counters are opened anew, from the usage since then. Months and lifetimes go on with what they have."""
    fields = [open_words(meter.key, ())[0] for meter in meters]
    for field, text in zip(fields, await store.limits_fields(db, tenant, fields), strict=True):
        left = " ".join(name for name in (text or "").split() if not of_days(name))
        if text is not None and left != text:
            tx.expect(keys.limits(tenant), field, text)
            tx.put(keys.limits(tenant), {field: left})
