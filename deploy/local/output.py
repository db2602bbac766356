"""What the processes say: everything into a file each, what matters onto the screen."""

import contextlib
import json
import logging
from collections.abc import Callable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from deploy.local.private import open_private, private_folder

LOG_SIZE_MAX = 10_000_000  # bytes; then the file is renamed to .1 and a new one begun
ERRORS = frozenset({"error", "critical", "exception"})
WARNINGS = ERRORS | {"warning"}
UNSHOWN = frozenset({"time", "service", "logger"})
POSTGRES_SHOWN = (" FATAL: ", " PANIC: ", " HINT: ")
# Said by PostgreSQL whenever a client is cut off while it starts or stops.
POSTGRES_EXPECTED = ("terminating connection due to administrator command",)


def application_shows(line: str, levels: frozenset[str] = WARNINGS) -> str | None:
    """Return what to show of a service's line, or None.

    Structured lines of these `levels` are shown, as message and fields. Anything that is not
    structured (a traceback, a library's complaint) was not foreseen and is shown as it is.
    """
    try:
        entry = json.loads(line)
    except ValueError:
        return line.rstrip() or None
    if not isinstance(entry, dict):
        return line.rstrip()
    level = str(entry.pop("level", "info")).lower()
    if level not in levels:
        return None
    message = entry.pop("message", "")
    trace = entry.pop("exception", None)
    fields = " ".join(f"{name}={value}" for name, value in entry.items() if name not in UNSHOWN)
    said = f"{level}: {message} {fields}".rstrip()
    return f"{said}\n{trace}" if trace else said


def postgres_shows(line: str) -> str | None:
    """Show what stops the server or a connection; statement errors are the services' business."""
    wanted = any(mark in line for mark in POSTGRES_SHOWN)
    expected = any(text in line for text in POSTGRES_EXPECTED)
    return line.rstrip() if wanted and not expected else None


def valkey_shows(line: str) -> str | None:
    """Show what Valkey calls fatal; its warnings about kernel settings are for data centres."""
    return line.rstrip() if "Fatal" in line or "FATAL" in line else None


class PrivateFileHandler(RotatingFileHandler):
    """A log of bounded size that nobody else may read."""

    def _open(self) -> TextIOWrapper:
        return open_private(Path(self.baseFilename), "a")


class ProcessLog:
    """The log of one process: a file of bounded size, and the screen for what matters.

    `last` keeps the most recent line worth reading, to say why a process stopped.
    """

    def __init__(self, name: str, folder: Path, shows: Callable[[str], str | None]) -> None:
        private_folder(folder)
        self._name = name
        self._shows = shows
        path = folder / f"{name}.log"
        self._file = PrivateFileHandler(path, maxBytes=LOG_SIZE_MAX, backupCount=1)
        self._file.setFormatter(logging.Formatter("%(message)s"))
        self.last = ""

    def write(self, line: str) -> None:
        record = logging.LogRecord(self._name, logging.INFO, "", 0, line, None, None)
        self._file.emit(record)
        shown = self._shows(line)
        if shown is not None:
            self.last = shown.strip().splitlines()[-1]
            say(f"{self._name:<{NAME_WIDTH}} {shown}")

    def close(self) -> None:
        with contextlib.suppress(OSError):  # What a full disk did not take is lost.
            self._file.close()


NAME_WIDTH = 18


def say(text: str) -> None:
    """Print one message for the person, at once."""
    print(text, flush=True)
