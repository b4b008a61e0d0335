"""How long, and how often, something is tried again."""

import random
import time

FIRST_S, LONGEST_S, ASKED_LONGEST_S = 0.1, 5.0, 60.0


def pause_s(failures: int, asked_s: float = 0) -> float:
    """Seconds to wait after so many failures: doubled each time, up to 5, half of it random; not less than was asked.

    A server that says when to come again is believed up to a minute.

    >>> 0.05 <= pause_s(1) <= 0.1
    True
    >>> pause_s(1, asked_s=3)
    3
    """
    bound = min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 16))
    return max(bound * random.uniform(0.5, 1), min(asked_s, ASKED_LONGEST_S))  # noqa: S311 - no secret


class Attempts:
    """The time that one call has for all its attempts."""

    def __init__(self, within_s: float) -> None:
        self._end = time.monotonic() + within_s
        self._failures = 0

    def left_s(self) -> float:
        """Seconds that the next attempt may take."""
        return max(self._end - time.monotonic(), 0.001)

    def pause_s(self, asked_s: float) -> float | None:
        """Seconds to wait before the next attempt, None if there is no time for one."""
        self._failures += 1
        pause = pause_s(self._failures, asked_s)
        return pause if time.monotonic() + pause < self._end else None
