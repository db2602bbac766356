"""Whose journals inventory follows: webhooks are told of what happens anywhere."""

from collections.abc import Sequence

from services.inventory.resources import InventoryOwn
from services.inventory.webhooks.service import collect
from shared.journal.apply import Follower


def followers(_own: InventoryOwn) -> Sequence[Follower]:
    """Return whose journals are followed, inventory's own too: no write waits for a webhook."""
    producers = ("auth", "inventory", "forecasting", "reporting")
    return tuple(Follower(producer, copy=collect) for producer in producers)
