"""Where inventory is put together."""

from pathlib import Path

from fastapi import FastAPI

from services.inventory.items import routes as items
from services.inventory.locations import routes as locations
from services.inventory.movements import routes as movements
from services.inventory.resources import InventoryResources
from services.inventory.settings import Settings
from services.inventory.stock import routes as stock
from services.inventory.verification import routes as verification
from shared.web import build_app
from shared.web.resources import Resources, open_resources


def open_service(settings: Settings) -> Resources:
    """Return inventory's connections and keys; nothing connects before it is used."""
    resources = open_resources(
        "inventory",
        settings,
        client_secret=settings.inventory_client_secret,
        hot_connections=settings.hot_connections,
    )
    resources.own = InventoryResources.of(resources, settings)
    return resources


def create_app(settings: Settings | None) -> FastAPI:
    """Return inventory's web app; without settings it can only describe itself."""
    return build_app(
        package=Path(__file__).parent,
        title="Inventory",
        description="Items, locations, stock, and the ledger of every movement.",
        resources=lambda: open_service(settings or Settings.load()),
        routers=(
            # Fixed paths before those with an id in the same place.
            movements.router,
            verification.router,
            stock.router,
            items.router,
            locations.router,
        ),
        on_stop=(_finish_movements,),
    )


async def _finish_movements(resources: Resources) -> None:
    own: InventoryResources = resources.own
    await own.batcher.drain()
