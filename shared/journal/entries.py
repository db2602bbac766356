from datetime import date, datetime
from typing import Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Entry(BaseModel):
    """Something that happened, in the past tense: what a service promises to write when it does.

    `name` ends in its version. Fields may be added freely; to rename or remove one, a `.v2`
    stands beside the `.v1`. Sensitive values are sealed before they get here.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)

    name: ClassVar[str]
    subject_of: ClassVar[tuple[str, str]]  # What it happens to: ("item", "item_id").

    @classmethod
    def of(cls, row: object) -> Self:
        """Return the entry that mirrors a row, whose attributes have the names of its fields."""
        return cls.model_validate(row)

    @property
    def subject(self) -> str:
        """Return what it happened to, as `kind:id`."""
        kind, field = self.subject_of
        return f"{kind}:{getattr(self, field)}"


class AccessDenied(Entry):
    """Somebody who is signed in asked for what he may not: each service has one of its own name.

    `needed` is the scope that was lacking, or `fresh proof`. Of equal refusals one a minute is
    written; `unwritten` says how many there were since the one before.
    """

    subject_of: ClassVar[tuple[str, str]] = ("route", "route")
    route: str  # As "POST /api/inventory/movements".
    needed: str
    unwritten: int


class JournalEntry(BaseModel):
    """An entry as the feed gives it to followers."""

    model_config = ConfigDict(frozen=True)

    xid: int
    seq: int
    id: UUID
    tenant_id: UUID
    recorded_at: datetime
    actor: str
    request_id: str
    type: str
    subject: str
    data: dict[str, Any]


DifferenceKind = Literal[
    "changed",
    "removed",
    "inserted",
    "future",  # An entry of a transaction that the database has not come to yet.
    "replaced",  # What is called the journal is not the table that it was.
    "checkpoint_forged",
    "checkpoint_missing",
    "archive_forged",  # The manifest of an archived month is not signed with the journal's key.
    "archive_damaged",  # An archive is there and does not open, or is another one.
]


class JournalDifference(BaseModel):
    """The first place where a journal is not what was sealed."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    kind: DifferenceKind
    checkpoint: int
    seq: int | None
    entry_id: UUID | None
    archive: str | None = None  # The month in whose archive it is, as 2019-03.


class ArchiveVerification(BaseModel):
    """How a verification came by the leaves of a month that is in an archive."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    month: date
    entries: int
    state: Literal["read", "signed", "missing", "unreadable"]
    reason: str | None


class JournalVerification(BaseModel):
    """What a service answers that was asked to prove its journal."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    ok: bool
    checkpoints: int
    entries: int  # That checkpoints cover and that are as sealed.
    head: str  # Digest of the last checkpoint.
    first_difference: JournalDifference | None
    note: str | None = None  # The last checkpoint as a signed note, to be kept outside.
    archives: tuple[ArchiveVerification, ...] = ()


class ArchivedNumbers(BaseModel):
    """Numbers of entries that are in archives, of some checkpoints."""

    model_config = ConfigDict(frozen=True)

    seqs: list[int]
    next: int | None  # The checkpoint after which there may be more.


class JournalDigests(BaseModel):
    """Some entries of a journal by their digests, oldest first, to compare copies with."""

    model_config = ConfigDict(frozen=True)

    xids: list[int]
    seqs: list[int]
    digest: str | None  # Of all of them; null where there are none.
    digests: list[str]  # Of each, in hex, where they were asked for.


class JournalPage(BaseModel):
    """What the feed answers: entries after a cursor, oldest first."""

    model_config = ConfigDict(frozen=True)

    entries: list[JournalEntry]
    head_seq: int  # The newest number given out; its entry may not be committed yet.
