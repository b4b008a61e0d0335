"""What tenants use: events counted once each, as exact integers, in quarters of an hour that compose to the days of any
zone.

An event is tenant, source and id. What was counted stays counted: counters only ever grow by events, and the total of a
month is the sum of its quarters, as it is of the segments that money reads where cuts cover it. What is closed stays as
it is: later usage of it is counted beside.
"""

from veloflux.metering.adjustments import Adjustments, read_adjustments
from veloflux.metering.import_log import Report, import_log
from veloflux.metering.meters import present_meters
from veloflux.metering.model import Event, Rejection, Result
from veloflux.metering.open_periods import begin_days_anew
from veloflux.metering.prune_usage import prune_usage
from veloflux.metering.raw_events import OUTCOMES, Filter, RawEvent, list_raw_events
from veloflux.metering.record import record
from veloflux.metering.remove import remove_usage
from veloflux.metering.segments import Billed, Segments, close_through, read_billed
from veloflux.metering.standing import Standing, read_standing
from veloflux.metering.store import totals
from veloflux.metering.usage import WINDOWS, Row, Usage, WindowSize, meters_used, read_usage

__all__ = [
    "OUTCOMES",
    "WINDOWS",
    "Adjustments",
    "Billed",
    "Event",
    "Filter",
    "RawEvent",
    "Rejection",
    "Report",
    "Result",
    "Row",
    "Segments",
    "Standing",
    "Usage",
    "WindowSize",
    "begin_days_anew",
    "close_through",
    "import_log",
    "list_raw_events",
    "meters_used",
    "present_meters",
    "prune_usage",
    "read_adjustments",
    "read_billed",
    "read_standing",
    "read_usage",
    "record",
    "remove_usage",
    "totals",
]
