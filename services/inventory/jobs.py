from services.inventory.resources import InventoryResources
from shared.jobs import standing_work


async def work(resources: InventoryResources) -> None:
    """Run inventory's work outside requests for ever."""
    await standing_work(resources)
