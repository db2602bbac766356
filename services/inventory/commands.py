"""What an operator does with inventory alone: `python -m services.inventory verify-stock`."""

import json
from collections.abc import Awaitable, Callable, Mapping

from services.inventory.jobs import reseal_secrets
from services.inventory.resources import InventoryResources
from services.inventory.snapshot_taker import SnapshotTaker
from services.inventory.verification import service
from shared.db import Stamp
from shared.journal import verification


async def verify_stock(resources: InventoryResources) -> str:
    """Recompute the stock of every tenant; a line for each difference. Raises SystemExit then."""
    chain = await verification.verify(
        resources.database, resources.signing_key, keeper=resources.keeper
    )
    lines: list[str] = []
    movements = 0
    async with resources.database.engine.connect() as connection:
        tenants = await service.list_tenants(connection, resources.signing_key)
    for tenant_id in tenants:
        async with resources.database.transaction(Stamp(tenant_id, "operator")) as session:
            found = await service.verify(session, chain)
        movements += found.checked.movements
        lines += [
            json.dumps({"tenant_id": str(tenant_id)} | difference.model_dump(mode="json"))
            for difference in found.differences
        ]
    if chain.first_difference is not None:
        lines.append(json.dumps({"journal": chain.as_json()["first_difference"]}))
    if lines:
        raise SystemExit("\n".join(lines))
    return f"Verified: {movements:,} ledger rows, and the journal's {chain.entries:,} entries."


async def rotate_keys(resources: InventoryResources) -> str:
    """Seal the secrets of webhooks with INVENTORY_ENCRYPTION_KEY now. Raises SystemExit."""
    resealed, unreadable = await reseal_secrets(resources)
    if unreadable:
        raise SystemExit(
            f"{unreadable:,} secrets of webhooks are sealed by a key that is not known: name it in "
            "INVENTORY_ENCRYPTION_KEY_PREVIOUS, or give these webhooks another secret. The log "
            "names them."
        )
    return f"Sealed {resealed:,} secrets of webhooks with the present key."


async def rebuild_snapshots(resources: InventoryResources) -> str:
    """Remove the sums by which the past is answered, of every tenant, and make them anew."""
    async with resources.database.engine.connect() as connection:
        tenants = await service.list_tenants(connection, resources.signing_key)
    taker = SnapshotTaker(resources.database.opener("operator"))
    for tenant_id in tenants:
        await taker.retake(tenant_id)
    return f"Made anew: the snapshots of {len(tenants):,} tenants."


COMMANDS: Mapping[str, Callable[[InventoryResources], Awaitable[str]]] = {
    "rotate-keys": rotate_keys,
    "verify-stock": verify_stock,
    "rebuild-snapshots": rebuild_snapshots,
}
