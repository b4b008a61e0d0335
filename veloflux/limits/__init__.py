"""May this pass? Rate limits and quotas, decided exactly: on one server and through its restarts never one too many.

- One script call decides the API key, every rate limit and every quota, and counts; all or nothing.
- An id counts once, whether a check or an event brings it first.
- Without an answer there is no permission, unless the tenant lets its checks fail open.
"""

from veloflux.limits.change_plan import put_plan
from veloflux.limits.check import check
from veloflux.limits.failure import passed_open
from veloflux.limits.model import Decision, Question, QuotaState, RateState, Reservation, Settled
from veloflux.limits.near import forget_near, note_threshold
from veloflux.limits.overrides import put_caps
from veloflux.limits.period import Period, read_period
from veloflux.limits.remove import remove_limits
from veloflux.limits.renew_credits import follow_calendar, renew_credits
from veloflux.limits.reserve import commit, release, reserve

__all__ = [
    "Decision",
    "Period",
    "Question",
    "QuotaState",
    "RateState",
    "Reservation",
    "Settled",
    "check",
    "commit",
    "follow_calendar",
    "forget_near",
    "note_threshold",
    "passed_open",
    "put_caps",
    "put_plan",
    "read_period",
    "release",
    "remove_limits",
    "renew_credits",
    "reserve",
]
