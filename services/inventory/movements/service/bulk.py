"""Recording many movements in one call."""

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.errors import BulkRefused
from services.inventory.movements.metrics import count_movement
from services.inventory.movements.queries import Outcome, apply
from services.inventory.movements.schemas import BulkCreate, BulkRead, LineResult, MovementCreate
from services.inventory.movements.service.record import Request, line_of, refusal
from shared.db import driver_connection
from shared.security.sealing import Sealer


async def record_bulk(
    session: AsyncSession, sealer: Sealer, wanted: BulkCreate, request: Request, language: str
) -> BulkRead:
    """Apply the lines in order, in the session's transaction, and say what became of each.

    Raises BulkRefused, with the results, when the mode is atomic and any line cannot be applied;
    MovementInFuture and PriceForbidden for the whole call.
    """
    lines = [line_of(movement, request, sealer) for movement in wanted.lines]
    connection: asyncpg.Connection = await driver_connection(session)
    atomic = wanted.mode == "atomic"
    outcomes = await apply(connection, lines, request.now, atomic=atomic)
    results = [
        LineResult.model_construct(
            line=number,
            status="applied",
            id=line.id,
            balance_after=outcome.balance,
            code=None,
            message=None,
            available=None,
        )
        if outcome.status == "applied"
        else _refused(number, movement, outcome, language)
        for number, (movement, line, outcome) in enumerate(
            zip(wanted.lines, lines, outcomes, strict=True)
        )
    ]
    applied = sum(outcome.status == "applied" for outcome in outcomes)
    for movement, outcome in zip(wanted.lines, outcomes, strict=True):
        count_movement(movement.kind, outcome.status)
    if atomic and applied < len(results):
        refused = [result for result in results if result.status == "refused"]
        raise BulkRefused(
            refused=len(refused), results=[result.model_dump(mode="json") for result in refused]
        )
    session.info["journaled"] = applied > 0
    return BulkRead.model_construct(
        applied=applied, refused=len(results) - applied, results=results
    )


def _refused(number: int, movement: MovementCreate, outcome: Outcome, language: str) -> LineResult:
    if outcome.status == "held_back":
        return LineResult(
            line=number, status="not_applied", id=None, balance_after=None, code=None,
            message=None, available=None,
        )  # fmt: skip
    problem = refusal(movement, outcome)
    return LineResult(
        line=number,
        status="refused",
        id=None,
        balance_after=None,
        code=problem.code,
        message=problem.detail_in(language),
        available=outcome.available if outcome.status == "refused" else None,
    )
