"""What operators see of movements."""

from prometheus_client import Counter

from services.inventory.ledger.rules import Kind, Outcome, Refusal

movements = Counter("inventory_movements_total", "Movements asked for.", ["kind", "status"])
counts = Counter("inventory_counts_total", "Count corrections applied.")
stockouts = Counter(
    "inventory_stockouts_total", "Times that the stock of an item at a location ran out."
)

for _kind in Kind:
    for _status in ("applied", "refused"):
        movements.labels(_kind.value, _status)


def count_movements(kind: Kind, refusal: Refusal | None, number: int = 1) -> None:
    """Count movements of one kind by what became of them."""
    movements.labels(kind.value, "refused" if refusal else "applied").inc(number)
    if refusal is None and kind is Kind.COUNT_CORRECTION:
        counts.inc(number)


def count_stockouts(outcome: Outcome) -> None:
    """Count the places that a movement emptied of its item.

    Of an item with lots that is known where none was named: only then all of them were looked at;
    of one with serials never.
    """
    if outcome.spot.is_tracked:
        if outcome.is_emptied:
            stockouts.inc()
    elif outcome.refusal is None and outcome.quantity:
        is_here = outcome.quantity < 0
        taken_from = outcome.spot if is_here else outcome.counterspot
        left = outcome.balance if is_here else outcome.counterbalance
        if not left and taken_from is not None and not taken_from.is_transit:
            stockouts.inc()
