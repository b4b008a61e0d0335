"""Small real programs in the places of web and worker, to try the supervision of `veloflux up` by itself.

python -m tests.stand_in up | web | worker [how]        how: never-ready, fails, deaf
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import FrameType

from veloflux import process, settings
from veloflux.errors import VeloFluxError


def supervise(how: str) -> int:
    from veloflux import up

    program = (sys.executable, "-m", "tests.stand_in")
    commands = {"web": (*program, "web", how), "worker": (*program, "worker", how)}

    def prepare() -> None:
        if how == "deaf":
            print("preparing", flush=True)
            with suppress(KeyboardInterrupt):  # as an event loop may lose it
                time.sleep(1)

    try:
        return up.run(settings.load(), announce=lambda: ["a further line"], prepare=prepare, commands=commands)
    except VeloFluxError as error:
        print(error, file=sys.stderr)
        return 1


def web(how: str) -> int:
    """As Granian does: this process only watches another one, which answers."""
    if how == "fails":
        return 3
    answering = multiprocessing.get_context("fork").Process(target=answer, args=(how,), daemon=True)
    answering.start()
    say_when_stopped("web")
    answering.join()
    return 1


def answer(how: str) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    assert parent.pid is not None
    process.die_with_parent(parent.pid)

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if how == "never-ready" else 200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    HTTPServer(("127.0.0.1", settings.load().port), Ready).serve_forever()


def worker(_how: str) -> int:
    say_when_stopped("worker")
    threading.Event().wait()
    return 0


def say_when_stopped(name: str) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        time.sleep(0.05)
        print(f"{name} stopped", flush=True)
        for child in multiprocessing.active_children():
            child.kill()
            child.join()
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    print(f"{name} started", flush=True)


if __name__ == "__main__":
    role, how = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    sys.exit({"up": supervise, "web": web, "worker": worker}[role](how))
