"""May this pass? Rate limits and quotas, decided exactly: on one server and through its restarts never one too many.

- One script call decides the API key, every rate limit and the quota, and counts; all or nothing.
- An id counts once, whether a check or an event brings it first.
- Without an answer there is no permission: a check fails closed.
"""

from veloflux.limits.check import check
from veloflux.limits.model import Decision, Question
from veloflux.limits.period import Period, read_period

__all__ = ["Decision", "Period", "Question", "check", "read_period"]
