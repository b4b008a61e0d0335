"""What tenants use: events counted once each, as exact integers, in quarters of an hour that compose to the days of any
zone.

An event is tenant, source and id. What was counted stays counted: counters only ever grow by events, and the total of a
month is the sum of its quarters.
"""

from veloflux.metering.import_log import Report, import_log
from veloflux.metering.model import Event, Rejection, Result
from veloflux.metering.raw_events import OUTCOMES, Filter, RawEvent, list_raw_events
from veloflux.metering.record import record
from veloflux.metering.remove import remove_usage
from veloflux.metering.store import totals
from veloflux.metering.usage import WINDOWS, Row, Usage, WindowSize, days, meters_used, read_usage

__all__ = [
    "OUTCOMES",
    "WINDOWS",
    "Event",
    "Filter",
    "RawEvent",
    "Rejection",
    "Report",
    "Result",
    "Row",
    "Usage",
    "WindowSize",
    "days",
    "import_log",
    "list_raw_events",
    "meters_used",
    "read_usage",
    "record",
    "remove_usage",
    "totals",
]
