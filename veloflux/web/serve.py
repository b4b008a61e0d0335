"""`veloflux serve`: the web application on Granian, with the number of processes of the settings."""

import os
import shutil

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from veloflux.settings import Settings


def main(settings: Settings) -> None:
    """Serve until stopped."""
    _share_metrics(settings)
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


def _share_metrics(settings: Settings) -> None:
    """Let the web processes count together. prometheus_client reads this variable when it is imported: not before."""
    folder = settings.data_dir.resolve() / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
