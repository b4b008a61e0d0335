"""The client for threads."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

import httpx2

from veloflux_client.attempts import Attempts
from veloflux_client.errors import NotAllowed, Unavailable, VeloFluxError
from veloflux_client.ids import new_id
from veloflux_client.limited import Given, Question, in_thread
from veloflux_client.model import Decision, OnFailure, Rejected
from veloflux_client.protocol import Answer, Request, asking, failure, read_decision, read_done
from veloflux_client.reservation import Lease, log_unreleased, reserving
from veloflux_client.sender import Events, after_fork

P = ParamSpec("P")
T = TypeVar("T")


class VeloFlux:
    """A connection to VeloFlux at `url`; one for the whole process, any number of threads.

    With a tenant's key the calls are about that tenant; with the operators' service key each names its `tenant`. A call
    may bring another `api_key`, for instance the one that came with a request of a customer. `source` is where the ids
    are unique. `on_rejected` is told of each event that VeloFlux does not count; without it they are logged.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        source: str = "api",
        capacity: int = 10_000,
        on_rejected: Callable[[Rejected], None] | None = None,
    ) -> None:
        self._url, self._api_key, self._source = url, api_key, source
        self._connect()
        self.events = Events(self._send, api_key, source, capacity, on_rejected)
        after_fork(self._connect)

    def check(
        self,
        meter: str = "",
        cost: int = 1,
        *,
        id: str = "",  # noqa: A002 - the word of the API
        feature: str = "",
        route: str = "",
        address: str = "",
        dry_run: bool = False,
        tenant: str = "",
        api_key: str = "",
        on_failure: OnFailure = "closed",
        timeout_s: float = 1.0,
    ) -> Decision:
        """May it pass? If so, it is counted, once for its id; one is made if none is given.

        A refusal does not raise. If VeloFlux does not decide within about `timeout_s`, `on_failure` does, and the
        answer's `failed` says so.

        :raises RequestRefused: the question is wrong: the key, the meter.
        """
        id_ = id or new_id()
        request = asking(
            "/api/check",
            api_key or self._api_key,
            meter=meter,
            cost=cost,
            id=id_,
            source=self._source,
            feature=feature,
            route=route,
            address=address,
            dry_run=dry_run,
            tenant=tenant,
        )
        try:
            return self._asked(request, timeout_s, lambda answer: read_decision(answer, id_))
        except Unavailable as error:
            return failure(on_failure, id_, error)

    def check_or_raise(self, meter: str = "", cost: int = 1, **more: Any) -> Decision:
        """As `check`.

        :raises NotAllowed: it may not pass.
        """
        decision = self.check(meter, cost, **more)
        if not decision.allowed:
            raise NotAllowed(decision)
        return decision

    @contextmanager
    def reserve(
        self,
        meter: str,
        cost: int,
        *,
        lease_s: int = 60,
        id: str = "",  # noqa: A002 - the word of the API
        tenant: str = "",
        api_key: str = "",
        timeout_s: float = 1.0,
    ) -> "Iterator[Reservation]":
        """Hold `cost` units for work whose size is known only afterwards; `commit` says it.

        Who leaves without, or by an exception, releases them; after `lease_s` seconds they return by themselves.

        :raises NotAllowed: there are not so many.
        :raises Unavailable: VeloFlux does not answer.
        """
        id_ = id or new_id()
        request, read = reserving(
            api_key or self._api_key, id_, meter=meter, cost=cost, lease_s=lease_s, source=self._source, tenant=tenant
        )
        reservation = Reservation(self._asked, self._asked(request, timeout_s, read), timeout_s)
        try:
            yield reservation
        finally:
            if not reservation.settled:
                reservation.release()

    def limited(self, meter: str = "", cost: Given[int] = 1, **more: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """A decorator: checks before each call, and raises `NotAllowed` instead of calling.

        Takes what `check` takes and, to record an event of that id as well, `event` (its type) and `data`; the event
        counts only if the check did not. Each of them may be a function of the call's arguments.
        """
        return in_thread(self, Question(meter=meter, cost=cost, **more))

    def close(self) -> None:
        """Flush for up to 10 seconds, then end; what is left then is logged."""
        self.events.close()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _connect(self) -> None:
        """Also after a fork: two processes must not share a connection."""
        self._http = httpx2.Client(base_url=self._url)

    def _asked(self, request: Request, timeout_s: float, read: Callable[[Answer], T]) -> T:
        attempts = Attempts(timeout_s)
        while True:
            try:
                return read(self._send(request, attempts.left_s()))
            except Unavailable as error:
                pause = attempts.pause_s(error.retry_after)
                if pause is None:
                    raise
                time.sleep(pause)

    def _send(self, request: Request, timeout_s: float) -> Answer:
        try:
            answer = self._http.post(request.path, content=request.body, headers=request.headers, timeout=timeout_s)
        except httpx2.RequestError as error:
            raise no_answer(error) from error
        return Answer(answer.status_code, answer.headers, answer.content)


class Reservation:
    """Units that are held. `lease` says which, and until when; `settled` whether they were committed or released."""

    def __init__(self, asked: Callable[..., None], lease: Lease, timeout_s: float) -> None:
        self.lease, self.settled = lease, False
        self._asked, self._timeout_s = asked, timeout_s

    def commit(self, cost: int) -> None:
        """What it was in the end, less or more than reserved.

        :raises Unavailable: it is not known whether it was counted; if not, the lease returns what was reserved.
        """
        self.settled = True
        self._asked(self.lease.committing(cost), self._timeout_s, read_done)

    def release(self) -> None:
        """Give all of it back. If VeloFlux does not answer, the lease does it, and the log says so."""
        self.settled = True
        try:
            self._asked(self.lease.releasing(), self._timeout_s, read_done)
        except VeloFluxError as error:
            log_unreleased(self.lease, error)


def no_answer(error: Exception) -> Unavailable:
    """What the network's errors mean here."""
    return Unavailable(f"VeloFlux does not answer: {type(error).__name__} {error}".rstrip())
