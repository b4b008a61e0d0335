"""Deferred revenue: what was billed in advance is earned second by second over the time of its service. Pure.

What is earned is always counted from the beginning and rounded once; a release is the difference of two such sums, so
that however often one is made, all of them together are the whole amount.
"""

from collections.abc import Iterable
from typing import NamedTuple

from veloflux.kit.money import share

SECOND_MS = 1000


class Service(NamedTuple):
    """An amount (minor units; a credit is negative) for a service from `start` until before `end` (epoch ms)."""

    amount: int
    start: int
    end: int


def earned(service: Service, at: int) -> int:
    """How much of it is earned by a time (epoch ms), in minor units: half up, by whole seconds.

    >>> ten_days = Service(1000, 0, 864_000_000)
    >>> earned(ten_days, -1), earned(ten_days, 288_000_000), earned(ten_days, 864_000_000)
    (0, 333, 1000)
    """
    start, end, now = (ms // SECOND_MS for ms in (service.start, service.end, at))
    if now < start:
        return 0
    if now >= end:  # also of a service without duration
        return service.amount
    return share(service.amount, now - start, end - start)


def deferred(services: Iterable[Service], at: int) -> int:
    """What is not earned yet by a time, of all of them.

    >>> deferred([Service(1000, 0, 864_000_000), Service(-50, 0, 864_000_000)], 288_000_000)
    634
    """
    return sum(service.amount - earned(service, at) for service in services)


def release_due(services: Iterable[Service], after: int | None, until: int) -> int:
    """What is to be released now: earned by `until` and not by `after`, the time of the last release (None: the first).

    >>> month = [Service(100, 0, 3_000)]
    >>> release_due(month, None, 1_000), release_due(month, 1_000, 2_000), release_due(month, 2_000, 9_000)
    (33, 34, 33)
    """
    return sum(earned(each, until) - (0 if after is None else earned(each, after)) for each in services)
