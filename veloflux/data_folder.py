"""The data folder (`VELOFLUX_DATA_DIR`) and its one owner: the process of `veloflux up`.

The owner holds an exclusive flock on `<data_dir>/veloflux.lock`. The kernel releases it when the owner ends,
however it ends, and children do not inherit it; so a lock that is held means an instance that runs, never a
left-over. The file's text, `<pid> <url>`, only serves the sentence that a second instance is refused with.
"""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from veloflux.errors import StartRefused


def own(folder: Path, url: str) -> TextIO:
    """Own the folder, made where it is missing, until the answered file is closed; `url` is the console's.

    :raises StartRefused: when the folder cannot be written, or belongs to an instance that runs.
    """
    folder = folder.resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "veloflux.lock").open("a+", encoding="utf-8")
        _take(lock, folder)
        lock.truncate(0)
        lock.write(f"{os.getpid()} {url}\n")
        lock.flush()
    except OSError as error:
        raise StartRefused(
            f"The data folder {folder} cannot be written ({error.strerror}); mend that, "
            "or set VELOFLUX_DATA_DIR to a folder that can"
        ) from None
    return lock


def _take(lock: TextIO, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        pid, _, url = lock.read().strip().partition(" ")
        lock.close()
        owner = f" (process {pid}, {url})" if url else ""
        raise StartRefused(
            f"The data folder {folder} is in use by another VeloFlux{owner}; "
            "stop that one, or set VELOFLUX_DATA_DIR to another folder"
        ) from None
