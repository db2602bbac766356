"""What is told with a refusal: looked up for what was refused alone, in its transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

import asyncpg

from services.inventory.freezes.service import find_notices
from services.inventory.ledger import queries
from services.inventory.ledger.rules import Elsewhere, NextReceipt, Outcome
from shared.principal import Places

ELSEWHERE_MAX = 5


async def explained(connection: asyncpg.Connection, outcomes: list[Outcome]) -> list[Outcome]:
    """Return the outcomes, told of freezes that refuse them and of where else there is stock."""
    frozen = {outcome.frozen_by for outcome in outcomes if outcome.frozen_by is not None}
    short = [outcome for outcome in outcomes if outcome.is_short and outcome.counted is None]
    if not frozen and not short:
        return outcomes
    notices = await find_notices(connection, frozen) if frozen else {}
    found = await _list_elsewhere(connection, short)
    coming = await list_next_receipts(connection, _wanted(short))
    return [
        outcome._replace(notice=notices[outcome.frozen_by])
        if outcome.frozen_by is not None
        else outcome._replace(
            elsewhere=_told(outcome, found), next_receipt=_find_next(outcome, coming)
        )
        if outcome.is_short
        else outcome
        for outcome in outcomes
    ]


async def list_next_receipts(
    connection: asyncpg.Connection, wanted: Mapping[Places, Collection[UUID]]
) -> dict[tuple[UUID, Places], list[NextReceipt]]:
    """Return what comes next of items, by item and the places that somebody may know of."""
    found: dict[tuple[UUID, Places], list[NextReceipt]] = {}
    for places, item_ids in wanted.items():
        rows = await queries.list_next_receipts(connection, item_ids, places=places)
        found |= {(item_id, places): each for item_id, each in rows.items()}
    return found


def _wanted(short: Iterable[Outcome]) -> dict[Places, set[UUID]]:
    """Return the items that there was too little of, by what each caller may know."""
    wanted: dict[Places, set[UUID]] = defaultdict(set)
    for outcome in short:
        if outcome.spot.item_id is not None:
            wanted[outcome.change.places].add(outcome.spot.item_id)
    return wanted


async def _list_elsewhere(
    connection: asyncpg.Connection, short: Iterable[Outcome]
) -> dict[tuple[UUID, Places], list[Elsewhere]]:
    """Return where the items lie that there was too little of."""
    found: dict[tuple[UUID, Places], list[Elsewhere]] = {}
    for places, item_ids in _wanted(short).items():
        rows = await queries.list_elsewhere(
            connection, item_ids, places=places, most=ELSEWHERE_MAX + 2
        )  # With both ends of a transfer, which are left out.
        found |= {(item_id, places): each for item_id, each in rows.items()}
    return found


def _find_next(
    outcome: Outcome, coming: dict[tuple[UUID, Places], list[NextReceipt]]
) -> NextReceipt | None:
    """Return what comes next where there was too little, or else anywhere."""
    if outcome.spot.item_id is None:
        return None
    rows = coming.get((outcome.spot.item_id, outcome.change.places), [])
    there = [row for row in rows if row.location_id == outcome.spot.place_id]
    return next(iter(there or rows), None)


def _told(
    outcome: Outcome, found: dict[tuple[UUID, Places], list[Elsewhere]]
) -> tuple[Elsewhere, ...]:
    spot, counterspot = outcome.spot, outcome.counterspot
    if spot.item_id is None:
        return ()
    own = {spot.place_id, counterspot.place_id if counterspot is not None else None}
    rows = found.get((spot.item_id, outcome.change.places), [])
    return tuple(row for row in rows if row.location_id not in own)[:ELSEWHERE_MAX]
