"""Auth hangs: who was signed out changes nothing, everybody else reads on."""

import os
import signal

import pytest

from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.asvs("C08", "C19")]


async def test_a_logged_out_token_changes_nothing_while_auth_hangs(stack, client, tenant, move):
    left = await stack.new_tenant(client)
    pid = stack.pid("auth")
    await client.post("/api/auth/logout", json={}, headers=left)
    os.kill(pid, signal.SIGSTOP)
    try:

        async def is_refused():
            return (await move("receipt", 1)).status_code == 503

        await eventually(is_refused)
        before = await client.get("/api/inventory/lookup/A1", headers=tenant)
        refused = await move("receipt", 1)
        place = {"name": "Mine", "type": "warehouse"}
        left_out = await client.post("/api/locations", json=place, headers=left)
        after = await client.get("/api/inventory/lookup/A1", headers=tenant)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert refused.json()["code"] == "revocations_stale"
    assert refused.headers["retry-after"] == "5"
    assert left_out.status_code in {401, 503}
    assert (before.status_code, after.status_code) == (200, 200)
    assert before.json()["on_hand"] == after.json()["on_hand"]

    async def is_taken():
        return (await move("receipt", 1)).status_code == 201

    await eventually(is_taken)
