"""The only reader of the clock in Python. Times are epoch milliseconds; a script reads Redis' own TIME instead.

A sandbox tenant has a clock of its own: system time plus an offset, or stopped at a moment. Both forms travel as one
text, so that the check script can read it from the tenant's hash: `""` real time, `"+<ms>"`/`"-<ms>"` offset, `"=<ms>"`
stopped.
"""

import time
from datetime import UTC, datetime

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
EARLIEST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp() * 1000)
LATEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""Between these lie the times that a tenant's clock can show and an event can have."""


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Seconds of a clock that never goes back; for deadlines inside one process."""
    return time.monotonic()


def apply(clock: str, now: int) -> int:
    """What a tenant's clock shows when the real time is `now` (both in epoch ms).

    >>> apply("", 1000), apply("+500", 1000), apply("-500", 1000), apply("=7", 1000)
    (1000, 1500, 500, 7)
    """
    if not clock:
        return now
    return int(clock[1:]) if clock[0] == "=" else now + int(clock)
