from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.journal import DifferenceKind
from shared.pagination import PageQuery
from shared.schemas import Moment, Output, Page, QueryModel, ShortText

ServiceName = Literal["auth", "inventory", "forecasting", "reporting"]


class AuditEntryRead(Output):
    """One entry of a service's journal: what happened, to what, when and by whom."""

    service: str = Field(examples=["inventory"])
    seq: int = Field(description="Its number in that service's journal.")
    id: UUID
    recorded_at: datetime
    actor: str = Field(examples=["user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"])
    request_id: str
    type: str = Field(examples=["inventory.stock-moved.v1"])
    subject: str = Field(examples=["item:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d002"])
    data: dict[str, Any] = Field(
        description="As journaled; sensitive values are sealed.",
        examples=[{"kind": "receipt", "quantity": "144"}],
    )


class AuditQuery(PageQuery):
    """Which entries to list."""

    service: ServiceName | None = Field(default=None, description="From this journal only.")
    type: ShortText | None = Field(
        default=None, description="Of this type only, as `inventory.stock-moved.v1`."
    )
    subject: ShortText | None = Field(
        default=None, description="About this only: its kind and id, as entries show it."
    )
    actor: ShortText | None = Field(
        default=None, description="By this user or service only, as entries show it."
    )
    request_id: ShortText | None = Field(
        default=None, description="Of this request only: the `X-Request-ID` of its answer."
    )
    from_time: Moment | None = Field(
        default=None, alias="from", description="Recorded then or later."
    )
    to_time: Moment | None = Field(default=None, alias="to", description="Recorded before.")
    q: ShortText | None = Field(
        default=None, description="Any text of the entry; give `from` with it on long trails."
    )

    def filters(self) -> dict[str, Any]:
        """Return the filters that were given, by their names here."""
        return self.model_dump(exclude=set(PageQuery.model_fields), exclude_none=True)


class AuditVerificationQuery(QueryModel):
    """How much to verify."""

    full: bool = Field(
        default=True,
        description="false: only what was sealed since the last verification by a worker; the "
        "trail is not compared with the journals.",
    )
    archives: bool = Field(
        default=False,
        description="true: entries that retention moved into archives are read there too. Else the "
        "signed manifest of each archive is taken for what is in it, and `archives` says so.",
    )


class AuditPage(Page[AuditEntryRead]):
    """Entries, newest first."""


class JournalDifferenceRead(Output):
    """The first place where a journal is not what was sealed."""

    kind: DifferenceKind
    checkpoint: int
    seq: int | None
    entry_id: UUID | None
    archive: str | None = Field(
        description="The month in whose archive it is, as 2019-03.", examples=[None]
    )


class ArchiveVerificationRead(Output):
    """How a month that left the journal was proved."""

    month: date = Field(description="Its first day.", examples=["2019-03-01"])
    entries: int
    state: Literal["read", "signed", "missing", "unreadable"] = Field(
        description="read: every line of the archive is as sealed. signed: taken from its signed "
        "manifest, unread. missing: it is not in the folder. unreadable: it does not open.",
        examples=["signed"],
    )
    reason: str | None = Field(description="Why it was not read.", examples=[None])


class JournalVerificationRead(Output):
    """Whether one journal is what its signed checkpoints say; null where it did not answer."""

    status: Literal["verified", "broken", "unreachable"]
    checkpoints: int | None
    entries: int | None = Field(
        description="Entries that checkpoints cover and that are as sealed."
    )
    head: str | None = Field(
        description="Digest of the last checkpoint, to be kept outside.",
        examples=["200e59a8b54b954745815d0faf6f06a6b8ccbecd44b6fd13ce94b77eac17364a"],
    )
    first_difference: JournalDifferenceRead | None = Field(examples=[None])
    note: str | None = Field(
        description="The last checkpoint as a signed note (C2SP tlog-checkpoint), to be kept "
        "outside: `checkpoint check` proves later that the journal goes on from it.",
        examples=[None],
    )
    archives: list[ArchiveVerificationRead] = Field(description="Months that left the journal.")


class CopyDifferenceRead(Output):
    """The first entry whose copy in the audit trail is not what its journal says."""

    kind: Literal["changed", "removed", "inserted"]
    seq: int
    entry_id: UUID | None


class CopyVerificationRead(Output):
    """Whether the audit trail, as people read it, is what one journal says."""

    status: Literal["verified", "broken", "unreachable", "skipped"]
    entries: int | None = Field(description="Entries of the journal that were compared.")
    first_difference: CopyDifferenceRead | None = Field(examples=[None])


class AuditVerificationRead(Output):
    """Whether any journal was changed, service by service, and the trail made of them."""

    ok: bool = Field(
        description="Every service answered, every journal is as sealed, and the trail is a true "
        "copy of them."
    )
    services: dict[ServiceName, JournalVerificationRead]
    trail: dict[ServiceName, CopyVerificationRead] = Field(
        description="The copy of each journal that the audit trail is made of; skipped unless "
        "`full`."
    )
