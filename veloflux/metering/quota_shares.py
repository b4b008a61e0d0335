"""What a batch of events uses of quotas, for the record script. Pure.

What one meter counts in the same periods is a share: the script counts each share at once, in the order of their first
events, as a check with that cost would be counted that nothing refuses. Credits pay what is beyond a limit, as far as
they reach; the rest is overage. What lies outside all present periods is usage, and of no quota.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from veloflux.db import keys
from veloflux.metering.measure import Counting
from veloflux.metering.open_periods import Opening
from veloflux.metering.quotas import Present


class Terms(NamedTuple):
    """What a batch is counted by: `now` (epoch ms) tells which minutes are kept, what happened before `closed_through`
    (epoch ms) is an adjustment; `billed` and `cuts` are the policy's; `actor` is who records."""

    tenant: str
    zone: str
    now: int
    closed_through: int
    quotas: Present
    billed: tuple[str, ...]
    cuts: tuple[int, ...]
    actor: str


class QuotaShares:
    """The quotas of the meters of a batch; `key` gives the place of a key among those of the counters.

    `openings` has each meter that may have quotas, in the order in which the script answers what is open.
    """

    def __init__(self, terms: Terms, key: Callable[[str], int]) -> None:
        self.openings: list[Opening] = []
        self.since, self.until = terms.quotas.since, terms.quotas.until
        self._terms = terms
        self._key = key
        self._first: dict[str, int] = {}
        self._rows: list[tuple[int | str, ...]] = []
        self._shares: dict[tuple[int, ...], int] = {}
        self._share_of: dict[int, int] = {}

    def add(self, number: int, counting: Counting, at: int) -> None:
        """A counter of a meter, whose events were at this time, epoch ms."""
        quotas = self._terms.quotas.of_meter.get(counting.meter.name, ())
        first = self._first.get(counting.key)
        if first is None:
            first = self._open(Opening(self._terms.tenant, counting.key, self._terms.zone, quotas))
        share = tuple(
            [
                first + place
                for place, span in enumerate(quotas)
                if span.start <= at and (span.end is None or at < span.end)
            ]
        )
        if share:
            self._share_of[number] = self._shares.setdefault(share, len(self._shares) + 1)

    def program(self) -> dict[str, Any]:
        """What the script is told."""
        terms, words = self._terms, [opening.words for opening in self.openings]
        telling = (self._key(keys.events(terms.tenant)), self._key(keys.due(terms.tenant))) if self._rows else ()
        return {
            "opens": [field for field, _ in words],
            "wanted": [wanted for _, wanted in words],
            "quotas": self._rows,
            "shares": list(self._shares),
            "share_of": self._share_of,
            "telling": (*telling, terms.actor, terms.tenant) if telling else (),
        }

    def _open(self, opening: Opening) -> int:
        """The number of a meter's first quota, from 1 as Lua counts."""
        first = self._first[opening.meter_key] = len(self._rows) + 1
        self.openings.append(opening)
        tenant, meter_key = opening.tenant, opening.meter_key
        for span in opening.quotas:
            counter, credits_ = keys.counted(tenant, meter_key, span.name), keys.credit_state(tenant, meter_key)
            self._rows.append((self._key(counter), self._key(credits_), *span.words))
        return first
