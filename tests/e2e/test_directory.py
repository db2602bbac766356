"""A directory and a company's identity provider, at the gateway of the whole system."""

import pytest

from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET, running_provider
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

USERS = "/api/scim/v2/Users"


async def test_a_directory_brings_somebody_in_by_the_provider_and_puts_him_out(stack, client):
    boss = await stack.new_tenant(client)
    slug = (await client.get("/api/auth/me", headers=boss)).json()["tenant"]["slug"]
    wanted = {"name": "directory", "scopes": ["user:provision"]}
    key = (await client.post("/api/auth/api-keys", json=wanted, headers=boss)).json()["key"]
    scim = {"Authorization": f"Bearer {key}", "Content-Type": "application/scim+json"}
    person = {"userName": "ada@example.com", "name": {"givenName": "Ada"}}

    made = await client.post(USERS, json=person, headers=scim)
    assert made.status_code == 201, made.text
    assert made.headers["content-type"] == "application/scim+json"
    path = made.headers["location"]
    joined = await client.patch(
        "/api/scim/v2/Groups/clerk",
        json={"Operations": [{"op": "add", "path": "members",
                              "value": [{"value": made.json()["id"]}]}]},
        headers=scim,
    )  # fmt: skip
    assert joined.status_code == 204

    with running_provider() as provider:
        settings = {
            "issuer": provider.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uri": "https://stock.example.com/signed-in",
        }
        settled = await client.put("/api/identity-provider", json=settings, headers=boss)
        assert settled.status_code == 200, settled.text
        begun = (await client.post("/api/auth/oidc/start", json={"tenant": slug})).json()
        brought = provider.sign_in(
            begun["authorization_url"], sub="a1", email="ada@example.com", email_verified=True
        )
        finish = {
            "state": brought["state"],
            "binding": begun["binding"],
            "provider_code": brought["code"],
            "iss": brought["iss"],
        }
        signed_in = await client.post("/api/auth/oidc/finish", json=finish)
    assert signed_in.status_code == 200, signed_in.text
    own = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
    assert (await client.get("/api/inventory", headers=own)).status_code == 200

    off = {"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}
    closed = await client.patch(path, json=off, headers=scim)
    assert (closed.status_code, closed.json()["active"]) == (200, False)

    async def is_refused():
        return (await client.get("/api/inventory", headers=own)).status_code == 401

    await eventually(is_refused)
    assert (await client.get(f"{USERS}/none", headers=scim)).json()["status"] == "404"
