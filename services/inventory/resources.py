"""What inventory's routes need beside what every service's routes have."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Request

from services.inventory.movements.service.batching import Batcher, apply_group
from services.inventory.settings import Settings
from shared.security.sealing import Sealer
from shared.web.requests import get_resources
from shared.web.resources import Resources


@dataclass(slots=True)
class InventoryResources:
    """Inventory's own: the group committer and the sealer of costs and prices."""

    batcher: Batcher
    prices: Sealer

    @classmethod
    def of(cls, resources: Resources, settings: Settings) -> "InventoryResources":
        return cls(
            Batcher(partial(apply_group, resources.database)),
            Sealer(settings.price_encryption_key, settings.price_encryption_key_previous),
        )


async def get_price_sealer(request: Request) -> Sealer:
    own: InventoryResources = get_resources(request).own
    return own.prices


PriceSealer = Annotated[Sealer, Depends(get_price_sealer)]
