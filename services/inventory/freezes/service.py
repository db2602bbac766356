"""Freezing and lifting, and what is asked of freezes by whoever changes something."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.freezes import queries
from services.inventory.freezes.errors import (
    AlreadyFrozen,
    FreezeNotFound,
    Frozen,
    NothingToFreeze,
)
from services.inventory.freezes.models import Freeze
from services.inventory.freezes.rules import FreezeScope, Notice
from services.inventory.freezes.schemas import FreezeCreate, FreezePage, FreezeQuery, FreezeRead
from shared import journal
from shared.contracts.inventory.freezes import FreezeLifted, StockFrozen
from shared.db import driver_connection
from shared.db.conflicts import conflicts
from shared.gtin import item_key
from shared.identifiers import find_id, identifier_key
from shared.ids import new_id
from shared.pagination import Keyset
from shared.principal import Places, Principal

_NEWEST = Keyset("newest", UUID)


async def add_freeze(
    session: AsyncSession, wanted: FreezeCreate, *, caller: Principal, now: datetime
) -> FreezeRead:
    """Freeze what is named, once no change of it is under way, and return the freeze.

    Raises NothingToFreeze, AlreadyFrozen.
    """
    return await freeze_by(caller.actor, session, wanted, now=now)


async def freeze_by(
    actor: str, session: AsyncSession, wanted: FreezeCreate, *, now: datetime
) -> FreezeRead:
    """Freeze as `add_freeze` does, for whoever it is, an operator too.

    Raises NothingToFreeze, AlreadyFrozen.
    """
    await queries.lock_freezes(session)
    freeze = Freeze(
        id=new_id(),
        scope=wanted.scope.value,
        item_id=await _find_item_id(session, wanted.item),
        location_id=await _find_location_id(session, wanted.location),
        reason=wanted.reason,
        frozen_at=now,
        frozen_by=actor,
    )
    session.add(freeze)
    with conflicts({"freezes_once": AlreadyFrozen()}):
        await session.flush()
    if freeze.item_id is not None:
        await queries.mark_item(session, freeze.item_id, freeze.id)
    else:
        await queries.hold_off_locations(session, freeze.location_id)
        await queries.mark_locations(session)
    journal.record(
        session,
        StockFrozen(
            freeze_id=freeze.id,
            scope=freeze.scope,
            item_id=freeze.item_id,
            location_id=freeze.location_id,
            reason=freeze.reason,
        ),
    )
    [made] = await _read(session, freeze.id)
    return made


async def lift_freeze(
    session: AsyncSession, freeze_id: UUID, *, note: str | None, caller: Principal, now: datetime
) -> None:
    """Lift a freeze that is in force. Raises FreezeNotFound."""
    await lift_by(caller.actor, session, freeze_id, note=note, now=now)


async def lift_by(
    actor: str, session: AsyncSession, freeze_id: UUID, *, note: str | None, now: datetime
) -> None:
    """Lift as `lift_freeze` does, for whoever it is. Raises FreezeNotFound."""
    await queries.lock_freezes(session)
    freeze = await queries.lock_freeze(session, freeze_id)
    if freeze is None:
        raise FreezeNotFound
    freeze.lifted_at = max(now, freeze.frozen_at)  # Clocks may be set back.
    freeze.lifted_by, freeze.note = actor, note
    await session.flush()  # What is covered is reckoned from the freezes in force.
    if freeze.item_id is not None:
        await queries.mark_item(session, freeze.item_id, None)
    else:
        await queries.mark_locations(session)
    journal.record(session, FreezeLifted(freeze_id=freeze.id, note=note))


async def list_freezes(session: AsyncSession, wanted: FreezeQuery) -> FreezePage:
    """Return one page of freezes, newest first. Raises InvalidCursor."""
    after = _NEWEST.after(wanted.cursor)
    rows = await queries.list_freezes(
        session,
        active=wanted.active,
        before_id=after[0] if after else None,
        limit=wanted.limit + 1,
    )
    page, next_cursor = _NEWEST.page(rows, wanted.limit, lambda row: (row[0].id,))
    return FreezePage(items=[to_read(*row) for row in page], next_cursor=next_cursor)


async def get_freeze(session: AsyncSession, freeze_id: UUID) -> FreezeRead:
    """Return a freeze, lifted or not. Raises FreezeNotFound."""
    found = await _read(session, freeze_id)
    if not found:
        raise FreezeNotFound
    return found[0]


async def require_thawed(session: AsyncSession, *, alone: bool = False) -> None:
    """Let no freeze be made until the transaction ends; for whoever changes master data.

    Alone, nothing else changes either: who waits for a row against movements would wait for ever
    where these never stop, since each holds it before the one ahead lets go; here all wait in turn.
    It comes before any lock of a row. Raises Frozen where everything is frozen.
    """
    await (queries.lock_freezes(session) if alone else queries.hold_freezes(session))
    freeze = await queries.find_of_everything(session)
    if freeze is not None:
        raise Frozen.by(Notice(FreezeScope(freeze.scope), freeze.reason, freeze.frozen_at))


async def require_not_frozen(
    session: AsyncSession, freeze_id: UUID | None, *, places: Places = None
) -> None:
    """Raise Frozen if a freeze covers the item or location whose mark this is.

    Of locations it tells who may know of these places alone.
    """
    if freeze_id is not None:
        notices = await find_notices(await driver_connection(session), [freeze_id])
        raise Frozen.by(notices[freeze_id], places)


async def cover_locations(session: AsyncSession) -> None:
    """Let locations that were added or moved be frozen by what covers them now."""
    if await queries.is_any_location_frozen(session):
        await queries.mark_locations(session)


async def find_notices(connection: asyncpg.Connection, ids: Collection[UUID]) -> dict[UUID, Notice]:
    """Return what is told of these freezes, by id."""
    return await queries.find_notices(connection, ids)


def to_read(freeze: Freeze, item: str | None, location: str | None) -> FreezeRead:
    """Return the freeze with the item's code and the location's name."""
    return FreezeRead(
        id=freeze.id,
        scope=FreezeScope(freeze.scope),
        item=item,
        item_id=freeze.item_id,
        location=location,
        location_id=freeze.location_id,
        reason=freeze.reason,
        frozen_at=freeze.frozen_at,
        frozen_by=freeze.frozen_by,
        lifted_at=freeze.lifted_at,
        lifted_by=freeze.lifted_by,
        note=freeze.note,
    )


async def _read(session: AsyncSession, freeze_id: UUID) -> list[FreezeRead]:
    """Return the freeze of this id, if there is one."""
    rows = await queries.list_freezes(session, active=None, before_id=None, limit=1, only=freeze_id)
    return [to_read(*row) for row in rows]


async def _find_item_id(session: AsyncSession, named: str | None) -> UUID | None:
    if named is None:
        return None
    given = find_id(named)
    found = await queries.find_item_id(session, given, None if given else item_key(named))
    if found is None:
        raise NothingToFreeze(target=named)
    return found


async def _find_location_id(session: AsyncSession, named: str | None) -> UUID | None:
    if named is None:
        return None
    given = find_id(named)
    key = None if given else identifier_key(named)
    found = await queries.find_location_id(session, given, key)
    if found is None:
        raise NothingToFreeze(target=named)
    return found
