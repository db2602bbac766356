"""Recording many movements in one call."""

from collections import Counter
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.errors import BulkRefused
from services.inventory.movements.metrics import count_movements
from services.inventory.movements.queries import Line, Outcome, apply
from services.inventory.movements.schemas import BulkCreate, MovementCreate
from services.inventory.movements.service.record import Request, line_of, refusal
from shared import journal
from shared.db import driver_connection
from shared.money import plain
from shared.security.sealing import Sealer


async def record_bulk(
    session: AsyncSession, sealer: Sealer, wanted: BulkCreate, request: Request, language: str
) -> dict[str, Any]:
    """Apply the lines in order, in the session's transaction, and say what became of each.

    The answer is JSON-ready, in the shape of BulkRead. Raises BulkRefused, with the results, when
    the mode is atomic and any line cannot be applied; MovementInFuture and PriceForbidden for the
    whole call.
    """
    lines = [line_of(movement, request, sealer) for movement in wanted.lines]
    connection: asyncpg.Connection = await driver_connection(session)
    atomic = wanted.mode == "atomic"
    outcomes = await apply(connection, lines, request.now, atomic=atomic)
    results = [
        _result(number, movement, line, outcome, language)
        for number, (movement, line, outcome) in enumerate(
            zip(wanted.lines, lines, outcomes, strict=True)
        )
    ]
    counted = Counter((m.kind, o.status) for m, o in zip(wanted.lines, outcomes, strict=True))
    for (kind, status), number in counted.items():
        count_movements(kind, status, number)
    refused = [result for result in results if result["status"] != "applied"]
    if atomic and refused:
        told = [result for result in refused if result["status"] == "refused"]
        raise BulkRefused(refused=len(told), results=told)
    applied = len(results) - len(refused)
    if applied:
        journal.mark_grown(session)
    return {"applied": applied, "refused": len(refused), "results": results}


def _result(
    number: int, movement: MovementCreate, line: Line, outcome: Outcome, language: str
) -> dict[str, Any]:
    """Return what became of a line, in the shape of LineResult."""
    result: dict[str, Any] = {
        "line": number, "status": outcome.status, "id": None, "balance_after": None, "code": None,
        "message": None, "available": None,
    }  # fmt: skip
    if outcome.status == "applied":
        result["id"] = line.id
        result["balance_after"] = None if outcome.balance is None else plain(outcome.balance)
    elif outcome.status == "held_back":
        result["status"] = "not_applied"
    else:
        problem = refusal(movement, outcome)
        result |= {"status": "refused", "code": problem.code}
        result["message"] = problem.detail_in(language)
        if outcome.status == "refused" and outcome.available is not None:
            result["available"] = plain(outcome.available)
    return result
