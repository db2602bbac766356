"""What a client and an auditor see at the gateway of the whole system."""

import asyncio

import httpx
import pytest

from tests.support.passkey import SoftPasskey
from tests.support.stack import sign_in
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]


async def test_a_logged_out_token_is_refused(stack, client):
    """Within a second, as often as the gateway asks auth: tests/gateway/test_identity.py."""
    headers = await stack.new_tenant(client)
    assert (await client.get("/api/auth/me", headers=headers)).status_code == 200

    await client.post("/api/auth/logout", json={}, headers=headers)

    async def is_refused():
        return (await client.get("/api/inventory", headers=headers)).status_code == 401

    await eventually(is_refused)


@pytest.mark.asvs("C08")
async def test_a_machine_calls_with_its_key_until_that_is_revoked(client, tenant):
    wanted = {"name": "scanner", "scopes": ["inventory:read"]}
    made = (await client.post("/api/auth/api-keys", json=wanted, headers=tenant)).json()
    machine = {"Authorization": f"Bearer {made['key']}"}
    place = {"name": "Mine", "type": "warehouse"}

    read = await client.get("/api/inventory", headers=machine)
    written = await client.post("/api/locations", json=place, headers=machine)
    await client.delete(f"/api/auth/api-keys/{made['id']}", headers=tenant)

    assert [item["code"] for item in read.json()["items"]] == ["A1"]
    assert written.status_code == 403

    async def is_refused():
        return (await client.get("/api/inventory", headers=machine)).status_code == 401

    await eventually(is_refused)


async def test_who_is_deactivated_is_refused_with_his_keys(client, tenant):
    """Within a second, as often as the gateway asks auth."""
    slug = (await client.get("/api/auth/me", headers=tenant)).json()["tenant"]["slug"]
    who = {"email": "ada@example.com", "password": "gravel umbrella sonnet 7"}
    wanted = who | {"role": "clerk", "password_change_required": False}
    ada = (await client.post("/api/users", json=wanted, headers=tenant)).json()
    own = await sign_in(client, who | {"tenant": slug})
    wanted = {"name": "till", "scopes": ["inventory:read"]}
    key = (await client.post("/api/auth/api-keys", json=wanted, headers=own)).json()["key"]
    callers = [own, {"Authorization": f"Bearer {key}"}]
    for headers in callers:
        assert (await client.get("/api/inventory", headers=headers)).status_code == 200

    path = f"/api/users/{ada['id']}/deactivate"
    closed = await client.post(path, json={"reason": "left"}, headers=tenant)

    assert closed.json()["status"] == "deactivated"

    async def are_refused():
        found = [await client.get("/api/inventory", headers=headers) for headers in callers]
        return {answer.status_code for answer in found} == {401}

    await eventually(are_refused)


@pytest.mark.asvs("B11")
async def test_a_passkey_signs_in(client, tenant):
    slug = (await client.get("/api/auth/me", headers=tenant)).json()["tenant"]["slug"]
    who = {"email": "key@example.com", "password": "gravel umbrella sonnet 7"}
    wanted = who | {"role": "clerk", "password_change_required": False}
    await client.post("/api/users", json=wanted, headers=tenant)
    own = await sign_in(client, who | {"tenant": slug})
    passkey = SoftPasskey(f"http://localhost:{client.base_url.port}")
    setup = await client.post("/api/auth/passkeys/setup", headers=own)
    wanted = {"name": "Phone", "credential": passkey.create(setup.json()["options"])}
    added = await client.post("/api/auth/passkeys/verify", json=wanted, headers=own)
    assert added.status_code == 201, added.text

    asked = await client.post("/api/auth/login", json=who | {"tenant": slug})
    signed = passkey.get(asked.json()["passkey"])
    body = who | {"tenant": slug, "passkey": signed}
    signed_in = await client.post("/api/auth/login", json=body)

    assert (asked.status_code, signed_in.status_code) == (401, 200), signed_in.text
    headers = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
    shown = (await client.get("/api/auth/passkeys", headers=headers)).json()["items"]
    assert [one["name"] for one in shown] == ["Phone"]
    assert (await client.post("/api/auth/login", json=body)).json()["code"] == "passkey_refused"


@pytest.mark.asvs("D02")
async def test_who_is_limited_to_a_location_is_so_everywhere_within_a_second(client, tenant, move):
    await move("receipt", 3)
    slug = (await client.get("/api/auth/me", headers=tenant)).json()["tenant"]["slug"]
    place = {"name": "Other", "type": "warehouse"}
    other = (await client.post("/api/locations", json=place, headers=tenant)).json()["id"]
    who = {"email": "ada@example.com", "password": "gravel umbrella sonnet 7"}
    wanted = who | {"role": "manager", "password_change_required": False}
    ada = (await client.post("/api/users", json=wanted, headers=tenant)).json()
    own = await sign_in(client, who | {"tenant": slug})
    assert (await client.get("/api/inventory/lookup/A1", headers=own)).json()["on_hand"] == "3"

    path = f"/api/users/{ada['id']}"
    await client.patch(path, json={"locations": [other]}, headers=tenant)

    async def is_refused():
        return (await client.get("/api/inventory", headers=own)).status_code == 401

    await eventually(is_refused)
    limited = await sign_in(client, who | {"tenant": slug})
    seen = await client.get("/api/inventory/lookup/A1", headers=limited)
    assert seen.json()["on_hand"] == "0"
    issue = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 1}
    moved = await client.post("/api/inventory/movements", json=issue, headers=limited)
    assert moved.json()["code"] == "location_not_found"
    for closed in ("/api/dashboard/stats", "/api/reports/inventory-value", "/api/ai/jobs"):
        refused = await client.get(closed, headers=limited)
        assert refused.json()["code"] == "location_not_allowed", (closed, refused.text)


@pytest.mark.asvs("D02")
async def test_another_tenant_sees_nothing(stack, client, tenant, move):
    await move("receipt", 3)
    stranger = await stack.new_tenant(client)

    assert (await client.get("/api/inventory", headers=stranger)).json()["items"] == []
    assert (await client.get("/api/inventory/lookup/A1", headers=stranger)).status_code == 404
    assert (await client.get("/api/locations", headers=stranger)).json()["items"] == []


async def test_internal_paths_and_forged_identities_do_not_pass(stack, client, tenant):
    forged = {"X-User-Id": "1", "X-Tenant-Id": "1", "X-Roles": "admin"}

    assert (await client.get("/internal/journal", headers=tenant)).status_code == 404
    assert (await client.get("/api/inventory", headers=forged)).status_code == 401
    direct = httpx.AsyncClient(base_url=f"http://127.0.0.1:{stack.port('inventory')}")
    async with direct:
        assert (await direct.get("/api/inventory", headers=forged)).status_code == 403
        assert (await direct.get("/internal/journal", headers=tenant)).status_code == 401


@pytest.mark.asvs("C08")
@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("auth", "/api/auth/me"), ("inventory", "/api/inventory"), ("reporting", "/api/audit"),
        ("forecasting", "/api/ai/jobs"), ("inventory", "/status"),
    ],
)  # fmt: skip
async def test_a_good_token_opens_nothing_at_a_services_own_port(stack, tenant, service, path):
    base = f"http://127.0.0.1:{stack.port(service)}"
    async with httpx.AsyncClient(base_url=base, headers=tenant) as direct:
        answer = await direct.get(path)

    assert (answer.status_code, answer.json()["code"]) == (403, "gateway_only")


async def test_messages_are_french_where_french_is_preferred(client, tenant):
    preferred = tenant | {"Accept-Language": "fr-CA;q=0.8, en;q=0.5"}
    body = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 1}

    answer = await client.post("/api/inventory/movements", json=body, headers=preferred)
    unknown = await client.get("/api/nothing-here", headers=preferred)

    assert answer.json()["title"] == "Stock insuffisant"
    assert answer.headers["content-language"] == "fr"
    assert unknown.status_code == 404
    assert unknown.headers["content-language"] == "fr"


async def test_a_new_language_of_ones_own_counts_everywhere_without_a_new_token(client, tenant):
    """Within a second, as often as the gateway asks auth."""
    issue = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 1}

    async def languages():
        answers = [
            await client.post("/api/inventory/movements", json=issue, headers=tenant),
            await client.get("/api/ai/models/nothing", headers=tenant),
            await client.get("/api/dashboard/stats", headers=tenant),
            await client.get("/api/users", headers=tenant),
        ]
        return {answer.headers["content-language"] for answer in answers}, answers[0].json()

    assert (await languages())[0] == {"en"}

    await client.patch("/api/auth/me", json={"language": "fr"}, headers=tenant)

    async def is_french():
        found, refusal = await languages()
        return found == {"fr"} and refusal["title"] == "Stock insuffisant"

    await eventually(is_french)


async def test_every_process_is_healthy_and_measured(stack, client):
    health = (await client.get("/health")).json()
    assert health["status"] == "ok"
    scraper = {"Authorization": f"Bearer {stack.secrets['METRICS_TOKEN']}"}
    for name in ("gateway", "auth", "inventory", "forecasting", "reporting"):
        base = f"http://127.0.0.1:{stack.port(name)}"
        async with httpx.AsyncClient(base_url=base) as direct:
            assert (await direct.get("/health/ready")).status_code == 200
            assert (await direct.get("/metrics")).status_code == 401
            assert "http_requests_total" in (await direct.get("/metrics", headers=scraper)).text


async def test_the_documents_are_served_without_the_internet(client):
    merged = (await client.get("/openapi.json")).json()
    assert "/api/inventory/movements" in merged["paths"]
    assert "/api/auth/login" in merged["paths"]
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text.replace("https://json-schema.org", "")


async def test_a_second_start_keeps_what_was_there(stack, client, tenant, move):
    await move("receipt", 7)
    await asyncio.to_thread(stack.run, "down")
    await asyncio.to_thread(stack.run, "up")

    answer = await client.get("/api/inventory/lookup/A1", headers=tenant)
    assert answer.json()["on_hand"] == "7"
