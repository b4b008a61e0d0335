"""What tenants use: events counted once each, as exact integers, in quarters of an hour that compose to the days of any
zone.

An event is tenant, source and id. What was counted stays counted: counters only ever grow by events, and a total of a
month is the sum of its quarters.
"""

from veloflux.metering.model import Event, Rejection, Result
from veloflux.metering.record import record

__all__ = ["Event", "Rejection", "Result", "record"]
