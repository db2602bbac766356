"""Changing stock inside a request's transaction."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.metrics import count_movements, count_stockouts
from services.inventory.ledger.rules import Change, Outcome
from services.inventory.ledger.service.recording import apply_changes, foresee_changes
from shared import journal
from shared.db import driver_connection


async def apply(
    session: AsyncSession, changes: Sequence[Change], *, atomic: bool = False
) -> list[Outcome]:
    """Apply the changes in their order, in the session's transaction, and return their outcomes.

    What the session has not flushed yet is not seen. An atomic call applies all or none. The
    changes carry no Idempotency-Keys of their own: the request has one. A dry run counts nowhere.
    """
    connection = await driver_connection(session)
    results = await apply_changes(connection, changes, atomic=atomic)
    outcomes = [result for result in results if isinstance(result, Outcome)]
    if journal.stamp_of(session).is_trial:
        return outcomes
    counted = Counter((outcome.change.kind, outcome.refusal) for outcome in outcomes)
    for (kind, refusal), number in counted.items():
        count_movements(kind, refusal, number)
    for outcome in outcomes:
        count_stockouts(outcome)
    if any(outcome.refusal is None for outcome in outcomes):
        journal.mark_grown(session)
    return outcomes


async def foresee(
    session: AsyncSession, changes: Sequence[Change], *, atomic: bool = False
) -> list[Outcome]:
    """Return what `apply` would return, with all that the changes touch under lock.

    Nothing is written, so who weighs the outcomes may still apply all of the changes, some or none.
    """
    return await foresee_changes(await driver_connection(session), changes, atomic=atomic)
