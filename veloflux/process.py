"""Child processes: they end with their parent, are stopped within a limit, and one can say how each ended."""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psutil

POLL_S = 0.02
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(parent: int, end_with: signal.Signals = signal.SIGKILL) -> None:
    """Let the kernel send `end_with` to this process when its parent ends, kill -9 included (prctl(2)).

    `start` does it for what it starts. A process that another starts (a web server's own workers) calls it
    first thing, with the pid of the process that started it and that it must not outlive:
    `die_with_parent(multiprocessing.parent_process().pid)`. The kernel means the thread that forked.
    Linux only: elsewhere it does nothing, and the next `veloflux up` ends the orphaned Redis.
    """
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(end_with))
    if os.getppid() != parent:  # it ended before the kernel was told
        os.kill(os.getpid(), end_with)


def spare_collector() -> None:
    """Take what was made until now out of the garbage collector's sight: it lives as long as the process."""
    gc.collect()
    gc.freeze()


def start(command: Sequence[str], end_with: signal.Signals = signal.SIGKILL, **options: Any) -> subprocess.Popen[bytes]:
    """Start a child that ends with this process; `options` are those of `subprocess.Popen`.

    It has a process group of its own: Ctrl-C reaches the parent alone, which stops its children in order. Signals wait
    for the fork: what their handlers raise in one of its hooks would be printed and lost.
    """
    parent = os.getpid()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=lambda: _begin(parent, end_with),  # noqa: PLW1509  takes no lock
            **options,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _begin(parent: int, end_with: signal.Signals) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    die_with_parent(parent, end_with)


def stop(process: subprocess.Popen[bytes], within_s: float) -> None:
    """Ask a child to end (SIGTERM), and kill it when it has not after `within_s` seconds."""
    process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end(strangers: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    """End processes that are not our children: SIGTERM, and SIGKILL after `within_s`. Answers those still alive."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for stranger in strangers:
            with suppress(psutil.NoSuchProcess):
                stranger.send_signal(number)
        strangers = _still_alive(strangers, within_s)
    return strangers


def _still_alive(strangers: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    for _ in range(int(within_s / POLL_S)):
        strangers = [stranger for stranger in strangers if _lives(stranger)]
        if not strangers:
            break
        time.sleep(POLL_S)
    return strangers


def _lives(stranger: psutil.Process) -> bool:
    """A zombie does not: a container's first process may never reap it."""
    try:
        return bool(stranger.is_running() and stranger.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def ending(returncode: int) -> str:
    """How a process ended, for a sentence.

    >>> ending(3), ending(-9)
    ('exit code 3', 'signal SIGKILL')
    """
    return f"exit code {returncode}" if returncode >= 0 else f"signal {signal.Signals(-returncode).name}"
