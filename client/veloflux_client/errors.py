"""What the client raises; all of it is a `VeloFluxError`."""

from veloflux_client.model import Decision


class VeloFluxError(Exception):
    """Anything that this package raises by itself."""


class RequestRefused(VeloFluxError):
    """VeloFlux understood and says no to the request itself: a wrong key, an unknown meter. To repeat it is no use.

    `status` and `code` are VeloFlux's own; its documentation lists the codes.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{detail} ({status} {code})")
        self.status, self.code, self.detail = status, code, detail


class TooLarge(RequestRefused):
    """The body is larger than the server accepts."""


class Unavailable(VeloFluxError):
    """No answer in time, or one that says that there is none now; `retry_after` in seconds if the server said so."""

    def __init__(self, reason: str, retry_after: float = 0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class NotAllowed(VeloFluxError):
    """A limit refuses, or nothing could be decided and the call is closed on failure; `decision` says which."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.reason)
        self.decision = decision


class BufferFull(VeloFluxError):
    """The event was not taken: the buffer is full and nothing could be delivered meanwhile."""


class NotDelivered(VeloFluxError):
    """The time to flush was over with `pending` events left; they stay in the buffer and are tried further."""

    def __init__(self, pending: int) -> None:
        super().__init__(f"{pending} events are not delivered yet")
        self.pending = pending
