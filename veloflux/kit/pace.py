"""How often a caller may ask: a GCRA limit as an operator writes it, as scripts reckon, and as an answer says it.

GCRA (ITU-T I.371): a call moves the time at which the limit would be whole again by one `emission`; it may be up to one
`tolerance` ahead. The fields of an answer are those of the IETF draft httpapi-ratelimit-headers.
"""

import functools
import math
import re
from typing import NamedTuple

TEXT = re.compile(r"([1-9]\d{0,6})/(s|min|h|d)")
SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
MICROSECONDS = 1_000_000


class Pace(NamedTuple):
    """Both in µs."""

    emission: int
    tolerance: int

    @property
    def quota(self) -> int:
        """How many calls may come at once."""
        return self.tolerance // self.emission


class Standing(NamedTuple):
    """How a caller stands under a limit of a name: `ahead` is how far it is used up, in µs."""

    name: str
    pace: Pace
    ahead: int

    @property
    def remaining(self) -> int:
        return max(self.pace.tolerance - self.ahead, 0) // self.pace.emission

    def fields(self) -> list[tuple[bytes, bytes]]:
        """RateLimit-Policy and RateLimit: calls in a window, calls left, seconds until all are there again.

        >>> [value.decode() for _, value in Standing("key", pace("600/min"), 2_500_000).fields()]
        ['"key";q=600;w=60', '"key";r=575;t=3']
        """
        window, reset = math.ceil(self.pace.tolerance / MICROSECONDS), math.ceil(self.ahead / MICROSECONDS)
        return [
            (b"ratelimit-policy", f'"{self.name}";q={self.pace.quota};w={window}'.encode()),
            (b"ratelimit", f'"{self.name}";r={self.remaining};t={reset}'.encode()),
        ]


@functools.lru_cache
def pace(text: str) -> Pace:
    """The pace of a text such as `600/min`: as many at once, then one at a time.

    >>> pace("600/min")
    Pace(emission=100000, tolerance=60000000)
    """
    found = TEXT.fullmatch(text)
    assert found, f"{text} is no pace"
    count, window = int(found[1]), SECONDS[found[2]] * MICROSECONDS
    emission = math.ceil(window / count)
    return Pace(emission, emission * count)
