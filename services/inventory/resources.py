"""What a process of inventory holds open."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import Depends, Request

from services.inventory.approvals.rules import ApprovalKind, ApprovalPolicy
from services.inventory.approvals.service import Executor
from services.inventory.counts import service as counts
from services.inventory.kits import service as kits
from services.inventory.ledger.rules import Change, Outcome
from services.inventory.ledger.service import Batcher, KeptAnswer, apply_group, note_movement
from services.inventory.ledger_keeper import LedgerKeeper
from services.inventory.movements import service as movements
from services.inventory.reservations import service as reservations
from services.inventory.settings import Settings
from services.inventory.state import tell_state
from services.inventory.transfers import service as transfers
from services.inventory.verification.rules import PROVING_TYPES
from services.inventory.webhooks.rules import CONNECTIONS_MAX
from shared.outgoing import OutgoingClient
from shared.resources import Resources, open_resources
from shared.security.sealing import Sealer
from shared.web.requests import get_resources


@dataclass(slots=True)
class InventoryOwn:
    """What inventory has beside what every service has."""

    batcher: Batcher[Change, Outcome | KeptAnswer]
    reserver: Batcher[reservations.Asking, reservations.Reserved]
    prices: Sealer
    secrets: Sealer  # Of webhooks.
    outgoing: OutgoingClient
    policy: ApprovalPolicy
    executors: Mapping[str, Executor]  # What is done once it is approved, by its kind.


InventoryResources = Resources[InventoryOwn]


def open_service(settings: Settings) -> InventoryResources:
    """Return inventory's connections and keys; nothing connects before it is used."""
    resources = open_resources(
        "inventory",
        settings,
        client_secret=settings.inventory_client_secret,
        hot_connections=settings.hot_connections,
        answer_keys=(settings.inventory_encryption_key, settings.inventory_encryption_key_previous),
        proving_types=PROVING_TYPES,
    )
    resources.tell_state = tell_state
    wake = partial(resources.waker.wake, resources.service)
    resources.row_keeper = LedgerKeeper(resources.database, settings.retention_movements_years)
    return resources.having(
        InventoryOwn(
            Batcher(partial(apply_group, resources.database), note_movement, wake),
            Batcher(
                partial(reservations.reserve_group, resources.database),
                reservations.note_reservation,
                wake,
                size_of=reservations.size_of,
                span="reserve",
            ),
            Sealer(
                settings.price_encryption_key.get_secret_value(),
                settings.price_encryption_key_previous.get_secret_value(),
            ),
            Sealer(
                settings.inventory_encryption_key.get_secret_value(),
                settings.inventory_encryption_key_previous.get_secret_value(),
            ),
            OutgoingClient(
                allows_loopback=settings.webhook_private_addresses
                and settings.environment != "production",
                allows_private=settings.webhook_private_addresses,
                connections_max=CONNECTIONS_MAX,
            ),
            ApprovalPolicy(
                settings.require_approval_threshold, timedelta(days=settings.approval_lasts_days)
            ),
            {
                ApprovalKind.MOVEMENTS: movements.apply_approved_movements,
                ApprovalKind.REVERSAL: movements.apply_approved_reversal,
                ApprovalKind.RECEIPT: transfers.apply_approved_receipt,
                ApprovalKind.COUNT: counts.apply_approved_count,
                ApprovalKind.ASSEMBLY: kits.apply_approved_assembly,
            },
        )
    )


def resources_of(request: Request) -> InventoryResources:
    return get_resources(request)


async def get_price_sealer(request: Request) -> Sealer:
    return resources_of(request).own.prices


async def get_secret_sealer(request: Request) -> Sealer:
    return resources_of(request).own.secrets


async def get_outgoing(request: Request) -> OutgoingClient:
    return resources_of(request).own.outgoing


async def get_policy(request: Request) -> ApprovalPolicy:
    return resources_of(request).own.policy


async def get_executors(request: Request) -> Mapping[str, Executor]:
    return resources_of(request).own.executors


PriceSealer = Annotated[Sealer, Depends(get_price_sealer)]
SecretSealer = Annotated[Sealer, Depends(get_secret_sealer)]
Outgoing = Annotated[OutgoingClient, Depends(get_outgoing)]
Policy = Annotated[ApprovalPolicy, Depends(get_policy)]
Executors = Annotated[Mapping[str, Executor], Depends(get_executors)]
