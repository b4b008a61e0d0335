"""Unit-hours: how much of something there was, times how long. Pure.

An event changes the level; the level goes on until the next change. Changes commute, so events may come in any order.
"""

from collections.abc import Iterable, Iterator, Mapping

from veloflux.metering.combine import State
from veloflux.metering.usage_windows import Window


def areas(
    windows: Iterable[Window], level: int, cells: Mapping[int, State], grain_ms: int, now: int
) -> Iterator[tuple[str, int]]:
    """Unit-seconds of each window, of the last one up to `now` (epoch ms, whole seconds).

    `level` is that before the first window; `cells` by the start of each, `grain_ms` long, hold the changes in it and
    each change times the seconds to the cell's end.

    Two units for all of an hour, and a third one for its last ten minutes:

    >>> hour = Window("an hour", 0, 3_600_000)
    >>> list(areas([hour], 2, {2_700_000: (1, 600)}, 900_000, 10_000_000))
    [('an hour', 7800)]
    """
    starts = sorted(cells)
    at = 0
    for window in windows:
        end = min(window.end, now)
        area = level * (end - window.start) // 1000
        while at < len(starts) and starts[at] < window.end:
            change, weight = cells[starts[at]]
            area += weight + change * (end - starts[at] - grain_ms) // 1000
            level += change
            at += 1
        yield window.label, area


def months(
    windows: Iterable[Window], changes: Mapping[str, int], totals: Mapping[str, State], now: int
) -> Iterator[tuple[str, int]]:
    """The same of months, from the changes of every month that had some and the totals of those that are kept.

    A month that had changes and whose total is kept no longer is left out.

    >>> month = Window("2026-11", 0, 2_592_000_000)
    >>> list(months([month], {"2026-10": 1}, {}, 3_600_000))
    [('2026-11', 3600)]
    """
    for window in windows:
        level = sum(change for month, change in changes.items() if month < window.label)
        if changes.get(window.label) and window.label not in totals:
            continue
        change, weight = totals.get(window.label, (0, 0))
        end = min(window.end, now)
        yield window.label, level * (end - window.start) // 1000 + weight + change * (end - window.end) // 1000
