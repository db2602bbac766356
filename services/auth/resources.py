"""What a process of auth holds open."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.legal_holds import service as legal_holds
from services.auth.settings import Settings
from services.auth.state import tell_health, tell_state
from services.auth.vault import Vault
from shared.journal.holds import ActiveHold
from shared.resources import Resources, open_resources

AuthResources = Resources[Vault]


def open_service(settings: Settings) -> AuthResources:
    """Return auth's connections and keys, by which it verifies tokens; nothing connects before."""
    vault = Vault.from_settings(settings)
    resources = open_resources("auth", settings, own_keys=vault.keys).having(vault)
    resources.tell_state, resources.tell_health = tell_state, tell_health

    async def find_holds() -> Sequence[ActiveHold]:
        async with AsyncSession(resources.database.engine) as session:
            return await legal_holds.list_active(session)

    resources.find_holds = find_holds
    return resources
