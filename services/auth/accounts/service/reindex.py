"""Accounts found by their address as it is compared today, and by the present key."""

from typing import Final
from uuid import UUID

from services.auth.tenants import service as tenants
from services.auth.users import service as users
from services.auth.users.errors import EmailTaken
from services.auth.vault import Vault
from shared.db import OpenFor
from shared.log import log

BATCH: Final = 500


async def reindex(open_for: OpenFor, *, vault: Vault) -> int:
    """Index anew whoever is indexed by an earlier form or key; return how many were.

    Addresses are sealed, so no migration can. One that another account has by now is left, and
    logged: an administrator gives one of the two another address.
    """
    async with open_for(None) as session:
        tenant_ids = await tenants.list_ids(session)
    return sum([await _reindex_tenant(open_for, one, vault=vault) for one in tenant_ids])


async def _reindex_tenant(open_for: OpenFor, tenant_id: UUID, *, vault: Vault) -> int:
    done, last = 0, None
    while True:
        async with open_for(tenant_id) as session:
            outdated, last = await users.list_outdated(session, last, limit=BATCH, vault=vault)
        for user_id in outdated:
            try:
                async with open_for(tenant_id) as session:
                    await users.reindex(session, user_id, vault=vault)
                done += 1
            except EmailTaken:
                log.error("two accounts have one address", user_id=user_id)
        if last is None:
            return done
