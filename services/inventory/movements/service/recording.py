"""Recording single movements, and listing them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.approvals.rules import ApprovalPolicy
from services.inventory.approvals.schemas import ApprovalRead
from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import (
    REASON_CODES,
    TRACKS_LOTS,
    TRACKS_SERIALS,
    Change,
    Kind,
    MovementReason,
    Outcome,
    item_reference,
    lot_name,
    place_reference,
)
from services.inventory.ledger.service import Batcher, KeptAnswer, LedgerRow, MovementFilter
from services.inventory.locations.service import places_of
from services.inventory.movements.errors import MovementUnknown
from services.inventory.movements.schemas import (
    GivenRead,
    LotQuantityRead,
    MovementCreate,
    MovementPage,
    MovementQuery,
    MovementRead,
    MovementReasonRead,
    MovementReasonsRead,
    SingleMovementRead,
)
from services.inventory.movements.service.approving import asked_movements
from services.inventory.openings.errors import MovementsArchived
from services.inventory.openings.service import find_kept_from, require_kept_id
from services.inventory.prices import service as prices
from shared.db import Database
from shared.errors import (
    IdempotencyAnswerWithheld,
    IdempotencyInProgress,
    IdempotencyKeyReused,
)
from shared.i18n import LANGUAGES, N_, translate
from shared.ids import new_id
from shared.pagination import Keyset
from shared.principal import Places, Principal
from shared.security.sealing import Sealer

NEWEST = Keyset("newest", int)
LABELS = {
    MovementReason.DAMAGED: N_("Damaged"),
    MovementReason.EXPIRED: N_("Expired"),
    MovementReason.LOST: N_("Lost"),
    MovementReason.STOLEN: N_("Stolen"),
    MovementReason.SAMPLE: N_("Given away as a sample"),
    MovementReason.FOUND: N_("Found"),
    MovementReason.MISRECORDED: N_("Recorded wrongly before"),
    MovementReason.WRONG_ITEM: N_("Wrong item"),
    MovementReason.NOT_NEEDED: N_("Not needed"),
    MovementReason.TRANSFER_DIFFERENCE: N_("Difference in a transfer"),
    MovementReason.OTHER: N_("Other"),
}


@dataclass(frozen=True)
class Origin:
    """Who asks, by which request, and under which Idempotency-Key."""

    caller: Principal
    request_id: str
    key: str | None = None
    fingerprint: bytes | None = None
    places: Places = None  # That the caller may know of.
    language: str = LANGUAGES[0]  # In which he is told what waits.

    @cached_property
    def actor(self) -> str:
        return self.caller.actor


class Recorded(NamedTuple):
    """A movement, and whether it was recorded before, under the same key."""

    movement: MovementRead
    was_kept: bool


async def record_movement(
    batcher: Batcher[Change, Outcome | KeptAnswer],
    database: Database,
    sealer: Sealer,
    wanted: MovementCreate,
    *,
    origin: Origin,
) -> Recorded:
    """Apply one movement and return it as the ledger holds it.

    The same key and body return the same movement again. Raises what `ledger.problem_of` returns,
    PriceForbidden, IdempotencyKeyReused, IdempotencyInProgress, IdempotencyAnswerWithheld.
    """
    change = to_change(wanted, sealer, origin)
    outcome = await batcher.submit(origin.caller.tenant_id, change)
    if isinstance(outcome, KeptAnswer):
        if outcome.fingerprint is None:
            raise IdempotencyInProgress
        if outcome.fingerprint != origin.fingerprint or outcome.movement_id is None:
            raise IdempotencyKeyReused
        rows = await ledger.find_movement(
            database, origin.caller.tenant_id, outcome.movement_id, places=origin.places
        )
        if not rows:
            raise IdempotencyAnswerWithheld
        return Recorded(to_read(rows, sealer, caller=origin.caller), was_kept=True)
    if outcome.refusal is not None:
        raise ledger.problem_of(outcome)
    return Recorded(_applied(wanted, outcome), was_kept=False)


async def try_movement(
    session: AsyncSession, sealer: Sealer, wanted: MovementCreate, *, origin: Origin
) -> MovementRead:
    """Return the movement as it would be recorded, in a transaction that is rolled back.

    Raises what `ledger.problem_of` returns, PriceForbidden.
    """
    return await _record(session, wanted, to_change(wanted, sealer, origin))


async def record_weighed(
    session: AsyncSession,
    sealer: Sealer,
    wanted: MovementCreate,
    *,
    policy: ApprovalPolicy,
    origin: Origin,
    now: datetime,
) -> MovementRead | ApprovalRead:
    """Apply one movement whose value is limited, or open an approval of it.

    Raises what `ledger.problem_of` returns.
    """
    origin = replace(origin, places=await places_of(session, origin.caller))
    change = to_change(wanted, sealer, origin)
    outcomes = await ledger.foresee(session, [change])
    if outcomes[0].refusal is None:
        asked, caller = asked_movements(outcomes), origin.caller
        approval = await approvals.gate(
            session, sealer, asked, policy=policy, caller=caller, now=now
        )
        if approval is not None:
            return approvals.to_awaited(
                approval, sealer, caller=caller, now=now, language=origin.language
            )
    return await _record(session, wanted, change)


async def _record(session: AsyncSession, wanted: MovementCreate, change: Change) -> MovementRead:
    [outcome] = await ledger.apply(session, [change])
    if outcome.refusal is not None:
        raise ledger.problem_of(outcome)
    return _applied(wanted, outcome)


async def get_movement(
    session: AsyncSession, sealer: Sealer, movement_id: UUID, *, caller: Principal
) -> SingleMovementRead:
    """Return one movement, at the first location that it touches of those the caller may know of.

    Raises MovementUnknown, MovementsArchived.
    """
    places = await places_of(session, caller)
    rows = await ledger.find_movement_at(session, movement_id, places=places)
    if not rows:
        await require_kept_id(session, movement_id)
        raise MovementUnknown(movement=str(movement_id))
    told = to_read(rows, sealer, caller=caller)
    version = 1 if told.reversed_by is None else 2
    return SingleMovementRead(**dict(told), version=version)


async def list_movements(
    session: AsyncSession, sealer: Sealer, wanted: MovementQuery, *, caller: Principal
) -> MovementPage:
    """Return one page of ledger rows, newest first. Raises InvalidCursor, MovementsArchived."""
    after = NEWEST.after(wanted.cursor)
    kept_from = await find_kept_from(session)
    if kept_from is not None and wanted.to_time is not None and wanted.to_time <= kept_from:
        raise MovementsArchived(kept_from=kept_from)
    filters = MovementFilter(
        item=item_reference(wanted.item) if wanted.item else None,
        location=place_reference(wanted.location) if wanted.location else None,
        lot=lot_name(wanted.lot) if wanted.lot else None,
        kind=wanted.kind.value if wanted.kind else None,
        reference=wanted.reference,
        from_time=wanted.from_time,
        to_time=wanted.to_time,
        places=await places_of(session, caller),
    )
    rows = await ledger.list_movements(
        session, filters, before_seq=after[0] if after else None, limit=wanted.limit + 1
    )
    page, next_cursor = NEWEST.page(rows, wanted.limit, lambda row: (row.seq,))
    return MovementPage(
        items=[to_read([row], sealer, caller=caller) for row in page],
        next_cursor=next_cursor,
        kept_from=kept_from,
    )


def list_reason_codes(language: str) -> MovementReasonsRead:
    """Return all reason codes with their labels."""
    return MovementReasonsRead(
        items=[
            MovementReasonRead(
                code=code,
                label=translate(label, language),
                kinds=[kind for kind in Kind if code in REASON_CODES.get(kind, ())],
            )
            for code, label in LABELS.items()
        ]
    )


def to_change(wanted: MovementCreate, sealer: Sealer, origin: Origin) -> Change:
    """Return the change that a body asks for. Raises PriceForbidden."""
    cost_id = amount = None
    if wanted.unit_cost is not None:
        cost_id, amount = prices.seal(sealer, wanted.unit_cost, caller=origin.caller)
    return Change(
        id=new_id(),
        kind=wanted.kind,
        item=item_reference(wanted.item),
        place=place_reference(wanted.location),
        actor=origin.actor,
        request_id=origin.request_id,
        quantity=wanted.change,
        counted=wanted.number if wanted.kind is Kind.COUNT_CORRECTION else None,
        counterplace=None if wanted.to_location is None else place_reference(wanted.to_location),
        occurred_at=wanted.occurred_at,
        cost_id=cost_id,
        amount=amount,
        reason_code=wanted.reason_code,
        reason=wanted.reason,
        reference=wanted.reference,
        key=origin.key,
        fingerprint=origin.fingerprint,
        places=origin.places,
        unit=wanted.unit,
        lot=None if wanted.lot is None else lot_name(wanted.lot),
        expires_on=wanted.expires_on,
        serials=None if wanted.serials is None else tuple(map(lot_name, wanted.serials)),
        is_told_by_serials=wanted.quantity is None,
    )


def to_read(rows: Sequence[LedgerRow], sealer: Sealer, *, caller: Principal) -> MovementRead:
    """Return the ledger rows of a movement at one location as the caller sees them, as one.

    They differ by their lots. The cost is there only if he may see prices.
    """
    row, change = rows[0], sum((each.quantity for each in rows), Decimal(0))
    cost = prices.open_for(sealer, row.cost_id, row.cost_sealed, caller=caller)
    return MovementRead(
        id=row.id,
        kind=Kind(row.kind),
        item=row.item,
        item_id=row.item_id,
        location=row.location,
        to_location=row.counterlocation,
        quantity=abs(change),
        given=None
        if row.given_quantity is None or row.given_unit is None
        else GivenRead(quantity=row.given_quantity, unit=row.given_unit),
        change=change,
        balance_after=sum((each.balance_after for each in rows), Decimal(0)),
        lots=[
            LotQuantityRead(lot=each.lot, quantity=abs(each.quantity))
            for each in rows
            if each.tracking == TRACKS_LOTS
        ],
        serials=[
            each.lot
            for each in rows
            if each.tracking == TRACKS_SERIALS and each.lot is not None and each.quantity
        ],
        unit_cost=cost.amount,
        reverses=row.reverses,
        reversed_by=row.reversed_by,
        part_of=row.part_of,
        reason_code=None if row.reason_code is None else MovementReason(row.reason_code),
        reason=row.reason,
        reference=row.reference,
        actor=row.actor,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        backdated=row.backdated,
        unreadable=["unit_cost"] if cost.is_unreadable else [],
    )


def _applied(wanted: MovementCreate, outcome: Outcome) -> MovementRead:
    change, counterspot, unit = outcome.change, outcome.counterspot, outcome.given_unit
    given = None if unit is None else {"quantity": change.asked, "unit": unit.unit}
    return MovementRead.model_validate(
        {
            "id": change.id,
            "kind": change.kind,
            "item": outcome.spot.code,
            "item_id": outcome.spot.item_id,
            "location": outcome.spot.place,
            "to_location": None if counterspot is None else counterspot.place,
            "quantity": abs(outcome.quantity),
            "given": given,
            "change": outcome.quantity,
            "balance_after": outcome.balance,
            "lots": [
                {"lot": part.lot.code, "quantity": abs(part.quantity)}
                for part in outcome.parts
                if part.lot is not None and outcome.spot.has_lots
            ],
            "serials": [
                part.lot.code
                for part in outcome.parts
                if part.lot is not None and outcome.spot.has_serials and part.quantity
            ],
            "unit_cost": wanted.unit_cost,
            "reverses": None,
            "reversed_by": None,
            "part_of": None,
            "reason_code": change.reason_code,
            "reason": change.reason,
            "reference": change.reference,
            "actor": change.actor,
            "occurred_at": outcome.occurred_at,
            "recorded_at": outcome.recorded_at,
            "backdated": outcome.is_backdated,
        }
    )
