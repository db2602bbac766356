"""Movements that wait for approval: how they are kept, and what is done once it is given."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.approvals.rules import ApprovalKind
from services.inventory.approvals.service import Approved, Asked
from services.inventory.ledger.rules import (
    Change,
    Kind,
    MovementReason,
    Outcome,
    Reference,
    lot_name,
)
from shared.money import plain
from shared.security.sealing import Sealer


def asked_movements(outcomes: Sequence[Outcome], *, number: int = 0) -> Asked:
    """Return what is asked: these changes, each at the time at which it was judged.

    So what moves meanwhile does not move what was counted, and nothing is dated later than it
    happened. Asked again they are the same, at the time that was said, if one was.
    """
    changes = [_content_of(outcome) for outcome in outcomes]
    same = [
        content | {"id": None, "occurred_at": None if at is None else at.isoformat()}
        for content, at in zip(changes, (it.change.occurred_at for it in outcomes), strict=True)
    ]
    return Asked(
        ApprovalKind.MOVEMENTS, {"changes": changes}, outcomes,
        same={"changes": same}, number=number,
    )  # fmt: skip


async def apply_approved_movements(
    session: AsyncSession, sealer: Sealer, approved: Approved
) -> list[UUID]:
    """Record the movements that were asked for. Raises what `approvals.apply_approved` raises."""
    changes = [_change_of(content, approved) for content in approved.content["changes"]]
    await approvals.apply_approved(session, sealer, approved, changes)
    return [change.id for change in changes]


def _content_of(outcome: Outcome) -> dict[str, Any]:
    change, unit = outcome.change, outcome.given_unit
    if outcome.occurred_at is None:
        raise AssertionError("what was granted has a time")
    return {
        "id": str(change.id),
        "kind": change.kind.value,
        "item_id": str(outcome.spot.item_id),
        "location_id": str(outcome.spot.place_id),
        "quantity": None if change.quantity is None else plain(change.quantity),
        "counted": None if change.counted is None else plain(change.counted),
        "unit": None if unit is None else unit.unit,
        "lot": None if change.lot is None else change.lot.text,
        "serials": None if change.serials is None else [each.text for each in change.serials],
        "is_told_by_serials": change.is_told_by_serials,
        "reason_code": None if change.reason_code is None else change.reason_code.value,
        "reason": change.reason,
        "reference": change.reference,
        "occurred_at": outcome.occurred_at.isoformat(),
    }


def _change_of(content: Mapping[str, Any], approved: Approved) -> Change:
    quantity, counted, code = content["quantity"], content["counted"], content["reason_code"]
    serials = content["serials"]
    item_id, location_id = content["item_id"], content["location_id"]
    return Change(
        id=UUID(content["id"]),
        kind=Kind(content["kind"]),
        item=Reference(UUID(item_id), None, item_id),
        place=Reference(UUID(location_id), None, location_id),
        actor=approved.requested_by,
        request_id=approved.request_id,
        quantity=None if quantity is None else Decimal(quantity),
        counted=None if counted is None else Decimal(counted),
        occurred_at=datetime.fromisoformat(content["occurred_at"]),
        reason_code=None if code is None else MovementReason(code),
        reason=content["reason"],
        reference=content["reference"],
        places=approved.places,
        unit=content["unit"],
        lot=None if content["lot"] is None else lot_name(content["lot"]),
        serials=None if serials is None else tuple(map(lot_name, serials)),
        is_told_by_serials=content["is_told_by_serials"],
    )
