"""Approvals, the limits that they keep, and what counts towards these."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    String,
    Uuid,
    cast,
    column,
    exists,
    func,
    literal,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals.models import Approval, ApprovalLimits, ApprovalLine
from services.inventory.approvals.rules import ApprovalKind, ApprovalState
from services.inventory.ledger.rules import Reference
from shared.ids import new_id
from shared.principal import Places


@dataclass(frozen=True, slots=True)
class ApprovalFilter:
    """Which approvals to list, of those that belong to the places; None means any."""

    now: datetime
    state: ApprovalState | None = None
    item: Reference | None = None
    location: Reference | None = None
    requester_id: UUID | None = None
    places: Places = None


class NamedLine(NamedTuple):
    """A line, with what its item, location and lot or serial are called today."""

    line: ApprovalLine
    item: str
    tracking: str
    location: str
    lot: str | None


async def find_approval(session: AsyncSession, approval_id: UUID) -> Approval | None:
    return await session.get(Approval, approval_id)


async def lock_approval(session: AsyncSession, approval_id: UUID) -> Approval | None:
    """Return the approval as it is now; nobody else decides until the transaction ends."""
    query = select(Approval).where(Approval.id == approval_id).with_for_update()
    return await session.scalar(query, execution_options={"populate_existing": True})


async def lock_due(session: AsyncSession, now: datetime, *, most: int) -> Sequence[Approval]:
    """Return open approvals of the tenant whose time is over, but for those being decided."""
    due = Approval.state == ApprovalState.OPEN, Approval.expires_at <= now
    query = select(Approval).where(*due).limit(most).with_for_update(skip_locked=True)
    return (await session.scalars(query)).all()


async def lock_requester(session: AsyncSession, requester_id: UUID) -> None:
    """Let a person open one approval at a time; nothing is waited for behind it."""
    await session.execute(_LOCK_REQUESTER, {"requester_id": str(requester_id)})


async def find_same(
    session: AsyncSession, requester_id: UUID, asked_hash: bytes
) -> Approval | None:
    """Return the open approval of the same by the same person, if there is one."""
    return await session.scalar(
        select(Approval).where(
            Approval.state == ApprovalState.OPEN,
            Approval.requester_id == requester_id,
            Approval.asked_hash == asked_hash,
        )
    )


async def lock_of_subjects(
    session: AsyncSession,
    subject_ids: Collection[UUID],
    *,
    requester_id: UUID | None = None,
    except_id: UUID | None = None,
) -> Sequence[Approval]:
    """Return the open approvals that hang on these, but for those that somebody decides right now.

    He waits for what they hang on, and finds it changed.
    """
    query = select(Approval).where(
        Approval.state == ApprovalState.OPEN, Approval.subject_id.in_(subject_ids)
    )
    if requester_id is not None:
        query = query.where(Approval.requester_id == requester_id)
    if except_id is not None:
        query = query.where(Approval.id != except_id)
    query = query.order_by(Approval.id).with_for_update(skip_locked=True)
    return (await session.scalars(query, execution_options={"populate_existing": True})).all()


async def list_due_tenants(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    """Return the tenants in which some approval is open whose time is over."""
    return (await session.scalars(_DUE_TENANTS, {"now": now})).all()


async def list_approvals(
    session: AsyncSession, wanted: ApprovalFilter, *, before_id: UUID | None, limit: int
) -> Sequence[Approval]:
    """Return approvals that match every filter given, newest first."""
    query = select(Approval).order_by(Approval.id.desc()).limit(limit)
    is_open = Approval.state == ApprovalState.OPEN
    match wanted.state:
        case None:
            pass
        case ApprovalState.OPEN:
            query = query.where(is_open, Approval.expires_at > wanted.now)
        case ApprovalState.EXPIRED:
            over = is_open & (Approval.expires_at <= wanted.now)
            query = query.where(or_(Approval.state == wanted.state, over))
        case state:
            query = query.where(Approval.state == state)
    if wanted.item is not None:
        item_id = select(_IDENTIFIERS.c.item_id).where(_IDENTIFIERS.c.key == wanted.item.key)
        named = func.coalesce(literal(wanted.item.id, Uuid), item_id.scalar_subquery())
        query = query.where(exists().where(_OF_IT, ApprovalLine.item_id == named))
    if wanted.location is not None:
        place_id = select(_LOCATIONS.c.id).where(_LOCATIONS.c.name_key == wanted.location.key)
        named = func.coalesce(literal(wanted.location.id, Uuid), place_id.scalar_subquery())
        query = query.where(
            exists().where(_OF_IT, ApprovalLine.location_id == named)
            | _goes_to(_TRANSFERS.c.to_id == named)
        )
        if wanted.places is not None:  # Where it lies on its way he need not know.
            query = query.where(named.in_(wanted.places))
    if wanted.requester_id is not None:
        query = query.where(Approval.requester_id == wanted.requester_id)
    if wanted.places is not None:
        query = query.where(_belongs_to(wanted.places))
    if before_id is not None:
        query = query.where(Approval.id < before_id)
    return (await session.scalars(query)).all()


async def is_within(session: AsyncSession, approval_id: UUID, places: Collection[UUID]) -> bool:
    """Say whether an approval belongs to these places."""
    of_it = exists().where(Approval.id == approval_id, _belongs_to(places))
    return bool(await session.scalar(select(of_it)))


async def list_lines(session: AsyncSession, approval_id: UUID) -> Sequence[ApprovalLine]:
    """Return what an approval does to which levels, change by change."""
    query = (
        select(ApprovalLine)
        .where(ApprovalLine.approval_id == approval_id)
        .order_by(ApprovalLine.line, ApprovalLine.lot_id)
    )
    return (await session.scalars(query)).all()


async def list_named_lines(session: AsyncSession, approval_id: UUID) -> Sequence[NamedLine]:
    """Return the lines with the names of what they are about."""
    query = (
        select(ApprovalLine, _ITEMS.c.code, _ITEMS.c.tracking, _LOCATIONS.c.name, _LOTS.c.code)
        .join(_ITEMS, _ITEMS.c.id == ApprovalLine.item_id)
        .join(_LOCATIONS, _LOCATIONS.c.id == ApprovalLine.location_id)
        .outerjoin(_LOTS, _LOTS.c.id == ApprovalLine.lot_id)
        .where(ApprovalLine.approval_id == approval_id)
        .order_by(ApprovalLine.line, ApprovalLine.lot_id)
    )
    return [NamedLine(*row) for row in await session.execute(query)]


async def add(
    session: AsyncSession, approval: Approval, lines: Sequence[Mapping[str, Any]]
) -> None:
    """Add an approval with its lines."""
    session.add(approval)
    await session.flush()  # The lines refer to it, and are many: they go in one statement.
    if lines:
        columns = {name: [line[name] for line in lines] for name in _LINE_COLUMNS}
        await session.execute(_ADD_LINES, columns | {"approval_id": approval.id})


async def find_limits(session: AsyncSession) -> ApprovalLimits | None:
    return await session.get(ApprovalLimits, 1)


async def lock_limits(session: AsyncSession) -> ApprovalLimits | None:
    """Return the tenant's limits as they are now; nobody else sets them meanwhile."""
    await session.execute(_LOCK_LIMITS)
    return await session.get(ApprovalLimits, 1, populate_existing=True)


async def lock_uses(session: AsyncSession, person_id: UUID, buckets: Sequence[int]) -> None:
    """Let one change at a time be weighed of a person and an item, whichever keys of his ask.

    The items are named by their buckets, in order. Taken after all rows that he moves, and nothing
    is waited for behind it.
    """
    names = {"person_id": str(person_id), "buckets": list(buckets)}
    await session.execute(_LOCK_USES, names)


async def sum_uses(
    session: AsyncSession, person_id: UUID, item_ids: Collection[UUID], *, since: datetime
) -> dict[UUID, Decimal]:
    """Return what a person changed alone of the items since then, gains less losses."""
    names = {"person_id": person_id, "item_ids": list(item_ids), "since": since}
    rows = await session.execute(_SUM_USES, names)
    return {row.item_id: row.quantity for row in rows}


async def add_uses(
    session: AsyncSession, person_id: UUID, changed: Mapping[UUID, Decimal], *, now: datetime
) -> None:
    """Note what a person changes alone, by item."""
    await session.execute(
        _ADD_USES,
        {
            "ids": [new_id() for _ in changed],
            "person_id": person_id,
            "item_ids": list(changed),
            "quantities": list(changed.values()),
            "now": now,
        },
    )


async def forget_uses(session: AsyncSession, before: datetime) -> None:
    await session.execute(_FORGET_USES, {"before": before})


def _belongs_to(places: Collection[UUID]) -> ColumnElement[bool]:
    """Return whether all that an approval touches lies at the places.

    That of a transfer's last delivery belongs to where it goes, as receiving it does.
    """
    outside = exists().where(_OF_IT, ApprovalLine.location_id.not_in(places))
    is_receipt = Approval.kind == ApprovalKind.RECEIPT
    return _goes_to(_TRANSFERS.c.to_id.in_(places)) | ~is_receipt & ~outside


def _goes_to(is_wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether an approval is of a transfer's last delivery, to where is wanted."""
    transfer_id = cast(Approval.content["transfer_id"].astext, Uuid)
    to_it = exists().where(_TRANSFERS.c.id == transfer_id, is_wanted)
    return (Approval.kind == ApprovalKind.RECEIPT) & to_it


_OF_IT = ApprovalLine.approval_id == Approval.id
# Other features' tables, as far as a filter or a name needs them.
_IDENTIFIERS = table("identifiers", column("key", String), column("item_id", Uuid))
_ITEMS = table("items", column("id", Uuid), column("code", String), column("tracking", String))
_LOCATIONS = table(
    "locations", column("id", Uuid), column("name", String), column("name_key", String)
)
_TRANSFERS = table("transfers", column("id", Uuid), column("to_id", Uuid))
_LOTS = table("lots", column("id", Uuid), column("code", String))

_LINE_COLUMNS = {
    "line": "int",
    "item_id": "uuid",
    "location_id": "uuid",
    "lot_id": "uuid",
    "lot": "text",
    "quantity": "numeric",
    "on_hand": "numeric",
    "movement_kind": "text",
    "reason_code": "text",
    "reason": "text",
    "reference": "text",
    "occurred_at": "timestamptz",
}
_ADD_LINES = text(f"""
    INSERT INTO approval_lines (approval_id, {", ".join(_LINE_COLUMNS)})
    SELECT CAST(:approval_id AS uuid), sent.* FROM unnest({
    ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _LINE_COLUMNS.items())
}) AS sent""")  # noqa: S608 - made of our own names.
_DUE_TENANTS = text("SELECT tenant_id FROM tenants_with_due_approvals(:now)")
_LOCK_REQUESTER = text("""
    SELECT wait_lock(concat_ws(' ', current_setting('app.tenant'), 'approvals of',
                               CAST(:requester_id AS text)))""")
_LOCK_LIMITS = text("SELECT wait_lock(current_setting('app.tenant') || ' approval limits')")
_LOCK_USES = text("""
    SELECT wait_lock(concat_ws(' ', current_setting('app.tenant'), 'limits of',
                               CAST(:person_id AS text), bucket))
    FROM unnest(CAST(:buckets AS int[])) AS bucket""")
_SUM_USES = text("""
    SELECT item_id, sum(quantity) AS quantity FROM approval_limit_uses
    WHERE person_id = :person_id AND item_id = ANY(:item_ids) AND used_at > :since
    GROUP BY item_id""")
_ADD_USES = text("""
    INSERT INTO approval_limit_uses (id, person_id, item_id, quantity, used_at)
    SELECT id, :person_id, item_id, quantity, :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:item_ids AS uuid[]), CAST(:quantities AS numeric[]))
         AS sent(id, item_id, quantity)""")
_FORGET_USES = text("SELECT forget_limit_uses(:before)")
