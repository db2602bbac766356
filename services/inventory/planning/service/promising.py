"""What may be promised of an item, from now on, by what lies there and what is on its way."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items.service import get_item
from services.inventory.locations.models import Location
from services.inventory.locations.service import get_named_location, list_within, places_of
from services.inventory.planning import queries
from services.inventory.planning.rules import Supply, end_of, steps_of
from services.inventory.planning.schemas import (
    ExpectedReceipt,
    HoldEnding,
    ItemPromise,
    PlacePromise,
    PromiseQuery,
    PromiseStep,
)
from shared.principal import Places, Principal

RECEIPTS_MAX = 1000
HOLDS_MAX = 200
_NOTHING = Decimal(0)


async def get_promise(
    session: AsyncSession,
    item_id: UUID,
    wanted: PromiseQuery,
    *,
    caller: Principal,
    now: datetime,
) -> ItemPromise:
    """Return what may be promised of an item, in all or at a location with what lies in it.

    Raises ItemNotFound, LocationNotFound.
    """
    item = await get_item(session, item_id)
    location, places = await _scope(session, wanted, caller)
    lying = await queries.list_supply(session, item_id, places=places)
    coming = await queries.list_expected(
        session, item_id, until=wanted.until, places=places, most=RECEIPTS_MAX + 1
    )
    holds = await queries.list_holds_ending(
        session, item_id, until=wanted.until, places=places, most=HOLDS_MAX
    )
    known = coming[:RECEIPTS_MAX]
    dated = [row for row in known if _is_to_come(row, now)]
    on_hand = sum((row["on_hand"] for row in lying), _NOTHING)
    reserved = sum((row["reserved"] for row in lying), _NOTHING)
    return ItemPromise(
        item_id=item.id,
        code=item.code,
        unit=item.unit,
        location=location.name if location else None,
        location_id=location.id if location else None,
        now=now,
        until=wanted.until,
        on_hand=on_hand,
        reserved=reserved,
        available=sum((row["available"] for row in lying), _NOTHING),
        timeline=_steps(lying, dated, wanted, now),
        expected=[_receipt(row) for row in dated],
        unscheduled=[_receipt(row) for row in known if not _is_to_come(row, now)],
        complete=len(coming) <= RECEIPTS_MAX,
        holds=[HoldEnding.model_validate(row) for row in holds],
        locations=_by_place(lying, dated, wanted, now),
    )


async def _scope(
    session: AsyncSession, wanted: PromiseQuery, caller: Principal
) -> tuple[Location | None, Places]:
    places = await places_of(session, caller)
    if wanted.location is None:
        return None, places
    location = await get_named_location(session, wanted.location, places=places)
    return location, await list_within(session, location.id)


def _is_to_come(row: RowMapping, now: datetime) -> bool:
    """Say whether it is known when it comes: a time that has passed says no more than none."""
    return row["expected_at"] is not None and row["expected_at"] > now


def _by_place(
    lying: Sequence[RowMapping], coming: Sequence[RowMapping], wanted: PromiseQuery, now: datetime
) -> list[PlacePromise]:
    """Return the same location by location, each without what lies in it, by their names."""
    rows: dict[tuple[str, UUID], tuple[list[RowMapping], list[RowMapping]]]
    rows = defaultdict(lambda: ([], []))
    for number, part in enumerate((lying, coming)):
        for row in part:
            if number or not row["is_transit"]:
                rows[row["location"], row["location_id"]][number].append(row)
    return [
        PlacePromise(
            location=name,
            location_id=location_id,
            available=sum((row["on_hand"] - row["reserved"] for row in here), _NOTHING),
            timeline=_steps(here, to_come, wanted, now),
        )
        for (name, location_id), (here, to_come) in sorted(rows.items())
    ]


def _steps(
    lying: Iterable[RowMapping], coming: Iterable[RowMapping], wanted: PromiseQuery, now: datetime
) -> list[PromiseStep]:
    supplies = [
        Supply(row["on_hand"] - row["reserved"], now, end_of(row["expires_on"])) for row in lying
    ]
    supplies += [
        Supply(row["quantity"], row["expected_at"], end_of(row["expires_on"])) for row in coming
    ]
    return [PromiseStep.model_validate(step) for step in steps_of(supplies, now, wanted.until)]


def _receipt(row: RowMapping) -> ExpectedReceipt:
    return ExpectedReceipt.model_validate({**row, "source": "transfer"})
