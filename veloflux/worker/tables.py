"""What the rows of the worker's three tables are made of."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from veloflux.context import Context
from veloflux.db.jobs import Job
from veloflux.events import Recorded
from veloflux.transaction import Transaction

Handler = Callable[[Context, Recorded, Transaction], Awaitable[None]]
JobFunction = Callable[[Context, Job, Transaction], Awaitable[None]]


class Ordered(NamedTuple):
    """A handler that may not be overtaken: while it fails, its owner's later events wait, and an alarm is raised."""

    handler: Handler


class Schedule(NamedTuple):
    """`cron` has five fields, read in the time zone `zone` (IANA); the job is the operator's, with an empty payload."""

    cron: str
    zone: str
    job: str


class Tables(NamedTuple):
    """Kind -> function; name -> schedule; event name -> handlers, in the order in which they run."""

    jobs: Mapping[str, JobFunction]
    schedule: Mapping[str, Schedule]
    on_event: Mapping[str, Sequence[Handler | Ordered]]

    def handlers(self, event: str) -> list[Handler]:
        """Those of an event, in order."""
        return [row.handler if isinstance(row, Ordered) else row for row in self.on_event.get(event, ())]

    def is_ordered(self, event: str, handler: Handler) -> bool:
        return Ordered(handler) in self.on_event.get(event, ())

    def handler_named(self, event: str, name: str) -> Handler | None:
        """The handler of an event by the name of its function, as jobs keep it."""
        return next((handler for handler in self.handlers(event) if named(handler) == name), None)


def named(handler: Handler) -> str:
    """How a handler is called in logs and jobs."""
    return handler.__name__
