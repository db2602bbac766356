"""Legal holds as retention heeds them, whoever keeps them."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict

_ALL_KINDS_IN = "inventory"  # Whose journal tells of movements and prices too.


class ActiveHold(BaseModel):
    """What may not be removed; None: of every kind, from or to any day."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: UUID
    tenant_id: UUID
    kind: str | None
    first_day: date | None
    last_day: date | None


class ActiveHolds(BaseModel):
    """Every hold that is in force, of all tenants."""

    model_config = ConfigDict(frozen=True)

    holds: tuple[ActiveHold, ...]


def find_hold(
    holds: Iterable[ActiveHold],
    service: str,
    month: date,
    tenants: Collection[str],
    *,
    since: date | None = None,
) -> ActiveHold | None:
    """Return a hold that keeps a month of a service's journal with entries of these tenants.

    With `since` the month tells of what happened from that day on, as far as it was before it.
    """
    first = min(month, since or month)
    last = date(month.year + month.month // 12, month.month % 12 + 1, 1) - timedelta(days=1)
    for hold in holds:
        is_of_kind = hold.kind in {None, "transactions"} or service == _ALL_KINDS_IN
        is_in_time = (hold.first_day or first) <= last and (hold.last_day or last) >= first
        if is_of_kind and is_in_time and str(hold.tenant_id) in tenants:
            return hold
    return None
