"""Where inventory is put together."""

from pathlib import Path

from fastapi import FastAPI

from services.inventory.approvals import routes as approvals
from services.inventory.categories import routes as categories
from services.inventory.counts import routes as counts
from services.inventory.freezes import routes as freezes
from services.inventory.items import routes as items
from services.inventory.items.errors import ItemIdNeeded
from services.inventory.kits import routes as kits
from services.inventory.locations import routes as locations
from services.inventory.lots import routes as lots
from services.inventory.movements import routes as movements
from services.inventory.periods import routes as periods
from services.inventory.planning import routes as planning
from services.inventory.reservations import routes as reservations
from services.inventory.resources import InventoryResources, open_service
from services.inventory.scan import routes as scan
from services.inventory.serials import routes as serials
from services.inventory.settings import Settings
from services.inventory.stock import routes as stock
from services.inventory.transfers import routes as transfers
from services.inventory.verification import routes as verification
from services.inventory.webhooks import routes as webhooks
from shared.contracts.inventory.access import InventoryDenied
from shared.web import build_app


def create_app(settings: Settings | None) -> FastAPI:
    """Return inventory's web app; without settings it can only describe itself."""
    return build_app(
        package=Path(__file__).parent,
        title="Inventory",
        description="Items, locations, stock, and the ledger of every movement.",
        tags={
            "items": "What is kept in stock: add, find, change and retire it.",
            "stock": "What lies where, now or at a past moment.",
            "movements": "The ledger: what changes stock, and what has changed it.",
            "approvals": "What is worth more than one person may change alone.",
            "reservations": "Stock that is promised: held, then issued or released.",
            "kits": "Items that are made of others: assembled, and taken apart.",
            "lots": "Units that came together: their expiry, where they came from and went.",
            "serials": "Units with a number of their own: where each lies, and its history.",
            "counts": "Physical counts of stock: opened, entered, reviewed and posted once.",
            "freezes": "Stops of all changes: of everything, of a location or of an item.",
            "periods": "Days that are closed: nothing is recorded in them any more.",
            "transfers": "Stock on its way between locations: dispatched, then received.",
            "locations": "Warehouses, zones and bins.",
            "categories": "The tree of kinds of items.",
            "webhooks": "Addresses that are told of what happens, and what was sent to them.",
            "verification": "The proof that stock, ledger and journal agree.",
        },
        settings=settings,
        open_service=open_service,
        denied=InventoryDenied,
        routers=(
            movements.router,
            approvals.router,
            reservations.router,
            counts.router,
            verification.router,
            stock.router,
            scan.router,
            items.router,
            planning.router,
            lots.router,
            serials.router,
            kits.router,
            locations.router,
            categories.router,
            freezes.router,
            periods.router,
            transfers.router,
            webhooks.router,
        ),
        dry_runs=True,
        ids={"item_id": ItemIdNeeded},
        on_stop=(_finish_groups,),
    )


async def _finish_groups(resources: InventoryResources) -> None:
    await resources.own.batcher.drain()
    await resources.own.reserver.drain()
