"""What happens in any service reaches a receiver outside, whatever becomes of the worker."""

import pytest

from tests.support.receiver import running_receiver
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

MOVED = "inventory.stock-moved.v1"


async def test_a_receiver_is_told_of_every_service_once_also_after_a_crash(
    stack, client, tenant, move
):
    with running_receiver() as receiver:
        body = {"url": f"{receiver.url}/hook"}
        added = await client.post("/api/webhooks", json=body, headers=tenant)
        assert added.status_code == 201, added.text
        assert (await move("receipt", 5)).status_code == 201
        profile = {"name": "Somebody else"}
        assert (await client.patch("/api/auth/me", json=profile, headers=tenant)).is_success
        key = {"name": "scanner", "scopes": ["inventory:read"]}
        made = (await client.post("/api/auth/api-keys", json=key, headers=tenant)).json()
        machine = {"Authorization": f"Bearer {made['key']}"}
        train = {"item_code": "A1"}
        refused = await client.post("/api/ai/forecast/train", json=train, headers=machine)
        assert refused.status_code == 403, refused.text
        wanted = {MOVED, "auth.user-profile-changed.v1", "forecasting.access-denied.v1"}
        await eventually(lambda: wanted <= {one.payload["type"] for one in receiver.received})

        await stack.kill_and_wait("inventory-worker")
        assert (await move("issue", 2)).status_code == 201
        await eventually(
            lambda: [one.payload["type"] for one in receiver.received].count(MOVED) > 1
        )

    by_id = {one.id: one.payload["sequence"] for one in receiver.received}
    assert sorted(by_id.values()) == list(range(1, len(by_id) + 1))
    webhook = f"/api/webhooks/{added.json()['id']}"
    assert (await client.delete(webhook, headers=tenant)).status_code == 204
