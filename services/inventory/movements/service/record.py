"""Recording one movement."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from services.inventory.errors import (
    InsufficientStock,
    MovementInFuture,
    PriceForbidden,
)
from services.inventory.items.errors import ItemNotFound, ItemRetired
from services.inventory.locations.errors import LocationNotFound
from services.inventory.movements.metrics import count_movements
from services.inventory.movements.queries import LedgerRow, Line, Outcome, find_movement
from services.inventory.movements.rules import CLOCK_TOLERANCE, Kind, signed_change
from services.inventory.movements.schemas import MovementCreate, MovementRead
from services.inventory.movements.service.batching import Batcher
from shared.contracts.inventory.prices import UNIT_AMOUNT_COLUMN
from shared.db import Database
from shared.errors import IdempotencyKeyReused, Problem
from shared.ids import new_id
from shared.principal import Principal
from shared.security.sealing import Sealer, place

SET_PRICES = "price:write"
_UUID_LENGTH = 36


@dataclass(frozen=True)
class Request:
    """Who asks, from where, when, and under which Idempotency-Key."""

    caller: Principal
    request_id: str
    now: datetime
    key: str | None = None
    fingerprint: bytes | None = None

    @cached_property
    def actor(self) -> str:
        return self.caller.actor


async def record_movement(
    batcher: Batcher, database: Database, sealer: Sealer, wanted: MovementCreate, request: Request
) -> MovementRead:
    """Apply one movement and return it as the ledger holds it.

    The same key and body return the same movement again. Raises ItemNotFound, ItemRetired,
    LocationNotFound, InsufficientStock, MovementInFuture, PriceForbidden, IdempotencyKeyReused,
    IdempotencyInProgress.
    """
    line = line_of(wanted, request, sealer)
    outcome = await batcher.submit(request.caller.tenant_id, line)
    if outcome.status == "kept":
        return await _find_kept(database, sealer, outcome, request)
    count_movements(wanted.kind, outcome.status)
    if outcome.status != "applied":
        raise refusal(wanted, outcome)
    return _read_applied(wanted, line, outcome, request, sealer)


def line_of(wanted: MovementCreate, request: Request, sealer: Sealer) -> Line:
    """Return the line to apply. Raises MovementInFuture, PriceForbidden."""
    occurred_at = wanted.occurred_at
    if occurred_at is not None and occurred_at > request.now + CLOCK_TOLERANCE:
        raise MovementInFuture
    cost_id = amount = None
    if wanted.unit_cost is not None:
        if not request.caller.may(SET_PRICES):
            raise PriceForbidden
        cost_id = new_id()
        where = place(UNIT_AMOUNT_COLUMN, request.caller.tenant_id, cost_id)
        amount = sealer.seal_amount(wanted.unit_cost, where)
    item_id = _uuid_of(wanted.item)
    change = signed_change(wanted.kind, wanted.quantity, wanted.direction)
    return Line(
        id=new_id(),
        kind=wanted.kind.value,
        item_code=None if item_id else wanted.item,
        item_id=item_id,
        location=wanted.location,
        to_location=wanted.to_location,
        change=change,
        cost_id=cost_id,
        amount=amount,
        reason=wanted.reason,
        reference=wanted.reference,
        occurred_at=occurred_at or request.now,
        actor=request.actor,
        request_id=request.request_id,
        key=request.key,
        fingerprint=request.fingerprint,
        counted=wanted.quantity if change is None else None,
    )


def refusal(wanted: MovementCreate, outcome: Outcome) -> Problem:
    """Return the problem that tells why a movement was not applied."""
    match outcome.status:
        case "unknown_item":
            return ItemNotFound(item=wanted.item)
        case "retired_item":
            return ItemRetired(item=wanted.item)
        case "unknown_location":
            return LocationNotFound(location=wanted.location)
        case "unknown_to_location":
            return LocationNotFound(location=wanted.to_location or "")
        case _:
            return InsufficientStock(
                item=outcome.code or wanted.item,
                location=wanted.location,
                available=outcome.available or Decimal(0),
                requested=wanted.quantity,
            )


def read_row(row: LedgerRow, caller: Principal, sealer: Sealer) -> MovementRead:
    """Return a ledger row as callers see it, the cost only for those who may see prices."""
    return MovementRead(
        id=row.id,
        kind=Kind(row.kind),
        item=row.item,
        item_id=row.item_id,
        location=row.location,
        to_location=row.counterlocation,
        quantity=abs(row.quantity),
        change=row.quantity,
        balance_after=row.balance_after,
        unit_cost=_open_cost(row.cost_sealed, row.cost_id, caller, sealer),
        reason=row.reason,
        reference=row.reference,
        actor=row.actor,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
    )


async def _find_kept(
    database: Database, sealer: Sealer, outcome: Outcome, request: Request
) -> MovementRead:
    if outcome.kept_fingerprint != request.fingerprint or outcome.kept_movement is None:
        raise IdempotencyKeyReused
    async with database.hot(request.caller.tenant_id) as connection:
        row = await find_movement(connection, outcome.kept_movement)
    if row is None:
        raise LookupError("a kept key names a movement that the ledger does not hold")
    return read_row(row, request.caller, sealer)


def _read_applied(
    wanted: MovementCreate, line: Line, outcome: Outcome, request: Request, sealer: Sealer
) -> MovementRead:
    change = outcome.change or Decimal(0)
    return MovementRead.model_validate(
        {
            "id": line.id,
            "kind": wanted.kind,
            "item": outcome.code,
            "item_id": outcome.item_id,
            "location": wanted.location,
            "to_location": wanted.to_location,
            "quantity": abs(change),
            "change": change,
            "balance_after": outcome.balance,
            "unit_cost": _open_cost(outcome.cost_sealed, outcome.cost_id, request.caller, sealer)
            if line.amount is None
            else wanted.unit_cost,
            "reason": line.reason,
            "reference": line.reference,
            "actor": line.actor,
            "occurred_at": line.occurred_at,
            "recorded_at": outcome.recorded_at,
        }
    )


def _open_cost(
    sealed: bytes | None, cost_id: UUID | None, caller: Principal, sealer: Sealer
) -> Decimal | None:
    if sealed is None or cost_id is None or not caller.may(SET_PRICES):
        return None
    return sealer.open_amount(sealed, place(UNIT_AMOUNT_COLUMN, caller.tenant_id, cost_id))


def _uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == _UUID_LENGTH else None
    except ValueError:
        return None
