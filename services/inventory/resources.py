"""What a process of inventory holds open."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from services.inventory.approvals.rules import ApprovalPolicy
from services.inventory.ledger.rules import Change, Outcome
from services.inventory.ledger.service import Batcher, KeptAnswer, apply_group, note_movement
from services.inventory.ledger_keeper import LedgerKeeper
from services.inventory.reservations import service as reservations
from services.inventory.settings import Settings
from services.inventory.state import tell_state
from services.inventory.verification.rules import PROVING_TYPES
from services.inventory.webhooks.rules import CONNECTIONS_MAX
from shared.outgoing import OutgoingClient
from shared.resources import Resources, open_resources
from shared.security.sealing import Sealer


@dataclass(slots=True)
class InventoryOwn:
    """What inventory has beside what every service has."""

    batcher: Batcher[Change, Outcome | KeptAnswer]
    reserver: Batcher[reservations.Asking, reservations.Reserved]
    prices: Sealer
    secrets: Sealer  # Of webhooks.
    outgoing: OutgoingClient
    policy: ApprovalPolicy


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
        )
    )
