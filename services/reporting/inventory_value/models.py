"""A position as the database holds it: quantities plain, what they cost sealed."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from services.reporting.inventory_value.rules import Position
from shared.security.sealing import Sealer, place

AMOUNT_COLUMN = "reporting.item_values.amount"  # The place that sealed values are bound to.
_UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class SealedPosition:
    """A row of `item_values`; `amount` seals value and unit cost, parted by a space."""

    held: Decimal
    owed: Decimal
    amount: bytes

    @classmethod
    def of(
        cls, position: Position, sealer: Sealer, tenant_id: UUID, item_id: UUID
    ) -> "SealedPosition":
        unit_cost = _UNKNOWN if position.unit_cost is None else f"{position.unit_cost:f}"
        amount = f"{position.value:f} {unit_cost}".encode()
        where = place(AMOUNT_COLUMN, tenant_id, item_id)
        return cls(position.held, position.owed, sealer.seal(amount, where))

    def opened(self, sealer: Sealer, tenant_id: UUID, item_id: UUID) -> Position:
        """Return the position. Raises SealBroken."""
        amount = sealer.open(self.amount, place(AMOUNT_COLUMN, tenant_id, item_id))
        value, _, unit_cost = amount.decode().partition(" ")
        return Position(
            self.held,
            self.owed,
            Decimal(value),
            None if unit_cost == _UNKNOWN else Decimal(unit_cost),
        )
