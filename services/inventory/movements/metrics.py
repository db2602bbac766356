"""What operators see of movements."""

from prometheus_client import Counter

from services.inventory.movements.rules import Kind

movements = Counter("inventory_movements_total", "Movements asked for.", ["kind", "status"])
counts = Counter("inventory_counts_total", "Count corrections applied.")
stockouts = Counter("inventory_stockouts_total", "Movements refused for lack of stock.")

for _kind in Kind:
    for _status in ("applied", "refused"):
        movements.labels(_kind.value, _status)


def count_movements(kind: Kind, status: str, number: int = 1) -> None:
    """Count movements of one kind by what became of them."""
    applied = status == "applied"
    movements.labels(kind.value, "applied" if applied else "refused").inc(number)
    if applied and kind is Kind.COUNT_CORRECTION:
        counts.inc(number)
    if status == "refused":
        stockouts.inc(number)
