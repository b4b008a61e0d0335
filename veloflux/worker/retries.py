"""When to try again: 5 s, 20 s, 80 s, … after each failure, spread so that what failed together comes apart."""

import random

UNIT_MS = 5_000
JITTER = 0.2
DELAY_MAX_MS = 6 * 3_600_000


def delay_ms(failures: int, unit_ms: int = UNIT_MS) -> int:
    """How long to wait after so many failures (from 1), ± a fifth, in ms.

    >>> 4_000 <= delay_ms(1) <= 6_000, 64_000 <= delay_ms(3) <= 96_000  # 5 s, 80 s
    (True, True)
    """
    whole = min(unit_ms * 4.0 ** (failures - 1), DELAY_MAX_MS)
    return round(whole * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311  no secret
