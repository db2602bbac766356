"""Transfers as callers see them: those that touch their locations, the other end not told."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.locations.service import places_of
from services.inventory.transfers import queries
from services.inventory.transfers.errors import (
    TransferCalledOff,
    TransferNotFound,
    TransferReceivedAlready,
)
from services.inventory.transfers.models import Transfer
from services.inventory.transfers.rules import TransferState
from services.inventory.transfers.schemas import TransferPage, TransferQuery, TransferRead
from shared.pagination import Keyset
from shared.principal import Places, Principal

_NEWEST = Keyset("newest", UUID)


async def get_transfer(
    session: AsyncSession, transfer_id: UUID, *, caller: Principal
) -> TransferRead:
    """Return the transfer. Raises TransferNotFound."""
    return await read(session, transfer_id, await places_of(session, caller))


async def list_transfers(
    session: AsyncSession, wanted: TransferQuery, *, caller: Principal
) -> TransferPage:
    """Return one page of transfers, newest first. Raises InvalidCursor."""
    after = _NEWEST.after(wanted.cursor)
    places = await places_of(session, caller)
    rows = await queries.list_transfers(
        session,
        state=None if wanted.state is None else wanted.state.value,
        before_id=after[0] if after else None,
        places=places,
        limit=wanted.limit + 1,
    )
    page, next_cursor = _NEWEST.page(rows, wanted.limit, lambda row: (row["id"],))
    return TransferPage(items=[to_read(row, places) for row in page], next_cursor=next_cursor)


async def read(session: AsyncSession, transfer_id: UUID, places: Places) -> TransferRead:
    rows = await queries.list_transfers(session, only=transfer_id, places=places)
    if not rows:
        raise TransferNotFound
    return to_read(rows[0], places)


async def lock_known(session: AsyncSession, transfer_id: UUID, places: Places) -> Transfer:
    """Return the transfer under lock, if it touches one of the places. Raises TransferNotFound."""
    transfer = await queries.lock_transfer(session, transfer_id)
    ends = () if transfer is None else (transfer.from_id, transfer.to_id)
    if transfer is None or not any(is_known(end, places) for end in ends):
        raise TransferNotFound
    return transfer


def require_under_way(transfer: Transfer) -> None:
    """Raise TransferCalledOff or TransferReceivedAlready if nothing is in transit any more."""
    if transfer.returned is not None:
        raise TransferCalledOff
    if transfer.received is not None:
        raise TransferReceivedAlready


def is_known(location_id: UUID, places: Places) -> bool:
    """Say whether a location is one of the places."""
    return places is None or location_id in places


def to_read(row: RowMapping, places: Places) -> TransferRead:
    """Return the transfer as it is shown to somebody who knows of these places."""
    received: Decimal | None = row["received"]
    ends = (("location", "from_id"), ("to_location", "to_id"), ("via", "via_id"))
    told = {
        "state": _state_of(row),
        "arrived": row["arrived"] + row["added"],
        "in_transit": row["quantity"] - row["arrived"] if received is None else Decimal(0),
        "difference": None
        if received is None
        else received + (row["returned"] or Decimal(0)) - row["quantity"],
        "given": None,
    }
    if row["given_unit"] is not None:
        told["given"] = {"quantity": row["given_quantity"], "unit": row["given_unit"]}
    for name, location_id in ends:
        told[name] = row[name] if is_known(row[location_id], places) else None
    return TransferRead.model_validate({**row, **told})


def _state_of(row: RowMapping) -> TransferState:
    if row["received"] is None:
        return TransferState.IN_TRANSIT
    return TransferState.RECEIVED if row["returned"] is None else TransferState.CANCELLED
