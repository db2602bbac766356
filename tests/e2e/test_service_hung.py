"""A service hangs: its callers learn it in time, and nobody else notices."""

import asyncio
import os
import signal
import time

import pytest

from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

TIMEOUT_S = 15  # Of the route that is asked.
CALLERS = 12


async def test_its_callers_are_answered_in_time_and_others_get_what_they_ask(
    stack, client, tenant, move
):
    pid = stack.pid("inventory")
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        hanging = [
            asyncio.create_task(client.get("/api/inventory/lookup/A1", headers=tenant))
            for _ in range(CALLERS)
        ]
        for path in ("/api/auth/me", "/api/dashboard/stats", "/api/audit"):
            assert (await client.get(path, headers=tenant)).status_code == 200
        assert not any(call.done() for call in hanging)  # Nobody waited for them.

        answers = await asyncio.gather(*hanging)
        took_s = time.monotonic() - began
        at_once = await client.get("/api/inventory", headers=tenant)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert {answer.status_code for answer in answers} <= {503, 504}
    told = {answer.json()["code"] for answer in answers}
    assert told <= {"deadline_exceeded", "service_unavailable"}
    assert took_s < 3 * TIMEOUT_S
    assert (at_once.status_code, at_once.json()["code"]) == (503, "service_unavailable")
    assert "retry-after" in at_once.headers

    async def is_back():
        return (await move("receipt", 1)).status_code == 201

    await eventually(is_back)
