"""A worker that a test can kill: `python -m … SETTINGS`, inventory's settings as JSON.

It sends what is due of all tenants, for ever.
"""

import asyncio
import json
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.resources import open_service
from services.inventory.settings import Settings
from services.inventory.webhook_sender import WebhookSender
from shared.db import Stamp


async def main(settings: Settings) -> None:
    resources = open_service(settings)

    def open_for(tenant_id: UUID | None) -> AbstractAsyncContextManager[AsyncSession]:
        return resources.database.transaction(Stamp(tenant_id, "worker"))

    await WebhookSender(open_for, resources.own.outgoing, resources.own.secrets).run()


if __name__ == "__main__":
    asyncio.run(main(Settings(**json.loads(Path(sys.argv[1]).read_text()))))
