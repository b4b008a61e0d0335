"""`veloflux serve`: the web application on Granian, with the number of processes of the settings."""

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from veloflux.settings import Settings
from veloflux.web import counts


def main(settings: Settings) -> None:
    """Serve until stopped."""
    counts.begin(counts.folder_of(settings.data_dir))
    Granian(
        "veloflux.web.app:create",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        workers=settings.web_processes,
        backlog=4096,
        log_level=LogLevels.warning,
    ).serve()
