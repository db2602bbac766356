import asyncio

import pytest

from services.inventory.resources import open_service
from services.inventory.webhooks.errors import (
    TooManyWebhooks,
    WebhookInactive,
    WebhookMessageNotFound,
    WebhookNotFound,
    WebhookUrlRefused,
)
from services.inventory.webhooks.rules import EVENTS, WEBHOOKS_MAX
from shared.errors import LocationNotAllowed, MissingScope, PreconditionFailed, ValidationFailed
from tests.support.services import ALL_SCOPES, Caller, assert_problem

pytestmark = pytest.mark.stack

URL = "https://hooks.example.com/stock"


async def test_the_secret_is_shown_once(client, caller, superuser):
    body = {"url": URL, "event_types": ["inventory.stock-moved.v1"], "description": "Shop"}

    added = await client.post("/api/webhooks", json=body, headers=caller.headers())

    assert added.status_code == 201, added.text
    made = added.json()
    assert made.pop("secret").startswith("whsec_")
    assert added.headers["cache-control"] == "no-store"
    path = f"/api/webhooks/{made['id']}"
    read = await client.get(path, headers=caller.headers())
    listed = await client.get("/api/webhooks", headers=caller.headers())
    assert read.json() == made
    assert listed.json() == {"items": [made], "next_cursor": None}
    assert made["owner_id"] == str(caller.id)
    kept = await superuser.fetchrow("SELECT * FROM inventory.webhooks WHERE id = $1", made["id"])
    assert added.json()["secret"][6:].encode() not in kept["secret_sealed"]


async def test_a_webhook_is_of_one_tenant(client, hooks):
    made, other = await hooks.add(), Caller()
    path = f"/api/webhooks/{made['id']}"

    for method, more in (
        ("GET", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/ping"),
    ):  # fmt: skip
        answer = await client.request(method, path + more, headers=other.headers())
        assert_problem(answer, WebhookNotFound)
    for more, body in (("/rotate-secret", {}), ("/replay", {"from_sequence": 1})):
        answer = await client.post(path + more, json=body, headers=other.headers())
        assert_problem(answer, WebhookNotFound)
    assert (await client.get("/api/webhooks", headers=other.headers())).json()["items"] == []


async def test_who_may_subscribe(client, caller):
    manager = Caller(caller.tenant_id, scopes=ALL_SCOPES - {"ops:read", "ops:write"})
    auditor = Caller(caller.tenant_id, scopes=["ops:read"])
    limited = Caller(caller.tenant_id, locations=[caller.id])
    body = {"url": URL}

    for refused in (manager, auditor):
        answer = await client.post("/api/webhooks", json=body, headers=refused.headers())
        assert_problem(answer, MissingScope, scope="ops:write")
    answer = await client.post("/api/webhooks", json=body, headers=limited.headers())
    assert_problem(answer, LocationNotAllowed)
    assert (await client.get("/api/webhooks", headers=auditor.headers())).status_code == 200


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example.com", "https://169.254.169.254/latest", "https://me:pw@example.com",
     "https://example.com/#x", "ftp://example.com", "https://example.com/\x00",
     "https://example.com/\r\nX-Other: 1", "https://exa\tmple.com/", "https://example.com/a b",
     "https://[::ffff:169.254.1.1]/"],
)  # fmt: skip
async def test_addresses_that_nothing_may_be_sent_to(client, caller, url):
    answer = await client.post("/api/webhooks", json={"url": url}, headers=caller.headers())

    assert_problem(answer, WebhookUrlRefused)


async def test_private_addresses_are_for_who_runs_the_installation_to_allow(
    client, caller, webhooks_app, inventory_settings
):
    own = webhooks_app.state.resources.own
    allowing, own.outgoing = own.outgoing, open_service(inventory_settings).own.outgoing
    try:
        for url in ("https://127.0.0.1/", "http://localhost:9000/", "https://10.1.2.3/x"):
            answer = await client.post("/api/webhooks", json={"url": url}, headers=caller.headers())
            assert_problem(answer, WebhookUrlRefused)
    finally:
        own.outgoing = allowing


async def test_a_type_that_does_not_exist_is_told_in_french(client, caller):
    body = {"url": URL, "event_types": ["inventory.stock-moved.v9"]}

    answer = await client.post(
        "/api/webhooks", json=body, headers=caller.headers(**{"Accept-Language": "fr"})
    )

    assert_problem(answer, ValidationFailed)
    assert "/api/webhooks/event-types" in answer.text
    assert "existe" in answer.text


async def test_all_types_are_listed_with_their_fields(client, caller):
    answer = await client.get("/api/webhooks/event-types", headers=caller.headers())

    found = {one["type"]: one["fields"] for one in answer.json()["items"]}
    assert found.keys() == EVENTS.keys()
    assert "quantity" in found["inventory.stock-moved.v1"]
    assert "amount_sealed" not in found["inventory.stock-moved.v1"]


async def test_a_webhook_is_changed_and_removed(client, caller, hooks):
    made = await hooks.add(event_types=["inventory.item-saved.v1"])
    path = f"/api/webhooks/{made['id']}"

    changed = await client.patch(
        path, json={"event_types": None, "active": False, "url": URL}, headers=caller.headers()
    )
    stale = await client.patch(
        path, json={"active": True}, headers=caller.headers(**{"If-Match": '"1"'})
    )
    nothing = await client.patch(path, json={}, headers=caller.headers())

    assert changed.json()["event_types"] is None
    assert (changed.json()["url"], changed.json()["active"]) == (URL, False)
    assert_problem(stale, PreconditionFailed)
    assert nothing.json()["version"] == 2
    bad = await client.patch(path, json={"url": "http://a.example"}, headers=caller.headers())
    assert_problem(bad, WebhookUrlRefused)
    assert_problem(await client.post(f"{path}/ping", headers=caller.headers()), WebhookInactive)
    assert (await client.delete(path, headers=caller.headers())).status_code == 204
    assert_problem(await client.get(path, headers=caller.headers()), WebhookNotFound)


async def test_there_is_an_end_of_webhooks_also_at_once(client, caller):
    headers = caller.headers()
    answers = await asyncio.gather(
        *(
            client.post("/api/webhooks", json={"url": URL}, headers=headers)
            for _ in range(WEBHOOKS_MAX + 3)
        )
    )

    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(refused) == 3
    assert_problem(refused[0], TooManyWebhooks, limit=WEBHOOKS_MAX)


async def test_a_second_sending_under_the_same_key_is_the_same_webhook(client, caller):
    headers = caller.headers(**{"Idempotency-Key": "w-1"})

    first, second = [
        (await client.post("/api/webhooks", json={"url": URL}, headers=headers)).json()
        for _ in range(2)
    ]

    assert first == second


async def test_only_what_was_on_its_way_is_sent_again(client, caller, hooks):
    made = await hooks.add()
    path = f"/api/webhooks/{made['id']}/deliveries/{made['id']}/resend"

    assert_problem(await client.post(path, headers=caller.headers()), WebhookMessageNotFound)


async def test_deliveries_have_pages(client, caller, hooks):
    made = await hooks.add(event_types=["inventory.price-set.v1"])
    path = f"/api/webhooks/{made['id']}"
    for _ in range(3):
        ping = await client.post(f"{path}/ping", headers=caller.headers())
        assert ping.status_code == 202, ping.text

    seen, cursor = [], None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await client.get(f"{path}/deliveries", params=query, headers=caller.headers())
        seen += [one["sequence"] for one in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break

    assert seen == [3, 2, 1]
    waiting = await client.get(
        f"{path}/deliveries", params={"state": "dead"}, headers=caller.headers()
    )
    assert waiting.json()["items"] == []
