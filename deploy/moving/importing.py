"""An import: an export brought into an empty database, checked, or taken out again."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from deploy.backups import journaling
from deploy.backups.errors import BackupError
from deploy.backups.local import Place
from deploy.backups.outcome import Say
from deploy.backups.proving import Prover, of_database
from deploy.backups.server import BackedServer, program
from deploy.backups.settings import Settings
from deploy.local.children import die_with_parent
from deploy.local.processes import Plan
from deploy.local.secrets import password_name
from deploy.local.settings import ROOT
from deploy.local.stack import embedded_postgres
from deploy.moving.facts import LENGTH_MAX, Facts
from deploy.postgres.bootstrap import ROLES, SERVICES, bootstrap
from deploy.postgres.journal_bases import raise_journal_bases
from shared.contracts.auth.backups import BackupImported
from shared.db.connecting import connect
from shared.sealed_files.form import CHUNK_BYTES, SealedReader

SAID_BYTES_MAX = 64_000


async def bring_in(place: Place, path: Path, say: Say) -> None:
    """Put an export into the database of this installation, which must be empty.

    The file is proved whole before anything is touched. Whatever goes wrong later, the database is
    empty again. Raises BackupError, StackError, OSError.
    """
    if place.local is None:
        raise BackupError(
            "There are no secrets here: put secrets.env of the installation that was exported "
            "into the state folder (.local), then run this again."
        )
    began = time.monotonic()
    with place.instance.hold():
        facts = await asyncio.to_thread(_prove, path, place.settings)
        _require_fitting(facts, place.local)
        say(f"Proved       {path}: of {facts.made_at:%Y-%m-%d %H:%M:%S} UTC, {facts.release}")
        with _server(place) as dsn:
            passwords = {role: place.local.secrets[password_name(role)] for role in ROLES}
            await bootstrap(dsn, passwords)
            await _require_empty(of_database(dsn))
            try:
                await _load(place, path, dsn, facts, say)
                await _begin_anew(place.local, dsn, facts, say, began)
            except BaseException:
                await _drop_schemas(of_database(dsn), "CASCADE")
                raise
    say(
        f"Imported     in {time.monotonic() - began:.1f} s. Everybody signs in again. Start it "
        "with `make up`; a backup is then made at once."
    )


def _prove(path: Path, settings: Settings) -> Facts:
    """Return what a file is, once all of it is proved. Raises BackupError."""
    with path.open("rb") as file:
        reader = SealedReader(file, settings.keyring, None, where=str(path))
        if reader.header.purpose != "export":
            raise BackupError(f"{path} is no export but part of a backup: `make restore` takes it.")
        facts, _ = _read_facts(reader, path)
        reader.drain()
    return facts


def _read_facts(reader: SealedReader, path: Path) -> tuple[Facts, bytes]:
    """Return the first line, and what was read beyond it."""
    read = b""
    while b"\n" not in read:
        piece = reader.read(CHUNK_BYTES)
        if not piece or len(read) > LENGTH_MAX:
            raise BackupError(f"{path} is of a form that this release does not read.")
        read += piece
    line, _, rest = read.partition(b"\n")
    return Facts.read(line, str(path)), rest


def _require_fitting(facts: Facts, plan: Plan) -> None:
    """Raise BackupError where the data would mean nothing here, or this release is too old."""
    others = facts.other_keys(plan.secrets)
    if others:
        raise BackupError(
            f"The export is of an installation with other keys ({', '.join(others)}): copy its "
            "secrets.env into the state folder (.local) first."
        )
    for service, revision in facts.revisions.items():
        migrations = ROOT / "services" / service / "migrations"
        if not any(migrations.glob(f"{revision}_*.py")):
            raise BackupError(
                f"The export is of a later release, {facts.release}, whose {service} this one does "
                "not know (migration {revision}). Use that release or a later one."
            )


@contextmanager
def _server(place: Place) -> Iterator[str]:
    """Run the database of this installation; it is removed again if it was made for nothing."""
    own = place.data_dir
    if own is None:
        assert place.local is not None  # noqa: S101 - asked before.
        yield place.local.superuser_dsn
        return
    is_new = not own.exists()
    try:
        with embedded_postgres(own) as dsn:
            yield dsn
    except BaseException:
        if is_new:
            shutil.rmtree(own, ignore_errors=True)
        raise


async def _require_empty(dsn: str) -> None:
    connection = await connect(dsn, None)
    try:
        found = await connection.fetch(_TABLES, list(SERVICES))
    finally:
        await connection.close()
    if found:
        raise BackupError(
            f"The database is not empty: there are tables of {', '.join(row[0] for row in found)}. "
            "An import goes into a new installation; name another STATE_DIR, or another database."
        )


async def _load(place: Place, path: Path, dsn: str, facts: Facts, say: Say) -> None:
    began = time.monotonic()
    database = of_database(dsn)
    await _drop_schemas(database)  # The export brings the schemas themselves, with their rights.
    await asyncio.to_thread(_restore, place.settings, path, database)
    connection = await connect(database, None)
    try:
        await raise_journal_bases(connection)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    say(f"Loaded       {facts.name} in {time.monotonic() - began:.1f} s")


def _restore(settings: Settings, path: Path, dsn: str) -> None:
    """Have pg_restore put everything in by one transaction, or nothing. Raises BackupError."""
    server = BackedServer(dsn)
    command = [
        *(program("pg_restore"), "--dbname", server.own_address, "--no-password"),
        *("--single-transaction", "--exit-on-error"),
    ]
    with path.open("rb") as file:
        reader = SealedReader(file, settings.keyring, None, where=str(path))
        _, rest = _read_facts(reader, path)
        process = subprocess.Popen(  # noqa: S603 - our own program.
            command,
            env=dict(server.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - one prctl call, safe after fork.
        )
        try:
            _feed(process.stdin, reader, rest)
            said = process.stderr.read(SAID_BYTES_MAX) if process.stderr is not None else b""
            code = process.wait()
        finally:
            process.kill()
            process.wait()
    if code != 0:
        lines = [line for line in said.decode(errors="replace").splitlines() if "error:" in line]
        raise BackupError(f"pg_restore failed: {lines[0] if lines else 'it said nothing'}")


def _feed(pipe: IO[bytes] | None, reader: SealedReader, rest: bytes) -> None:
    """Write all to a program; one that has ended says itself why."""
    assert pipe is not None  # noqa: S101 - we asked for it.
    try:
        piece = rest
        while piece := piece or reader.read(CHUNK_BYTES):
            pipe.write(piece)
            piece = b""
        pipe.close()
    except BrokenPipeError:
        return


async def _begin_anew(plan: Plan, dsn: str, facts: Facts, say: Say, began: float) -> None:
    """Bring the schemas up to date, verify them, and end what only the old place may go on with."""
    prover = Prover(plan, dsn)
    await prover.prepare()
    for name, said in (await prover.verify(facts.heads)).items():
        say(f"{name}: {said}")
    name, said = await prover.command("auth", "end-sessions")
    say(f"{name}: {said}")
    entry = BackupImported(
        backup=facts.name,
        cluster=facts.cluster,
        made_at=facts.made_at,
        release=facts.release,
        duration_s=round(time.monotonic() - began, 3),
    )
    await journaling.record(BackedServer(of_database(dsn)), entry)


async def _drop_schemas(dsn: str, cascade: str = "") -> None:
    """Drop the schemas, with all that is in them only if `cascade` says so."""
    connection = await connect(dsn, None)
    try:
        await connection.execute(f"DROP SCHEMA IF EXISTS {', '.join(SERVICES)} {cascade}")
    finally:
        await connection.close()


_TABLES = """
    SELECT DISTINCT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1) ORDER BY 1"""
