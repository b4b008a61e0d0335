"""Structured logs: readable on the terminal, JSON lines in `<data_dir>/log/server.log`.

Every line carries its `slice` and, inside a request, its `request` id. The processes share the file; whoever finds it
too large moves it aside, and the others follow.
"""

import contextlib
import fcntl
import logging
import sys
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

import structlog

from veloflux.settings import Settings

FILE_BYTES = 16 * 1024 * 1024
KEPT = 5
TALKATIVE = ("httpx2", "fontTools")
"""Libraries that tell at `info` what they work with: addresses, the letters of names."""


class SharedRotatingHandler(WatchedFileHandler):
    """A log file of several processes, moved to `<name>.1` … `<name>.5` when it has grown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; a disk that is full or a folder that is gone must not fail what is being logged."""
        with contextlib.suppress(OSError):
            if self.stream and self.stream.tell() > FILE_BYTES:
                self._rotate()
            super().emit(record)

    def _rotate(self) -> None:
        path = Path(self.baseFilename)
        with path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists() or path.stat().st_size <= FILE_BYTES:
                return
            for number in range(KEPT - 1, 0, -1):
                older = path.with_name(f"{path.name}.{number}")
                if older.exists():
                    older.replace(path.with_name(f"{path.name}.{number + 1}"))
            path.replace(path.with_name(f"{path.name}.1"))


def configure(settings: Settings, *, file: bool = True) -> None:
    """Set up logging for a process; `file=False` for short commands."""
    level = settings.log_level.upper()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(_formatter(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()), shared))
    handlers: list[logging.Handler] = [terminal]
    if file:
        folder = settings.data_dir / "log"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handlers.append(SharedRotatingHandler(folder / "server.log", encoding="utf-8"))
        handlers[-1].setFormatter(_formatter(structlog.processors.JSONRenderer(), shared))
    logging.basicConfig(level=level, handlers=handlers, force=True)
    for library in TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=file,  # a command that writes a line or two has nothing of it
    )


def _formatter(renderer: Any, foreign: list[Any]) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*foreign, _slice_of_logger],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def _slice_of_logger(_logger: Any, _method: str, line: Any) -> Any:
    """A library's line belongs to the library."""
    record = line.get("_record")
    return {"slice": record.name if record else "", **line}
