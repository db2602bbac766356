"""Redis hangs: who is signed in works on, and whoever signs in is still counted."""

import os
import signal

import pytest

from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.asvs("C19")]


async def test_work_goes_on_and_is_counted(stack, client, tenant, move):
    nobody = {"email": "nobody@example.com", "password": "wrong"}
    pid = stack.pid("valkey")
    os.kill(pid, signal.SIGSTOP)
    try:
        moved = await move("receipt", 2)
        read = await client.get("/api/inventory/lookup/A1", headers=tenant)
        refused = await client.post("/api/auth/login", json=nobody)
        left = await client.post("/api/auth/logout", json={}, headers=tenant)

        async def is_out():
            return (await client.get("/api/inventory", headers=tenant)).status_code == 401

        await eventually(is_out)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert (moved.status_code, read.json()["on_hand"]) == (201, "2")
    assert read.headers["ratelimit-policy"].startswith('"read";')
    assert refused.status_code == 401
    assert refused.headers["ratelimit-policy"].startswith('"sign-in";')
    assert left.is_success
