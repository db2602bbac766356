"""What a route of inventory may ask of its request, beside what every route may."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from services.inventory.approvals.rules import ApprovalKind, ApprovalPolicy
from services.inventory.approvals.service import Executor
from services.inventory.counts import service as counts
from services.inventory.kits import service as kits
from services.inventory.movements import service as movements
from services.inventory.resources import InventoryResources
from services.inventory.transfers import service as transfers
from shared.outgoing import OutgoingClient
from shared.security.sealing import Sealer
from shared.web.requests import get_resources

# What is done once it is approved, by its kind.
EXECUTORS: Mapping[str, Executor] = {
    ApprovalKind.MOVEMENTS: movements.apply_approved_movements,
    ApprovalKind.REVERSAL: movements.apply_approved_reversal,
    ApprovalKind.RECEIPT: transfers.apply_approved_receipt,
    ApprovalKind.COUNT: counts.apply_approved_count,
    ApprovalKind.ASSEMBLY: kits.apply_approved_assembly,
}


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


async def get_executors() -> Mapping[str, Executor]:
    return EXECUTORS


PriceSealer = Annotated[Sealer, Depends(get_price_sealer)]
SecretSealer = Annotated[Sealer, Depends(get_secret_sealer)]
Outgoing = Annotated[OutgoingClient, Depends(get_outgoing)]
Policy = Annotated[ApprovalPolicy, Depends(get_policy)]
Executors = Annotated[Mapping[str, Executor], Depends(get_executors)]
