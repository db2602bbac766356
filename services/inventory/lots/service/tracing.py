"""Where a lot came from and where it went, through the kits that it went into or came out of."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import LotNotFound
from services.inventory.ledger.rules import (
    TRACKS_LOTS,
    TRACKS_SERIALS,
    Kind,
    MovementReason,
    item_reference,
    lot_name,
)
from services.inventory.ledger.service import LedgerRow, MovementFilter
from services.inventory.locations.service import places_of
from services.inventory.lots import queries
from services.inventory.lots.rules import Kin, next_kin
from services.inventory.lots.schemas import LotKinRead, TracePage, TraceQuery, TraceRead
from services.inventory.openings.service import find_kept_from
from shared.pagination import Keyset
from shared.principal import Places, Principal

NEWEST = Keyset("newest", int)
KIN_MAX = 100  # Told of one row.
_ASSEMBLES = frozenset({Kind.ASSEMBLY, Kind.DISASSEMBLY})


async def trace_lot(
    session: AsyncSession, lot: str, wanted: TraceQuery, *, caller: Principal
) -> TracePage:
    """Return one page of all that moved a lot, newest first.

    That is of what it became and of what it was made of too, unless asked otherwise. Raises
    LotNotFound, InvalidCursor.
    """
    places = await places_of(session, caller)
    after = NEWEST.after(wanted.cursor)
    item = item_reference(wanted.item) if wanted.item else None
    found = await queries.find_lots(session, lot_name(lot), item, places=places)
    if not found:
        raise LotNotFound(item=wanted.item, lot=lot)
    generations = {kin.lot_id: 0 for kin in found}
    if wanted.through_kits:
        for forward in (True, False):
            if wanted.way != ("in" if forward else "out"):
                for lot_id, steps in (await _follow(session, found, forward, places)).items():
                    generations.setdefault(lot_id, steps)
    rows = await ledger.list_movements(
        session,
        MovementFilter(lot_ids=generations, way=wanted.way, places=places),
        before_seq=after[0] if after else None,
        limit=wanted.limit + 1,
    )
    page, next_cursor = NEWEST.page(rows, wanted.limit, lambda row: (row.seq,))
    assembled = await _list_assembled(session, page)
    return TracePage(
        items=[_trace(row, generations[row.lot_id], assembled) for row in page],
        next_cursor=next_cursor,
        kept_from=await find_kept_from(session),
    )


async def _follow(
    session: AsyncSession,
    found: Collection[Kin],
    forward: bool,  # noqa: FBT001 - the way it goes.
    places: Places,
) -> dict[UUID, int]:
    """Return the lots that these became, or else were made of, and by how many steps."""
    seen, edge, generations = set(found), set(found), dict[UUID, int]()
    steps = 0
    while edge:
        steps += 1 if forward else -1
        links = await queries.list_links(
            session, {kin.lot_id for kin in edge}, forward=forward, places=places
        )
        edge = {each for kin in edge for each in next_kin(kin, links.get(kin.lot_id, ()))} - seen
        seen |= edge
        for kin in edge:
            generations.setdefault(kin.lot_id, steps)
    return generations


async def _list_assembled(
    session: AsyncSession, rows: Sequence[LedgerRow]
) -> dict[UUID, list[RowMapping]]:
    """Return all that left and came by the assemblies that these rows belong to."""
    wanted = {row.part_of for row in rows if row.part_of and row.kind in _ASSEMBLES}
    assembled: dict[UUID, list[RowMapping]] = defaultdict(list)
    if wanted:
        for each in await queries.list_assembled(session, wanted, limit_each=KIN_MAX):
            assembled[each["part_of"]].append(each)
    return assembled


def _trace(row: LedgerRow, generation: int, assembled: dict[UUID, list[RowMapping]]) -> TraceRead:
    way = None if not row.quantity else "in" if row.quantity > 0 else "out"
    others = assembled.get(row.part_of, []) if row.part_of and row.kind in _ASSEMBLES else []
    opposite = [_to_kin(each) for each in others if each["quantity"] * row.quantity < 0]
    return TraceRead(
        movement_id=row.id,
        way=way,
        kind=Kind(row.kind),
        item=row.item,
        item_id=row.item_id,
        lot=row.lot if row.tracking == TRACKS_LOTS else None,
        serial=row.lot if row.tracking == TRACKS_SERIALS else None,
        generation=generation,
        location=row.location,
        other_location=row.counterlocation,
        quantity=abs(row.quantity),
        reason_code=None if row.reason_code is None else MovementReason(row.reason_code),
        reason=row.reason,
        reference=row.reference,
        actor=row.actor,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        reverses=row.reverses,
        reversed_by=row.reversed_by,
        part_of=row.part_of,
        became=opposite if way == "out" else [],
        made_of=opposite if way == "in" else [],
    )


def _to_kin(row: RowMapping) -> LotKinRead:
    return LotKinRead(
        item=row["item"],
        item_id=row["item_id"],
        lot=row["code"] if row["tracking"] == TRACKS_LOTS else None,
        serial=row["code"] if row["tracking"] == TRACKS_SERIALS else None,
        quantity=abs(row["quantity"]),
    )
