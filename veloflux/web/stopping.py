"""How the web server stops, whenever it is asked to: SIGTERM, Ctrl-C, a closed terminal.

A handler of Python's runs between two bytecodes of the main thread, where it may wait for a lock that this thread holds
itself; a forked process has its parent's handlers until it sets its own; uvloop loses signals between two runs of the
loop; and Granian's process hangs at the second one. So the signals are blocked, from before there is a second process,
and a thread of each process takes them: what comes earlier waits for it, and none is lost.

A process of the server that still loads ends at once, since it has accepted nothing; one that serves finishes what is
under way.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from veloflux import process

SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
_serving: list[asyncio.AbstractEventLoop] = []


def when_asked(stop: Callable[[], None]) -> None:
    """Call `stop`, in a thread, when the first signal comes; those that the caller ignores (nohup) stay ignored."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    _take({number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN}, stop)


def begin_process() -> None:
    """To be called first in each process of the server. It ends with its parent, which alone it hears."""
    parent = multiprocessing.parent_process()
    if parent and parent.pid:
        process.die_with_parent(parent.pid)
    # Ctrl-C is for the parent. Here SIGINT is what Granian is stopped by, once, when the process serves.
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _take({signal.SIGTERM}, _end)


@contextmanager
def in_order() -> Iterator[None]:
    """Within, the process serves."""
    _serving.append(asyncio.get_running_loop())
    try:
        yield
    finally:
        _serving.clear()


def _take(numbers: set[signal.Signals], then: Callable[[], None]) -> None:
    def wait() -> None:
        signal.sigwait(numbers)
        then()

    threading.Thread(target=wait, daemon=True).start()


def _end() -> None:
    if _serving:
        _serving[0].call_soon_threadsafe(signal.raise_signal, signal.SIGINT)
    else:
        os._exit(0)
