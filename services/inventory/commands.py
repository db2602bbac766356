"""What an operator does with inventory alone: `python -m services.inventory verify-stock`."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from services.inventory.approvals import service as approvals
from services.inventory.freezes import service as freezes
from services.inventory.freezes.errors import AlreadyFrozen
from services.inventory.freezes.rules import FreezeScope
from services.inventory.freezes.schemas import FreezeCreate, FreezeQuery
from services.inventory.jobs import reseal_secrets
from services.inventory.resources import InventoryResources
from services.inventory.snapshot_taker import SnapshotTaker
from services.inventory.verification import service
from shared.clock import utc_now
from shared.db import Stamp
from shared.journal import verification
from shared.pagination import LIMIT_MAX
from shared.told import Told

ACTOR = "operator"


async def verify_stock(resources: InventoryResources) -> Told:
    """Recompute the stock of every tenant; a line for each difference."""
    chain = await verification.verify(
        resources.database, resources.signing_key, keeper=resources.keeper
    )
    differences: list[dict[str, Any]] = []
    movements = 0
    async with resources.database.engine.connect() as connection:
        tenants = await service.list_tenants(connection, resources.signing_key)
    for tenant_id in tenants:
        async with resources.database.transaction(Stamp(tenant_id, "operator")) as session:
            found = await service.verify(session, chain)
        movements += found.checked.movements
        differences += [
            {"tenant_id": str(tenant_id)} | difference.model_dump(mode="json")
            for difference in found.differences
        ]
    if chain.first_difference is not None:
        differences.append({"journal": chain.as_json()["first_difference"]})
    content = {"ok": not differences, "movements": movements, "entries": chain.entries}
    if differences:
        lines = [json.dumps(each) for each in differences]
        return Told("\n".join(lines), content | {"differences": differences}, is_bad=True)
    verified = f"Verified: {movements:,} ledger rows, and the journal's {chain.entries:,} entries."
    return Told(verified, content | {"differences": []})


async def rotate_keys(resources: InventoryResources) -> Told:
    """Seal the secrets of webhooks with INVENTORY_ENCRYPTION_KEY now."""
    resealed, unreadable = await reseal_secrets(resources)
    said = f"Sealed {resealed:,} secrets of webhooks with the present key."
    if unreadable:
        said = (
            f"{unreadable:,} secrets of webhooks are sealed by a key that is not known: name it in "
            "INVENTORY_ENCRYPTION_KEY_PREVIOUS, or give these webhooks another secret. The log "
            "names them."
        )
    content = {"ok": not unreadable, "resealed": resealed, "unreadable": unreadable}
    return Told(said, content, is_bad=bool(unreadable))


async def rebuild_snapshots(resources: InventoryResources) -> str:
    """Remove the sums by which the past is answered, of every tenant, and make them anew."""
    async with resources.database.engine.connect() as connection:
        tenants = await service.list_tenants(connection, resources.signing_key)
    taker = SnapshotTaker(resources.database.opener("operator"))
    for tenant_id in tenants:
        await taker.retake(tenant_id)
    return f"Made anew: the snapshots of {len(tenants):,} tenants."


async def freeze(resources: InventoryResources, words: Sequence[str]) -> str:
    """Freeze all stock of tenants: REASON TENANT_ID…; say as JSON of which. Raises SystemExit."""
    reason, tenants = _told("freeze REASON TENANT_ID…", words)
    try:
        wanted = FreezeCreate(scope=FreezeScope.EVERYTHING, reason=reason)
    except ValidationError as error:
        raise SystemExit(f"The reason: {error.errors()[0]['msg']}.") from error
    done, before = [], []
    for tenant_id in tenants:
        try:
            async with resources.database.transaction(Stamp(tenant_id, ACTOR)) as session:
                await freezes.freeze_by(ACTOR, session, wanted, now=utc_now())
        except AlreadyFrozen:
            before.append(str(tenant_id))
        else:
            done.append(str(tenant_id))
    return json.dumps({"frozen": done, "frozen_before": before})


async def lift(resources: InventoryResources, words: Sequence[str]) -> str:
    """Lift what `freeze` froze: NOTE TENANT_ID…; say as JSON of which. Raises SystemExit."""
    note, tenants = _told("lift NOTE TENANT_ID…", words)
    done, not_ours = [], []
    for tenant_id in tenants:
        async with resources.database.transaction(Stamp(tenant_id, ACTOR)) as session:
            page = await freezes.list_freezes(session, FreezeQuery(active=True, limit=LIMIT_MAX))
            of_all = [each for each in page.items if each.scope is FreezeScope.EVERYTHING]
            for each in of_all:
                if each.frozen_by == ACTOR:
                    await freezes.lift_by(ACTOR, session, each.id, note=note, now=utc_now())
                    done.append(str(tenant_id))
                else:
                    not_ours.append(str(tenant_id))
    return json.dumps({"lifted": done, "frozen_by_others": not_ours})


async def list_stock(resources: InventoryResources) -> str:
    """Return as JSON what lies of each item at each location, of every tenant."""
    async with resources.database.engine.connect() as connection:
        tenants = await service.list_tenants(connection, resources.signing_key)
    found: dict[str, dict[str, str]] = {}
    for tenant_id in tenants:
        async with resources.database.transaction(Stamp(tenant_id, ACTOR)) as session:
            found[str(tenant_id)] = await service.list_stock(session)
    return json.dumps(found)


async def list_limits(resources: InventoryResources) -> str:
    """Return as JSON what each role may change alone, of every tenant."""
    async with resources.database.engine.connect() as connection:
        tenants = await service.list_tenants(connection, resources.signing_key)
    found = {}
    for tenant_id in tenants:
        async with resources.database.transaction(Stamp(tenant_id, ACTOR)) as session:
            limits = await approvals.get_limits(session, policy=resources.own.policy)
        found[str(tenant_id)] = limits.model_dump(mode="json")
    return json.dumps(found)


def _told(usage: str, words: Sequence[str]) -> tuple[str, list[UUID]]:
    """Return the reason and the tenants that are meant. Raises SystemExit."""
    try:
        reason, *tenants = words
        if tenants:
            return reason, [UUID(tenant) for tenant in tenants]
    except ValueError:
        pass
    raise SystemExit(f"usage: python -m services.inventory {usage}")


COMMANDS: Mapping[str, Callable[[InventoryResources], Awaitable[Told | str]]] = {
    "rotate-keys": rotate_keys,
    "verify-stock": verify_stock,
    "rebuild-snapshots": rebuild_snapshots,
    "stock": list_stock,
    "limits": list_limits,
}
COMMANDS_OF_WORDS: Mapping[str, Callable[[InventoryResources, Sequence[str]], Awaitable[str]]] = {
    "freeze": freeze,
    "lift": lift,
}
