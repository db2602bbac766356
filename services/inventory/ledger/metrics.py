"""What operators see of movements."""

from prometheus_client import Counter

from services.inventory.ledger.rules import Kind, Refusal

movements = Counter("inventory_movements_total", "Movements asked for.", ["kind", "status"])
counts = Counter("inventory_counts_total", "Count corrections applied.")
stockouts = Counter("inventory_stockouts_total", "Movements refused for lack of stock.")

_SHORT = {Refusal.NOT_ENOUGH, Refusal.NOT_ENOUGH_THEN}

for _kind in Kind:
    for _status in ("applied", "refused"):
        movements.labels(_kind.value, _status)


def count_movements(kind: Kind, refusal: Refusal | None, number: int = 1) -> None:
    """Count movements of one kind by what became of them."""
    movements.labels(kind.value, "refused" if refusal else "applied").inc(number)
    if refusal is None and kind is Kind.COUNT_CORRECTION:
        counts.inc(number)
    if refusal in _SHORT:
        stockouts.inc(number)
