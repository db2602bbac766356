"""`support-bundle`: what somebody who helps must know, and nothing that is private."""

import io
import json
import platform
import re
import tarfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from deploy.local.private import private_folder
from deploy.local.secrets import MAKERS, SERVER_PASSWORDS
from deploy.operator.database import ask_database
from deploy.operator.errors import OperatorError
from deploy.operator.place import Installation, show
from deploy.operator.redaction import redacted_tail
from deploy.operator.report import DONE, FINDINGS, Report
from shared.clock import utc_now
from shared.version import VERSION

TIMEOUT_S = 10.0
# Settings whose values are words of ours or numbers; of all others it is told that they are set.
PLAIN_SETTINGS = re.compile(
    r"ENVIRONMENT|LOG_(LEVEL|FORMAT)|.*_(PORT|PORTS|ENABLED|SCALE|SECONDS|DAYS|MS|MB|MIN|MAX|S|TTL|"
    r"SIZE|OVERFLOW|PROCESSES|SCHEDULE|RETENTION_DAYS)|REGISTRATION|PG_SSL(_MODE)?|REDIS_TLS|"
    r"METRICS_ENGINE|JOURNAL_EXPORT"
)
_STATEMENTS = """
    SELECT calls, round(mean_exec_time::numeric, 1)::float8 AS mean_ms,
           round(total_exec_time::numeric)::float8 AS total_ms, query
    FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 30"""
_RUNNING = """
    SELECT application_name, usename, state, wait_event,
           extract(epoch FROM now() - query_start)::float8 AS running_s, query
    FROM pg_stat_activity
    WHERE state <> 'idle' AND query_start < now() - interval '1 second' AND pid <> pg_backend_pid()
    ORDER BY query_start"""
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d[\d.]*\b")
_ITEM = re.compile(r'item="[^"]*"')  # The one label with a name that people gave.


def make_bundle(place: Installation, asked: Namespace) -> Report:
    """Write a bundle; what could not be had is told in it, and is a finding."""
    name = f"support-{utc_now():%Y%m%dT%H%M%SZ}"
    path = Path(asked.into or ".") / f"{name}.tar.gz"
    parts: dict[str, str] = {"about.json": _as_json(_about())}
    missing: list[str] = []
    for what, make in _SOURCES.items():
        show(f"{what} …")
        try:
            parts |= make(place)
        except (OperatorError, OSError, httpx.HTTPError, asyncpg.PostgresError) as error:
            missing.append(f"{what}: {type(error).__name__}")
    parts["missing.json"] = _as_json(missing)
    private_folder(path.parent) if asked.into else None
    with tarfile.open(path, "w:gz") as archive:
        for each, content in sorted(parts.items()):
            encoded = content.encode()
            entry = tarfile.TarInfo(f"{name}/{each}")
            entry.size, entry.mode = len(encoded), 0o600
            archive.addfile(entry, io.BytesIO(encoded))
    path.chmod(0o600)
    lines = [f"{path}: {len(parts)} files", *(f"missing  {text}" for text in missing)]
    return Report(
        lines, {"path": str(path), "files": sorted(parts), "missing": missing},
        FINDINGS if missing else DONE,
    )  # fmt: skip


def _about() -> dict[str, str]:
    return {
        "release": VERSION,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "made_at": utc_now().isoformat(),
    }


def _settings(place: Installation) -> dict[str, str]:
    """Of the settings that are chosen: the value where it tells nothing of anybody."""
    known = re.compile(r"^#? ?([A-Z][A-Z0-9_]+)=", re.MULTILINE)
    example = (Path(__file__).resolve().parents[2] / ".env.example").read_text()
    secret = {*MAKERS, *SERVER_PASSWORDS}
    given = place.settings.environment
    told = {
        name: given[name] if PLAIN_SETTINGS.fullmatch(name) and name not in secret else "set"
        for name in sorted(set(known.findall(example)) | secret)
        if given.get(name)
    }
    chosen = dict.fromkeys(sorted(place.secrets), "set")
    return {"settings.json": _as_json({"environment": told, "secrets": chosen})}


def _status(place: Installation) -> dict[str, str]:
    return {
        "health.json": _as_json(place.get("/health", token=False)),
        "status.json": _as_json(place.get("/status")),
    }


def _metrics(place: Installation) -> dict[str, str]:
    note = place.note
    if note is None:
        raise OperatorError("nothing runs here")
    found = {}
    token = place.settings.environment.get("METRICS_TOKEN") or place.secrets["METRICS_TOKEN"]
    for name, port in note.health_ports.items():
        answer = httpx.get(
            f"http://{place.settings.reach}:{port}/metrics",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S,
        )
        found[f"metrics/{name}.txt"] = _ITEM.sub('item="…"', answer.text)
    return found


def _logs(place: Installation) -> dict[str, str]:
    logs = sorted((place.state_dir / "log").glob("*.log"))
    return {f"logs/{log.name}": redacted_tail(log) for log in logs}


def _statements(place: Installation) -> dict[str, str]:
    """What the database is at now, and what took longest, where pg_stat_statements counts it."""

    async def ask(connection: asyncpg.Connection) -> dict[str, Any]:
        counts = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')"
        )
        slowest = await connection.fetch(_STATEMENTS) if counts else []
        return {
            "counted": counts,
            "slowest": [_without_literals(dict(row)) for row in slowest],
            "running": [_without_literals(dict(row)) for row in await connection.fetch(_RUNNING)],
        }

    return {"statements.json": _as_json(ask_database(place, ask))}


def _without_literals(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"query": _LITERAL.sub("?", row["query"])}


def _as_json(content: Any) -> str:  # noqa: ANN401 - any JSON.
    return json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n"


_SOURCES = {
    "settings": _settings,
    "status": _status,
    "metrics": _metrics,
    "logs": _logs,
    "statements": _statements,
}
