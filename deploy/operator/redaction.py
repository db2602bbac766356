"""Lines of logs as they may leave the installation: only what is known to be harmless stays.

Our own logs hold no secret, since `shared.log` sees to that as they are written. Here it is looked
at once more, the other way round: of a line of ours the fields below stay, of a line of somebody
else's its words without what is quoted, numbered or an address.
"""

import json
import re
from collections import deque
from pathlib import Path
from typing import Any, Final

LINES_MAX: Final = 500
LEFT_OUT: Final = "[left out]"

# Of our own lines: texts from the code, names of things of ours, ids, numbers of work.
HARMLESS: Final = frozenset(
    {
        "time", "timestamp", "level", "service", "message", "event", "logger", "request_id",
        "trace_id", "method", "route", "status", "duration_s", "duration_ms", "upstream",
        "producer", "process", "kind", "count", "unreadable", "checkpoint", "seq", "purpose",
        "tenant", "sqlstate", "tries", "port", "release", "version", "kid",
    }
)  # fmt: skip
_FRAME = re.compile(r'^\s*File "[^"]*?(?P<path>(?:site-packages|services|shared|gateway|deploy|lib)'
                    r'/[^"]*)", line (?P<line>\d+)', re.MULTILINE)  # fmt: skip
_KIND = re.compile(r"^(?:\w+\.)*(?P<kind>\w*(?:Error|Exception|Refused|Timeout))\b", re.MULTILINE)
_OTHERS = re.compile(
    r"""'[^']*'|"[^"]*"|\([^)]*\)|\S*@\S*|\S*://\S*|\S*[/\\]\S*|\b[0-9a-fA-F-]{16,}\b|"""
    r"""\b\d[\d.,]*\d?\b"""
)
_STATED = re.compile(r"\b(STATEMENT|DETAIL|CONTEXT|QUERY|HINT|parameters|statement|execute)\b.*")
_WHEN = re.compile(r"^[\dT:. +-]{10,32}(?:UTC|Z)?")


def redacted_tail(path: Path, *, lines_max: int = LINES_MAX) -> str:
    """Return the last lines of a log without anything that is not known to be harmless."""
    with path.open(errors="replace") as file:
        tail = deque(file, maxlen=lines_max)
    return "".join(f"{redacted_line(line)}\n" for line in tail)


def redacted_line(line: str) -> str:
    """Return one line of a log as it may leave the installation."""
    try:
        event = json.loads(line)
    except ValueError:
        return _redacted_text(line.rstrip("\n"))
    if not isinstance(event, dict):
        return LEFT_OUT
    kept = {name: _harmless(name, value) for name, value in event.items()}
    return json.dumps(kept, ensure_ascii=False)


def _harmless(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON.
    if name == "exception" and isinstance(value, str):
        frames = [f"{found['path']}:{found['line']}" for found in _FRAME.finditer(value)]
        return [*frames, *(found["kind"] for found in _KIND.finditer(value))]
    is_plain = isinstance(value, str | int | float | bool) or value is None
    return value if name in HARMLESS and is_plain else LEFT_OUT


def _redacted_text(line: str) -> str:
    """Return a line of another program's: when, its words, and the kind of what it says."""
    when = _WHEN.match(line)
    begun = when.end() if when else 0
    rest = _STATED.sub(lambda found: f"{found[1]} {LEFT_OUT}", line[begun:])
    if line.startswith(("\t", " ")):  # What follows a statement over several lines.
        return LEFT_OUT
    return line[:begun] + _OTHERS.sub("…", rest)
