"""What is asked in one turn of the event loop, answered together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

_running: set["asyncio.Task[None]"] = set()


class Turn(Generic[Q, A]):
    """Questions of one kind, until the next turn of the loop, or until their weights come to `full`.

    `ask` gets all of them and gives an answer to each, in order; an exception among these is raised to its asker, and
    one that `ask` raises to all of them. Who has left hears nothing. `turns` has the open one of each kind.
    """

    def __init__(
        self,
        turns: "dict[object, Turn[Any, Any]]",
        kind: object,
        ask: Callable[[list[Q]], Awaitable[Sequence[A | Exception]]],
        full: int,
    ) -> None:
        self._turns = turns
        self._kind = kind
        self._ask = ask
        self._room = full
        self._questions: list[Q] = []
        self._answers: list[asyncio.Future[A]] = []
        turns[kind] = self
        task = asyncio.create_task(self._run())
        _running.add(task)
        task.add_done_callback(_running.discard)

    def add(self, question: Q, weight: int = 1) -> "asyncio.Future[A]":
        """The answer to one more question."""
        answer = asyncio.get_running_loop().create_future()
        self._questions.append(question)
        self._answers.append(answer)
        self._room -= weight
        if self._room <= 0:
            self._close()
        return answer

    def _close(self) -> None:
        if self._turns.get(self._kind) is self:
            del self._turns[self._kind]

    async def _run(self) -> None:
        self._close()
        try:
            given = await self._ask(self._questions)
        except Exception as error:  # whatever it is, those who wait must hear of it
            given = [error] * len(self._answers)
        for answer, value in zip(self._answers, given, strict=True):
            if answer.done():
                continue
            if isinstance(value, Exception):
                answer.set_exception(value)
            else:
                answer.set_result(value)
