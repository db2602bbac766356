"""What an operator does with a service's journal: `python -m services.<name> verify|checkpoint`."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import httpx
from sqlalchemy import text

from shared.clock import utc_now
from shared.db import Database
from shared.http import ServiceClient
from shared.journal import verification
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.checkpoint import become_verifier
from shared.journal.keeper import Keeper, write_private
from shared.journal.keeping import archive_lines, keep
from shared.journal.notes import CheckpointNote, NoteInvalid, NoteKey, SigningKey
from shared.journal.outside import check_kept, newest_note
from shared.journal.retention import FindHolds
from shared.journal.rows import RowKeeper
from shared.settings import ServiceSettings
from shared.told import Told

VERBS = ("verify", "checkpoint", "retention", "changes", "evidence")
USAGE = (
    "verify [new] [archives [FOLDER]], retention [--dry-run], "
    "checkpoint print|key, checkpoint store|check FILE, checkpoint send URL, "
    "changes SINCE, evidence SINCE"
)
CHANGES_MAX = 20_000
PROGRESS_ENTRIES = 50_000
SEND_TIMEOUT_S = 10.0


class Holder(Protocol):
    """What the commands need of a process's resources."""

    service: str
    database: Database
    signing_key: SigningKey
    keeper: Keeper
    http: httpx.AsyncClient
    archives: ArchiveFolder | None
    proving_types: frozenset[str]
    row_keeper: RowKeeper | None
    client: ServiceClient | None
    find_holds: FindHolds | None

    @property
    def settings(self) -> ServiceSettings: ...


async def run(resources: Holder, words: Sequence[str]) -> Told | str:
    """Do what the words say and return what came of it. Raises SystemExit where it is not done."""
    said: Told | str
    match words:
        case ["verify", *which]:
            said = await _verify(resources, which)
        case ["retention"] | ["retention", "--dry-run"]:
            said = await keep(resources, is_trial="--dry-run" in words)
        case ["checkpoint", "print"]:
            said = (await _newest(resources)).rstrip("\n")
        case ["checkpoint", "key"]:
            said = resources.signing_key.public.written
        case ["checkpoint", "store", file]:
            write_private(Path(file), (await _newest(resources)).encode())
            said = f"The newest checkpoint is in {file}."
        case ["checkpoint", "send", url]:
            said = await _send(resources, url)
        case ["checkpoint", "check", file]:
            said = await _check(resources, _read(Path(file), resources.signing_key.public))
        case ["changes", since]:
            said = json.dumps(await _list_changes(resources, since), default=str)
        case ["evidence", since]:
            said = json.dumps(await _collect(resources, since), default=str)
        case _:
            raise SystemExit(f"usage: python -m services.{resources.service} {USAGE}")
    return said


async def _collect(resources: Holder, since: str) -> dict[str, object]:
    """Return all that an inquiry asks of a journal: its head, whether it holds, what changed."""
    verified = await _verify(resources, [])
    note = await newest_note(resources.database, resources.signing_key)
    key = resources.signing_key.public.written
    changes = await _list_changes(resources, since)
    holds, said = not verified.is_bad, verified.text
    return {"head": note, "key": key, "holds": holds, "verification": said, "changes": changes}


async def _list_changes(resources: Holder, since: str) -> dict[str, object]:
    """Return who did what since a moment, in all tenants, the oldest first."""
    try:
        moment: datetime | None = datetime.fromisoformat(since)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SystemExit(f"{since} is no moment with an offset, such as 2026-11-20T12:00:00Z.")
    service = resources.service
    async with resources.database.engine.connect() as connection:
        await become_verifier(connection, resources.signing_key)
        asked = {"since": moment, "most": CHANGES_MAX + 1}
        rows = (await connection.execute(_CHANGES, asked)).mappings().all()
    entries = [dict(row) for row in rows[:CHANGES_MAX]]
    return {"service": service, "entries": entries, "has_more": len(rows) > CHANGES_MAX}


async def _verify(resources: Holder, which: list[str]) -> Told:
    is_full = which[:1] != ["new"]
    archives = _named_folder(resources, which if is_full else which[1:])
    database, key = resources.database, resources.signing_key
    since = None if is_full else await verification.find_verified(database, key)
    found = await verification.verify(
        database,
        key,
        keeper=resources.keeper,
        since=since,
        progress=_shower(),
        archives=archives,
    )
    await verification.note_verification(database, key, found, is_full=is_full, now=utc_now())
    content = {"service": resources.service, "is_full": is_full} | found.as_json()
    different = found.first_difference
    if different is None:
        verified = f"Verified: {found.entries:,} entries in {found.checkpoints:,} checkpoints."
        return Told("\n".join([verified, *archive_lines(found.archives)]), content)
    where = f"entry {different.seq}" if different.seq else f"checkpoint {different.checkpoint}"
    if different.archive:
        where += f", in the archive of {different.archive}"
    named = f" ({different.entry_id})" if different.entry_id else ""
    before = f"The {found.entries:,} entries before its checkpoint are."
    said = f"Not as sealed: {where}{named}: {different.kind}. {before}"
    return Told("\n".join([said, *archive_lines(found.archives)]), content, is_bad=True)


def _named_folder(resources: Holder, words: list[str]) -> ArchiveFolder | None:
    """Return the archives to be read, None where none are asked for. Raises SystemExit."""
    match words:
        case []:
            return None
        case ["archives", *path] if resources.archives is not None and len(path) <= 1:
            return resources.archives.at(Path(path[0])) if path else resources.archives
        case ["archives", *_]:
            raise SystemExit(
                "ARCHIVE_FOLDER and ARCHIVE_ENCRYPTION_KEY say where archives are and what opens "
                "them; name at most one folder."
            )
    raise SystemExit(f"usage: python -m services.{resources.service} {USAGE}")


def _shower() -> verification.Progress:
    shown = 0

    def show(entries: int) -> None:
        nonlocal shown
        if entries - shown >= PROGRESS_ENTRIES:
            shown = entries
            sys.stderr.write(f"{entries:,} entries\n")

    return show


async def _newest(resources: Holder) -> str:
    note = await newest_note(resources.database, resources.signing_key)
    if note is None:
        raise SystemExit(
            "Nothing is sealed yet: with the first entry a running worker does it within seconds."
        )
    return note


async def _send(resources: Holder, url: str) -> str:
    note = await _newest(resources)
    answer = await resources.http.post(
        url,
        content=note.encode(),
        headers={"Content-Type": "text/plain; charset=utf-8"},
        timeout=SEND_TIMEOUT_S,
    )
    if not answer.is_success:
        raise SystemExit(f"{url} answered {answer.status_code}: it may not have kept it.")
    return f"Sent to {url}, which answered {answer.status_code}."


def _read(file: Path, key: NoteKey) -> CheckpointNote:
    try:
        return key.read(file.read_text())
    except (OSError, ValueError) as error:
        reason = str(error) if isinstance(error, (OSError, NoteInvalid)) else "it is no text"
        raise SystemExit(f"{file} proves nothing: {reason}.") from error


async def _check(resources: Holder, kept: CheckpointNote) -> str:
    found = await check_kept(resources.database, resources.signing_key, kept)
    if found.is_beginning:
        return (
            f"The journal goes on from this checkpoint: {kept.size:,} entries then, "
            f"{found.entries:,} now."
        )
    what = "cut off" if found.entries < kept.size else "made anew"
    raise SystemExit(
        f"The journal was {what}: this checkpoint covers {kept.size:,} entries up to checkpoint "
        f"{kept.number}, the newest one now {found.entries:,}, and does not begin with them."
    )


# Without what the entries say: there are names in it, and values that are sealed.
_CHANGES = text("""
    SELECT seq, id, recorded_at, tenant_id, actor, request_id, type, subject FROM journal
    WHERE recorded_at >= :since ORDER BY recorded_at, seq LIMIT :most""")
