"""Processes that do the same at once: forked from one that has loaded what they need, and let go together."""

import asyncio
import multiprocessing
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

Work = Callable[[int, Callable[[], object]], Coroutine[Any, Any, Sequence[int]]]
"""Gets the number of its process, and a function that waits until all of them are ready; gives what is to be told."""
WITHIN_S = 60


def run(processes: int, work: Work) -> None:
    """Let so many processes work and each print its numbers in a line; this one ends with 0 if all did."""
    fork = multiprocessing.get_context("fork")
    gate = fork.Barrier(processes, timeout=WITHIN_S)

    def begin(number: int) -> None:
        told = asyncio.run(work(number, gate.wait))
        sys.stdout.write(" ".join(map(str, told)) + "\n")  # in one piece

    running = [fork.Process(target=begin, args=(number,)) for number in range(processes)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    sys.exit(any(one.exitcode for one in running))


async def started(module: str, *words: object) -> asyncio.subprocess.Process:
    """A program that calls `run`."""
    command = (sys.executable, "-m", module, *map(str, words))
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


async def told(running: asyncio.subprocess.Process) -> list[list[int]]:
    """The numbers of each of its processes."""
    out, _ = await running.communicate()
    assert running.returncode == 0
    return [[int(word) for word in line.split()] for line in out.splitlines()]
