"""`veloflux serve`: the web application on Granian, with the number of processes of the settings."""

from typing import Any

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from veloflux.settings import Settings
from veloflux.web import counts, stopping

STOPS_WITHIN_S = 10


def main(settings: Settings) -> None:
    """Serve until stopped; what is under way then has some seconds to end."""
    server = Granian(
        "veloflux.web.app:create",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        workers=settings.web_processes,
        backlog=4096,
        log_level=LogLevels.warning,
        workers_kill_timeout=STOPS_WITHIN_S,
    )
    stopping.when_asked(server.signal_handler_interrupt)
    counts.begin(counts.folder_of(settings.data_dir))
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except SystemExit:  # a process that was asked too, by systemd for one, ended sooner than the server asked it
        if not server.interrupt_signal:
            raise


def load() -> Any:
    """What each process of the server serves."""
    stopping.begin_process()
    from veloflux.web.app import create

    return create()
