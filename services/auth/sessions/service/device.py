"""Where a session was last used from: sealed, since it tells of a person."""

import json
from uuid import UUID

from services.auth.sessions.models import UserSession
from services.auth.vault import Vault
from shared.log import log
from shared.principal import Device
from shared.security.sealing import SealBroken, place

DEVICE = "auth.sessions.device"


UNKNOWN = Device("", "")


def seal_device(device: Device, tenant_id: UUID, session_id: UUID, *, vault: Vault) -> bytes:
    text = json.dumps(device)
    return vault.sealer.seal(text.encode(), place(DEVICE, tenant_id, session_id))


def open_device(session: UserSession, *, vault: Vault) -> Device:
    """Return the device, or UNKNOWN: for a session from before they were kept, or a broken seal."""
    if session.device_sealed is None:
        return UNKNOWN
    try:
        at = place(DEVICE, session.tenant_id, session.id)
        address, agent = json.loads(vault.sealer.open(session.device_sealed, at))
    except SealBroken:
        log.error("a session's device cannot be opened", session_id=session.id)
        return UNKNOWN
    return Device(address, agent)
