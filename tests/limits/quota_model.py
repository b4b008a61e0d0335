"""Quotas, credits and thresholds of one meter in plain Python, from all usage there ever was."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from veloflux.plans.policy import QuotaLimit

ZONE = ZoneInfo("America/Sao_Paulo")
ANCHOR = "2024-12-20"
Sent = Sequence[tuple[str, int, int]]
"""Id, time in epoch ms, and amount of each event."""


def name_of(period: str, moment: int) -> str:
    """The period that a time in epoch ms lies in; billing periods begin on the 20th."""
    day = datetime.fromtimestamp(moment / 1000, ZONE).date()
    match period:
        case "day":
            return f"d{day}"
        case "month":
            return f"m{day:%Y-%m}"
        case "billing":
            month = day if day.day >= 20 else day.replace(day=1) - timedelta(days=1)
            return f"b{month:%Y-%m}-20"
        case _:
            return "life"


class Model:
    """`grants` are burned in their order; `said` are the thresholds that were told."""

    def __init__(self, now: int, quotas: list[QuotaLimit], grants: dict[str, int]) -> None:
        self.now, self.quotas, self.grants = now, quotas, grants
        self.said: list[tuple[str, int]] = []
        self._usage: list[tuple[int, int]] = []
        self._seen: set[str] = set()
        self._paid: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._reserved = 0

    def __repr__(self) -> str:
        return str(vars(self))

    def check(self, cost: int) -> bool:
        """Whether it may pass; then it counts."""
        allowed = self._allows(cost)
        if allowed:
            self._count([(self.now, cost)], [cost])
        return allowed

    def reserve(self, cost: int) -> bool:
        """Whether it may; then it is held."""
        allowed = self._allows(cost)
        self._reserved += cost * allowed
        return allowed

    def settle(self, held: int, spent: int) -> None:
        """Give back what was held, and count what was used."""
        self._reserved -= held
        self._count([(self.now, spent)], [spent])

    def record(self, events: Sent) -> None:
        """Count each event whose id is new."""
        amounts = []
        for id_, _, amount in events:
            amounts.append(0 if id_ in self._seen else amount)
            self._seen.add(id_)
        self._count([(moment, amount) for _, moment, amount in events], amounts)

    def counter(self, name: str) -> tuple[int, int, int]:
        """What was used in a period, what credits paid of it, and the highest percentage told."""
        total = sum(amount for moment, amount in self._usage if name == name_of(PERIODS[name[0]], moment))
        return total, self._paid[name], self._told[name]

    def overage(self) -> int:
        """What soft quotas are over."""
        soft = [one for one in self.quotas if not one.hard and not one.shadow]
        return max([0, *(self._used(one) - one.limit for one in soft)])

    def _used(self, quota: QuotaLimit) -> int:
        total, paid, _ = self.counter(name_of(quota.period, self.now))
        return total - paid

    def _allows(self, cost: int) -> bool:
        hard = [one for one in self.quotas if one.hard and not one.shadow]
        credit = sum(self.grants.values())
        return all(self._used(one) + self._reserved + cost - one.limit <= credit for one in hard)

    def _count(self, when: Sequence[tuple[int, int]], amounts: Sequence[int]) -> None:
        """What lies in the same present periods counts together, in the order of the first of each."""
        shares: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
        for (moment, _), amount in zip(when, amounts, strict=True):
            periods = [name_of(one.period, moment) == name_of(one.period, self.now) for one in self.quotas]
            shares[tuple(at for at, present in enumerate(periods) if present)].append((moment, amount))
        added: Counter[int] = Counter()
        for share, usage in shares.items():
            self._count_share([self.quotas[at] for at in share], usage)
            added.update(dict.fromkeys(share, 0) | {at: sum(amount for _, amount in usage) for at in share})
        for at, quota in enumerate(self.quotas):
            if added[at]:
                self._tell(quota)

    def _count_share(self, quotas: list[QuotaLimit], usage: list[tuple[int, int]]) -> None:
        amount = sum(one for _, one in usage)
        beyond = max([0, *(min(self._used(q) + amount - q.limit, amount) for q in quotas if not q.shadow)])
        self._usage += usage
        burned = 0
        for grant, left in self.grants.items():
            part = min(left, beyond - burned)
            self.grants[grant], burned = left - part, burned + part
        for quota in quotas:
            self._paid[name_of(quota.period, self.now)] += burned

    def _tell(self, quota: QuotaLimit) -> None:
        if quota.shadow:
            return
        name, used = name_of(quota.period, self.now), self._used(quota)
        for percent in quota.thresholds:
            if percent > self._told[name] and used * 100 >= quota.limit * percent:
                self.said.append((name, percent))
                self._told[name] = percent


PERIODS = {"d": "day", "m": "month", "b": "billing", "l": "lifetime"}
