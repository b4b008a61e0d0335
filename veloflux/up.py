"""`veloflux up`: all of VeloFlux on one machine, supervised by one process that owns the data folder.

    data folder owned -> port free -> Redis loaded -> prepare -> web, worker -> /readyz answers 200 -> the URL

Ctrl-C, SIGTERM or a closed terminal stop web, worker and Redis in this order. When one ends by itself, the others
are stopped too and nothing is restarted: whoever runs `veloflux up` (a person, systemd) decides. When this process
is killed, the kernel ends the others (`process.die_with_parent`).
"""

import errno
import itertools
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from types import FrameType
from typing import NoReturn

from veloflux import data_folder, process
from veloflux.db import embedded
from veloflux.errors import StartRefused
from veloflux.settings import Settings, environment, reachable

Running = dict[str, subprocess.Popen[bytes]]

COMMANDS: Mapping[str, Sequence[str]] = {
    "web": (sys.executable, "-m", "veloflux", "serve"),
    "worker": (sys.executable, "-m", "veloflux", "worker"),
}
REDIS = "embedded Redis"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPS_WITHIN_S = 15.0
POLL_S = 0.1
POLLS_FOR_PORT = 20
POLLS_UNTIL_COMPLAINT = 300
_asked: list[int] = []
"""The signal that asked to stop, for the case that the exception it raised got lost (in a finalizer, say)."""


class ChildEnded(Exception):
    """A child ended that nobody stopped."""


def run(
    settings: Settings,
    *,
    announce: Callable[[], Iterable[str]] = lambda: (),
    prepare: Callable[[], None] = lambda: None,
    commands: Mapping[str, Sequence[str]] = COMMANDS,
) -> int:
    """Run until stopped; the exit code is 0 after a stop and 1 after a child ended by itself.

    `prepare` is called once Redis can be used and before web and worker start: the place of the boot check.
    `announce` gives lines to print after the URL. `commands` are started and stopped in order.

    :raises StartRefused: one sentence: folder in use or not writable, port taken, Redis or `prepare` refuses.
    """
    running: Running = {}
    with data_folder.own(settings.data_dir, settings.console_url), _stop_signals():
        try:
            require_free_port(settings.host, settings.port)
            _start(settings, prepare, commands, running)
            _wait_until_ready(settings, running)
            with _held():
                further = [*announce()]
            _say(f"VeloFlux runs: {settings.console_url}", *further)
            _watch(running)
        except KeyboardInterrupt:
            return 0
        except ChildEnded as ended:
            print(ended, file=sys.stderr, flush=True)
            return 1
        finally:
            _stop(running)


def require_free_port(host: str, port: int) -> None:
    """Refuse a port that is taken, after a moment's patience: a web process just killed still lets go of it.

    :raises StartRefused: when the port is taken, or the address is not one of this machine's.
    """
    for _ in range(POLLS_FOR_PORT):
        fault = _binding_fault(host, port)
        if fault is None:
            return
        if fault.errno != errno.EADDRINUSE:
            raise StartRefused(
                f"VeloFlux cannot listen on {host} port {port}: {fault.strerror}; see VELOFLUX_HOST and _PORT"
            )
        time.sleep(POLL_S)
    raise StartRefused(f"Port {port} of {host} is taken by another program; stop that one, or set VELOFLUX_PORT")


def _binding_fault(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # what lingers of closed connections is no fault
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _start(
    settings: Settings, prepare: Callable[[], None], commands: Mapping[str, Sequence[str]], running: Running
) -> None:
    if settings.embedded:
        running[REDIS] = embedded.start(settings, _say)
    with _held():
        prepare()
    environ = environment(settings)
    for name, command in commands.items():
        running[name] = process.start(command, env=environ)


def _wait_until_ready(settings: Settings, running: Running) -> None:
    for poll in itertools.count(1):
        _require_all(running)
        fault = _readiness_fault(reachable(settings.host), settings.port)
        if not fault:
            return
        if poll == POLLS_UNTIL_COMPLAINT:
            _say(f"Still waiting until VeloFlux is ready; GET /readyz: {fault}")
        time.sleep(POLL_S)


def _readiness_fault(host: str, port: int) -> str:
    """Empty when ready. (The standard library's client: httpx2 would make each start 0.15 s longer.)"""
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return "" if answer.status == HTTPStatus.OK else f"{answer.status} {answer.read().decode(errors='replace')}"
    except (OSError, HTTPException) as error:
        return str(error)
    finally:
        connection.close()


def _watch(running: Running) -> NoReturn:
    while True:
        _require_all(running)
        time.sleep(POLL_S)


def _require_all(running: Running) -> None:
    if _asked:
        raise KeyboardInterrupt
    for name, child in running.items():
        if child.poll() is not None:
            raise ChildEnded(
                f"The {name} process ended unexpectedly ({process.ending(child.returncode)}), so the rest is "
                "stopped; `veloflux up` starts again, nothing acknowledged is lost"
            )


def _stop(running: Running) -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    redis = running.pop(REDIS, None)
    for child in running.values():
        process.stop(child, STOPS_WITHIN_S)
    if redis:
        embedded.stop(redis)


@contextmanager
def _stop_signals() -> Iterator[None]:
    """Let the first signal raise KeyboardInterrupt; those that the caller ignores (nohup) stay ignored."""

    def interrupt(asked: int, _frame: FrameType | None) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        _asked.append(asked)
        raise KeyboardInterrupt

    _asked.clear()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _held() -> Iterator[None]:
    """Let a stop wait until the end of the block: within an event loop, what a handler raises may get lost."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)
