"""Keeping the write-ahead log: received as it is written, then sealed file by file.

pg_receivewal writes into the spool, a private folder beside the database, and tells the server how
far it is on the disk there; the server keeps for the slot what it was not told of. Every few
seconds whole files are sealed into the repository, and what there is of the next one too, so that
whoever loses the machine loses seconds.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from deploy.backups.errors import BackupError
from deploy.backups.manifest import Received
from deploy.backups.repository import Repository, whole_file, write_whole
from deploy.backups.rules import is_segment, read_lsn, segment_of
from deploy.backups.server import SLOT, BackedServer, Cluster, Progress, program
from deploy.local.children import die_with_parent
from deploy.local.private import private_folder
from shared.clock import utc_now
from shared.log import log
from shared.sealed_files.errors import FileDamaged
from shared.sealed_files.form import WAL_LEVEL, FileLabel, SealedReader, SealedWriter
from shared.sealed_files.keys import Keyring

CATCH_UP_S = 20.0
POLL_S = 0.05
RESTART_S = 1.0
RESTART_MAX_S = 30.0
LIVED_WELL_S = 60.0
UNSEALED = ".partial"  # As pg_receivewal names the file that it is at.
_READ_BYTES = 1 << 20


class SlotLost(BackupError):
    """The server removed what was not received yet: only a new base backup goes on from here."""


class WalKeeper:
    """Receives the write-ahead log of one timeline and keeps it sealed."""

    def __init__(
        self,
        server: BackedServer,
        repository: Repository,
        keyring: Keyring,
        identity: Cluster,
        spool_dir: Path,
    ) -> None:
        self.identity = identity
        self._server = server
        self._repository = repository
        self._keyring = keyring
        self._spool = spool_of(spool_dir, identity.cluster, identity.timeline)
        self.erasures = 0  # Of how many files the list of erasures is.
        self._sealed_upto = ""  # The position up to which the partial file was sealed last.

    async def prepare(self) -> bool:
        """Have the slot hold back what is to be received; say whether some was lost before.

        Raises BackupError.
        """
        private_folder(self._spool)
        status = (await self._server.progress()).slot_status
        if status == "lost":
            await self._server.drop_slot()
        has_gap = False
        if status in {None, "lost"}:
            had_any = self._repository.received(self.identity.timeline, self._keyring) is not None
            has_gap = had_any or any(self._spool.iterdir())
            await asyncio.to_thread(self._start_anew)
            await self._server.add_slot()
        return has_gap

    async def receive(self) -> None:
        """Receive for ever, again whenever the server was away."""
        pause_s = RESTART_S
        while True:
            began = time.monotonic()
            said = await self._receive_once()
            lived_well = time.monotonic() - began > LIVED_WELL_S
            pause_s = RESTART_S if lived_well else min(2 * pause_s, RESTART_MAX_S)
            log.warning("the write-ahead log is not received", reason=said, again_in_s=pause_s)
            await asyncio.sleep(pause_s)

    async def seal(self) -> Received:
        """Seal what was received and say how far that goes. Raises BackupError, OSError."""
        progress = await self._server.progress()
        await self._until_received(progress)
        if progress.flushed_lsn != self._sealed_upto:
            await asyncio.to_thread(seal_spool, self._repository, self._keyring, self._spool)
        received = self._note(progress.flushed_lsn, progress.at)
        self._sealed_upto = progress.flushed_lsn
        return received

    async def _receive_once(self) -> str:
        process = await asyncio.create_subprocess_exec(
            *(program("pg_receivewal"), "--dbname", self._server.address, "--no-password"),
            *("--directory", str(self._spool), "--slot", SLOT, "--synchronous", "--no-loop"),
            env=dict(self._server.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=die_with_parent(),
        )
        try:
            _, said = await process.communicate()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await process.communicate()  # Also to the end of what it says.
        lines = said.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"pg_receivewal ended with {process.returncode}"

    async def _until_received(self, progress: Progress) -> None:
        """Wait until all that was flushed then is in the spool."""
        wanted = read_lsn(progress.flushed_lsn)
        deadline = time.monotonic() + CATCH_UP_S
        while True:
            if progress.slot_status in {None, "lost"}:
                raise SlotLost(
                    "The write-ahead log was not received in time and the server removed it; "
                    "a new base backup is made."
                )
            if progress.kept_lsn is not None and read_lsn(progress.kept_lsn) >= wanted:
                return
            if time.monotonic() > deadline:
                raise BackupError(
                    f"The write-ahead log is received up to {progress.kept_lsn} only; "
                    "the log of the backup job says why."
                )
            await asyncio.sleep(POLL_S)
            progress = await self._server.progress()

    def _start_anew(self) -> None:
        """Seal what is whole, and leave nothing by which pg_receivewal would go on from there."""
        seal_spool(self._repository, self._keyring, self._spool)
        for path in self._spool.iterdir():
            path.unlink()

    def _note(self, lsn: str, at: datetime) -> Received:
        received = Received(
            cluster=self.identity.cluster,
            timeline=self.identity.timeline,
            segment_bytes=self.identity.segment_bytes,
            lsn=lsn,
            at=at,
            erasures=self.erasures,
        )
        path = self._repository.received_path(self.identity.timeline)
        write_whole(path, received.written(self._keyring))
        return received


def spool_of(spool_dir: Path, cluster: str, timeline: int) -> Path:
    """Return the folder in which the write-ahead log of a timeline arrives."""
    return spool_dir.resolve() / cluster / f"{timeline:08X}"


def seal_spool(repository: Repository, keyring: Keyring, spool: Path) -> bool:
    """Seal all that was received, and remove from the spool what is whole; say whether any was.

    The file that is not whole is sealed last, and only when all before it are: what is said to be
    kept must have no gap, however fast the server writes meanwhile.
    """
    any_sealed = False
    while True:
        any_sealed |= _seal_whole_files(repository, keyring, spool)
        partial = max(spool.glob(f"*{UNSEALED}"), default=None)
        if _list_whole(spool):  # It has just become whole, or one before it has.
            continue
        if partial is None:
            return any_sealed
        label = FileLabel("partial", repository.cluster, partial.name)
        target = repository.partial_path(int(partial.name[:8], 16))
        try:
            seal_file(partial, target, keyring, label)
        except FileNotFoundError:
            continue
        return True


def _seal_whole_files(repository: Repository, keyring: Keyring, spool: Path) -> bool:
    names = _list_whole(spool)
    for name in names:
        label = FileLabel("wal", repository.cluster, name)
        seal_file(spool / name, repository.segment_path(name), keyring, label)
        (spool / name).unlink()
    return bool(names)


def _list_whole(spool: Path) -> list[str]:
    return sorted(path.name for path in spool.glob("*") if is_segment(path.name))


def seal_file(source: Path, target: Path, keyring: Keyring, label: FileLabel) -> None:
    """Seal a file and read it back before it gets its name. Raises FileDamaged, OSError."""
    made_at = utc_now()
    read = hashlib.sha256()
    with source.open("rb") as plain, whole_file(target) as file:
        writer = SealedWriter(file, keyring, label, made_at=made_at, level=WAL_LEVEL)
        while piece := plain.read(_READ_BYTES):
            read.update(piece)
            writer.write(piece)
        writer.close()
        file.flush()
        file.seek(0)
        reader = SealedReader(file, keyring, label, where=str(target))
        if _hash_of(reader.read) != read.digest():
            raise FileDamaged(f"{target} was not written as it was read; look at the disk.")


def _hash_of(read: Callable[[int], bytes]) -> bytes:
    found = hashlib.sha256()
    while piece := read(_READ_BYTES):
        found.update(piece)
    return found.digest()


def last_needed(received: Received) -> str:
    """Return the name of the last file of the write-ahead log that has anything in it."""
    return segment_of(read_lsn(received.lsn) - 1, received.timeline, received.segment_bytes)
