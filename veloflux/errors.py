"""Every error that VeloFlux can answer with: a stable code, an HTTP status, a sentence for the reader.

VeloFluxError
├── InputInvalid 400            the request itself cannot be understood or accepted
│   ├── SettingInvalid
│   ├── IdInvalid, NameInvalid
│   ├── CursorInvalid
│   ├── ClockNotMovable
│   ├── PlanUnknown, MeterUnknown
│   ├── EventRejected           one event of a batch; the others are counted
│   │   ├── EventInvalid, EventTypeUnknown, EventValueInvalid
│   │   └── EventInFuture, EventTooOld
│   └── CounterOutOfRange
├── NotAuthenticated 401
│   ├── CredentialsWrong
│   └── LinkExpired
├── PermissionDenied 403
├── NotFound 404                what is another tenant's is not found either
├── Conflict 409                the state of things forbids it
│   ├── NameTaken, AlreadyMember, AlreadyDone
│   ├── IdReused
│   └── ChangedMeanwhile
├── BodyTooLarge 413
├── LimitReached 429            with Retry-After
├── Unavailable 503             try again, with Retry-After
│   ├── NotSent             nothing reached Redis
│   ├── Unknown             sent, no answer
│   └── RedisFull
├── CommitRefused 500           a fault of ours: the change itself was malformed
└── StartRefused                no HTTP: ends a command with exit code 1
"""

from typing import Any


class VeloFluxError(Exception):
    """The root. `str(error)` is the sentence that the reader sees; `extra` is put beside it in the problem document."""

    code = "error"
    status = 500

    def __init__(self, sentence: str, **extra: Any) -> None:
        super().__init__(sentence)
        self.extra = extra


class InputInvalid(VeloFluxError):
    code = "input_invalid"
    status = 400


class SettingInvalid(InputInvalid):
    code = "setting_invalid"


class IdInvalid(InputInvalid):
    code = "id_invalid"


class NameInvalid(InputInvalid):
    code = "name_invalid"


class CursorInvalid(InputInvalid):
    code = "cursor_invalid"


class ClockNotMovable(InputInvalid):
    code = "clock_not_movable"


class PlanUnknown(InputInvalid):
    code = "plan_unknown"


class MeterUnknown(InputInvalid):
    code = "meter_unknown"


class EventRejected(InputInvalid):
    """An event that is not counted."""

    code = "event_rejected"


class EventInvalid(EventRejected):
    code = "event_invalid"


class EventTypeUnknown(EventRejected):
    code = "event_type_unknown"


class EventValueInvalid(EventRejected):
    code = "event_value_invalid"


class EventInFuture(EventRejected):
    code = "event_in_future"


class EventTooOld(EventRejected):
    code = "event_too_old"


class CounterOutOfRange(InputInvalid):
    code = "counter_out_of_range"


class NotAuthenticated(VeloFluxError):
    code = "not_authenticated"
    status = 401


class CredentialsWrong(NotAuthenticated):
    code = "credentials_wrong"


class LinkExpired(NotAuthenticated):
    code = "link_expired"


class PermissionDenied(VeloFluxError):
    code = "permission_denied"
    status = 403


class NotFound(VeloFluxError):
    code = "not_found"
    status = 404


class Conflict(VeloFluxError):
    code = "conflict"
    status = 409


class NameTaken(Conflict):
    code = "name_taken"


class AlreadyMember(Conflict):
    code = "already_member"


class AlreadyDone(Conflict):
    code = "already_done"


class IdReused(Conflict):
    """The same id came before with other content."""

    code = "id_reused"


class ChangedMeanwhile(Conflict):
    """A commit's expectation failed: `key` holds `actual` where something else was expected."""

    code = "changed_meanwhile"


class BodyTooLarge(VeloFluxError):
    code = "body_too_large"
    status = 413


class LimitReached(VeloFluxError):
    """`extra["retry_after"]` is in whole seconds."""

    code = "limit_reached"
    status = 429


class Unavailable(VeloFluxError):
    code = "unavailable"
    status = 503


class NotSent(Unavailable):
    """Nothing reached Redis: safe to repeat."""

    code = "redis_away"


class RedisFull(Unavailable):
    code = "redis_full"


class Unknown(Unavailable):
    """Sent, but no answer came: it may have happened; repeat only with the same commit or event id."""

    code = "outcome_unknown"


class CommitRefused(VeloFluxError):
    code = "commit_refused"


class StartRefused(VeloFluxError):
    """A command cannot start; its sentence says what to do. Printed without a trace, exit code 1."""

    code = "start_refused"
