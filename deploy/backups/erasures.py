"""The list of who was erased, kept where backups lie: a restore erases them again.

A backup knows nothing of who was erased after it. The list is files that are never changed, each
signed and with the hash of the one before; backups and the log say how many there were by then, so
that one that was cut off shows. It holds ids alone.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from deploy.backups.errors import BackupError
from deploy.backups.manifest import Signed, read_signed
from deploy.backups.repository import Repository, write_whole
from deploy.backups.server import BackedServer
from shared.sealed_files.keys import Keyring

_LOCK = 0x657261736564  # "erased": one writes the list at a time.
_NEXT = (
    "Move the list away and fetch it from the remote (`python -m deploy.backups fetch`). If it is "
    "lost for good: `erasures --anew` makes it of the running database, `restore "
    "--without-erasures` leaves it out, and who was erased since is to be erased by hand."
)


class ErasuresLost(BackupError):
    """The list of erasures is not whole: who restored by it would bring somebody back."""


class ErasedPerson(BaseModel):
    """Who was erased, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant_id: UUID
    user_id: UUID
    erased_at: AwareDatetime


class Erasures(Signed):
    """One file of the list: who was erased since the one before."""

    cluster: str
    number: int  # From 1 on.
    previous: str  # SHA-256 of the file before; empty where the list begins, or begins anew.
    persons: tuple[ErasedPerson, ...]


@dataclass(frozen=True)
class ErasedList:
    """Everybody on the list, of how many files it is, and the hash of the last."""

    persons: tuple[ErasedPerson, ...] = ()
    files: int = 0
    last: str = ""


def list_known(repository: Repository, keyring: Keyring) -> int:
    """Return of how many files backups and the log know that the list has. Raises BackupError."""
    backups = [manifest.erasures for manifest in repository.manifests(keyring)]
    logs = [repository.received(timeline, keyring) for timeline in repository.timelines()]
    return max([0, *backups, *(log.erasures for log in logs if log is not None)])


def read_list(repository: Repository, keyring: Keyring, *, known: int) -> ErasedList:
    """Return the list, of which `known` files must be there at least.

    Raises ErasuresLost where one is missing, KeyIsWrong, FileDamaged, FileTruncated.
    """
    files: list[Erasures] = []
    expected: str | None = None
    for number in range(max(known, *repository.erasures(), 0), 0, -1):  # To where it begins.
        path = repository.erasures_path(number)
        if not path.exists():
            raise ErasuresLost(f"The list of erasures was cut off: {path} is missing. {_NEXT}")
        file = read_signed(Erasures, path, keyring)
        is_its = (file.cluster, file.number) == (repository.cluster, number)
        if not is_its or expected not in {None, _hash_of(path)}:
            raise ErasuresLost(f"{path} is not the file that the next one follows. {_NEXT}")
        files.insert(0, file)
        expected = file.previous
        if not file.previous:
            break
    else:
        if files:
            raise ErasuresLost(f"The list of erasures does not begin. {_NEXT}")
    persons = tuple(person for file in files for person in file.persons)
    if not files:
        return ErasedList()
    number = files[-1].number
    return ErasedList(persons, number, _hash_of(repository.erasures_path(number)))


async def note_erasures(
    server: BackedServer, repository: Repository, keyring: Keyring, *, known: int
) -> int:
    """Put on the list who was erased and is not on it; return of how many files it is.

    The database itself knows everybody who was erased, so what could not be noted is noted the
    next time. Raises BackupError, OSError.
    """
    erased = await _list_erased(server)
    listed = await asyncio.to_thread(read_list, repository, keyring, known=known)
    if not _new(erased, listed):
        return listed.files
    async with server.connected() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        listed = await asyncio.to_thread(read_list, repository, keyring, known=known)
        new = _new(erased, listed)
        if not new:  # Somebody else was faster.
            return listed.files
        file = Erasures(
            cluster=repository.cluster,
            number=listed.files + 1,
            previous=listed.last,
            persons=new,
        )
        path = repository.erasures_path(file.number)
        await asyncio.to_thread(write_whole, path, file.written(keyring))
        return file.number


async def begin_anew(
    server: BackedServer, repository: Repository, keyring: Keyring, *, known: int
) -> int:
    """Let the list begin anew with everybody whom the database knows; return how many they are.

    For one that is lost for good: what was in it and is not in the database is lost too.
    """
    erased = await _list_erased(server)
    async with server.connected() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        number = max(known, *repository.erasures(), 0) + 1
        file = Erasures(
            cluster=repository.cluster, number=number, previous="", persons=tuple(erased)
        )
        path = repository.erasures_path(number)
        await asyncio.to_thread(write_whole, path, file.written(keyring))
    return len(erased)


def _hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _new(erased: Sequence[ErasedPerson], listed: ErasedList) -> tuple[ErasedPerson, ...]:
    noted = {person.user_id for person in listed.persons}
    return tuple(person for person in erased if person.user_id not in noted)


async def _list_erased(server: BackedServer) -> list[ErasedPerson]:
    """Return who was erased; of a database that has no such function yet, nobody was."""
    async with server.connected(None) as connection:
        if await connection.fetchval("SELECT to_regprocedure('auth.list_erased()')") is None:
            return []
        rows = await connection.fetch("SELECT * FROM auth.list_erased()")
    return [ErasedPerson(**dict(row)) for row in rows]
