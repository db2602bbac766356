from shared.jobs import standing_work
from shared.web.resources import Resources


async def work(resources: Resources) -> None:
    """Run inventory's work outside requests for ever."""
    await standing_work(resources)
