"""Accounts found by what their directory calls them, by the present key."""

from typing import Final
from uuid import UUID

from services.auth.scim import queries
from services.auth.scim.models import ProvisionedUser
from services.auth.scim.schemas import DirectoryProfile
from services.auth.scim.service.profile import PROFILE, index_by
from services.auth.tenants import service as tenants
from services.auth.vault import Vault
from shared.db import OpenFor
from shared.log import log
from shared.security.sealing import SealBroken, place

BATCH: Final = 500


async def reindex(open_for: OpenFor, *, vault: Vault) -> int:
    """Index anew whom a directory named under an earlier key; return how many were."""
    async with open_for(None) as session:
        tenant_ids = await tenants.list_ids(session)
    return sum([await _reindex_tenant(open_for, one, vault=vault) for one in tenant_ids])


async def _reindex_tenant(open_for: OpenFor, tenant_id: UUID, *, vault: Vault) -> int:
    done, last = 0, None
    while True:
        async with open_for(tenant_id) as session:
            rows = await queries.lock_after(session, last, limit=BATCH)
            done += sum(_reindex(row, tenant_id, vault=vault) for row in rows)
        if len(rows) < BATCH:
            return done
        last = rows[-1].user_id


def _reindex(row: ProvisionedUser, tenant_id: UUID, *, vault: Vault) -> bool:
    """Index a row by what it holds; say whether that changes anything."""
    try:
        opened = vault.sealer.open(row.profile_sealed, place(PROFILE, tenant_id, row.user_id))
    except SealBroken:
        log.error("a directory's profile cannot be opened", user_id=row.user_id)
        return False
    profile = DirectoryProfile.model_validate_json(opened)
    before = row.user_name_index, row.external_id_index
    index_by(row, profile, tenant_id, vault=vault)
    return before != (row.user_name_index, row.external_id_index)
