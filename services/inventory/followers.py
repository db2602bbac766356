"""Whose journals inventory follows: webhooks are told of what happens anywhere.

Of users it follows who may not have webhooks any more.
"""

from collections.abc import Sequence

from services.inventory.resources import InventoryOwn
from services.inventory.webhooks.service import FOLLOWED, collect, disable_of_lost_owners
from shared.journal.apply import Follower


def followers(_own: InventoryOwn) -> Sequence[Follower]:
    """Return whose journals are followed, inventory's own too: no write waits for a webhook."""
    users = Follower("auth", types=FOLLOWED, apply=disable_of_lost_owners, copy=collect)
    producers = ("inventory", "forecasting", "reporting")
    return (users, *(Follower(producer, copy=collect) for producer in producers))
