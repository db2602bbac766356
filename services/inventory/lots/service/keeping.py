"""Lots of items: which there are, where they lie, and until when they last."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.freezes import service as freezes
from services.inventory.items.service import get_item, lock_item
from services.inventory.ledger.errors import LotNotFound
from services.inventory.ledger.rules import TRACKS_LOTS
from services.inventory.locations.service import places_of
from services.inventory.lots import queries
from services.inventory.lots.schemas import (
    LotPage,
    LotQuery,
    LotRead,
    LotStockRead,
    LotUpdate,
)
from shared import journal
from shared.contracts.inventory.lots import LotSaved
from shared.etag import require_match
from shared.pagination import Keyset
from shared.principal import Principal

FIRST_OUT = Keyset("first_out", str, datetime, UUID)


async def change_lot(
    session: AsyncSession,
    item_id: UUID,
    lot_id: UUID,
    wanted: LotUpdate,
    if_match: str | None,
    *,
    now: datetime,
) -> LotRead:
    """Correct the expiry of a lot. No movement of its item is under way meanwhile.

    Raises ItemNotFound, LotNotFound, PreconditionFailed, Frozen.
    """
    await freezes.require_thawed(session, alone=True)
    item = await lock_item(session, item_id, against_movements=True)
    lot = await queries.lock_lot(session, item_id, lot_id)
    if lot is None or item.tracking != TRACKS_LOTS:
        raise LotNotFound(item=item.code, lot=str(lot_id))
    require_match(if_match, lot.version)
    if "expires_on" in wanted.model_fields_set:
        before, lot.expires_on = lot.expires_on, wanted.expires_on
        lot.version += 1
        journal.record(
            session,
            LotSaved(
                lot_id=lot.id,
                item_id=item.id,
                lot=lot.code,
                expires_on=lot.expires_on,
                expires_on_before=before,
            ),
        )
    stock = await queries.list_stock(session, item_id, [lot_id], places=None)
    return to_read({**lot.__dict__, "lot": lot.code}, stock, now)


async def list_lots(
    session: AsyncSession, item_id: UUID, wanted: LotQuery, *, caller: Principal, now: datetime
) -> LotPage:
    """Return one page of an item's lots, in the order in which they go out.

    Who is limited to some locations is told of those lots that were ever there. Raises
    ItemNotFound, InvalidCursor.
    """
    places = await places_of(session, caller)
    await get_item(session, item_id)
    rows = await queries.list_lots(
        session,
        item_id,
        in_stock=wanted.in_stock,
        after=FIRST_OUT.after(wanted.cursor),
        places=places,
        limit=wanted.limit + 1,
    )
    page, next_cursor = FIRST_OUT.page(
        rows, wanted.limit, lambda row: (row["day"], row["received_at"], row["id"])
    )
    stock: dict[UUID, list[RowMapping]] = defaultdict(list)
    for row in await queries.list_stock(session, item_id, [r["id"] for r in page], places=places):
        stock[row["lot_id"]].append(row)
    return LotPage(
        items=[to_read(dict(row), stock[row["id"]], now) for row in page], next_cursor=next_cursor
    )


def to_read(row: dict[str, object], stock: Sequence[RowMapping], now: datetime) -> LotRead:
    """Return a lot, with what lies of it at the locations given."""
    at = [LotStockRead.model_validate(dict(each)) for each in stock]
    expires_on, today = row["expires_on"], now.astimezone(UTC).date()
    return LotRead.model_validate(
        {name: row[name] for name in ("id", "item_id", "lot", "received_at", "version")}
        | {
            "expires_on": expires_on,
            "expired": expires_on is not None and expires_on < today,  # type: ignore[operator]  # a date.
            "on_hand": sum((each.on_hand for each in at), Decimal(0)),
            "stock": at,
        }
    )
