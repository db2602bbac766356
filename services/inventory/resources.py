"""What a process of inventory holds open."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Request

from services.inventory.ledger.service import Batcher, apply_group
from services.inventory.settings import Settings
from shared.resources import Resources, open_resources
from shared.security.sealing import Sealer
from shared.web.requests import get_resources


@dataclass(slots=True)
class InventoryOwn:
    """What inventory has beside what every service has."""

    batcher: Batcher
    prices: Sealer


InventoryResources = Resources[InventoryOwn]


def open_service(settings: Settings) -> InventoryResources:
    """Return inventory's connections and keys; nothing connects before it is used."""
    resources = open_resources(
        "inventory",
        settings,
        client_secret=settings.inventory_client_secret,
        hot_connections=settings.hot_connections,
        answer_keys=(settings.inventory_encryption_key, settings.inventory_encryption_key_previous),
    )
    return resources.having(
        InventoryOwn(
            Batcher(
                partial(apply_group, resources.database),
                partial(resources.waker.wake, resources.service),
            ),
            Sealer(
                settings.price_encryption_key.get_secret_value(),
                settings.price_encryption_key_previous.get_secret_value(),
            ),
        )
    )


def resources_of(request: Request) -> InventoryResources:
    return get_resources(request)


async def get_price_sealer(request: Request) -> Sealer:
    return resources_of(request).own.prices


PriceSealer = Annotated[Sealer, Depends(get_price_sealer)]
