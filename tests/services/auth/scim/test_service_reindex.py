"""Whom a directory named under an earlier key is found by the present one."""

from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.auth.scim import service as scim
from services.auth.scim.rules.names import user_name_form
from services.auth.vault import Vault
from tests.services.auth.scim.directory import Directory

KEY, LATER = "22" * 32, "33" * 32

pytestmark = pytest.mark.stack


async def test_names_and_ids_of_a_directory_are_indexed_anew(
    client: httpx.AsyncClient,
    app: FastAPI,
    make_settings: Any,
    directory: Directory,
    superuser: asyncpg.Connection,
):
    ada = await directory.add(userName="ada@example.com", externalId="e-1")
    bob = await directory.add(userName="bob@example.com")
    now = app.state.resources
    later = Vault.from_settings(make_settings(encryption_key=LATER, encryption_key_previous=KEY))
    open_for = now.database.opener("worker")

    async def indices(made: dict[str, Any]) -> tuple[bytes, bytes | None, Any]:
        query = """
            SELECT user_name_index, external_id_index, tenant_id FROM auth.provisioned_users
            WHERE user_id = $1::text::uuid"""
        row = await superuser.fetchrow(query, made["id"])
        return row["user_name_index"], row["external_id_index"], row["tenant_id"]

    try:
        done = await scim.reindex(open_for, vault=later)
        again = await scim.reindex(open_for, vault=later)
        name, external, tenant_id = await indices(ada)
        other, _, _ = await indices(bob)
    finally:  # Others use these accounts by the key of the whole run.
        await scim.reindex(open_for, vault=now.own)

    assert done >= 2
    assert again == 0
    assert name == later.user_names.of(user_name_form("ada@example.com"), tenant_id)
    assert external == later.external_ids.of("e-1", tenant_id)
    assert other == later.user_names.of(user_name_form("bob@example.com"), tenant_id)
    assert len(await directory.look_up('userName eq "ada@example.com"')) == 1
