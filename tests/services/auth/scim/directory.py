"""A directory, as Entra ID or Okta is one: it speaks SCIM with an API key."""

import secrets
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from tests.services.auth.people import SignedIn, claims_of
from tests.support.database import Databases
from tests.support.services import service_headers

GATEWAY = service_headers("gateway", "api_keys:exchange", target="auth")
USERS, GROUPS = "/api/scim/v2/Users", "/api/scim/v2/Groups"
PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"
SCIM = "application/scim+json"


@dataclass
class Directory:
    client: httpx.AsyncClient
    key_id: str
    token: str

    async def send(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        return await self.client.request(
            method,
            path,
            json=body,
            headers={
                "Authorization": f"Bearer {self.token}",
                **({"Content-Type": SCIM} if body is not None else {}),
                **headers,
            },
        )

    async def add(self, **changes: Any) -> dict[str, Any]:
        made = await self.send("POST", USERS, wanted(**changes))
        assert made.status_code == 201, made.text
        return dict(made.json())

    async def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> httpx.Response:
        body = {"schemas": [PATCH_SCHEMA], "Operations": list(operations)}
        return await self.send("PATCH", path, body, **headers)

    async def look_up(self, text: str, path: str = USERS) -> list[dict[str, Any]]:
        response = await self.client.get(
            path, params={"filter": text}, headers={"Authorization": f"Bearer {self.token}"}
        )
        assert response.status_code == 200, response.text
        found = response.json()
        assert found["totalResults"] >= len(found["Resources"]) == found["itemsPerPage"]
        return list(found["Resources"])


def wanted(**changes: Any) -> dict[str, Any]:
    name = f"{secrets.token_hex(6)}@example.com"
    body = {
        "schemas": [USER_SCHEMA],
        "userName": name,
        "externalId": secrets.token_hex(8),
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"value": name, "type": "work", "primary": True}],
        "active": True,
    }
    return {field: value for field, value in (body | changes).items() if value is not None}


async def key_of(who: SignedIn, *scopes: str) -> dict[str, Any]:
    body = {"name": "Directory", "scopes": list(scopes or ("user:provision",))}
    made = await who.client.post("/api/auth/api-keys", json=body, headers=who.headers())
    assert made.status_code == 201, made.text
    return dict(made.json())


async def token_of(client: httpx.AsyncClient, key: str) -> str:
    """Return the access token that the gateway puts in place of a key."""
    granted = await client.post("/internal/api-keys/exchange", json={"key": key}, headers=GATEWAY)
    assert granted.status_code == 200, granted.text
    return str(granted.json()["access_token"])


async def directory_of(who: SignedIn) -> Directory:
    key = await key_of(who)
    return Directory(who.client, key["id"], await token_of(who.client, key["key"]))


def assert_refused(response: httpx.Response, status: int, kind: str | None = None) -> str:
    """Assert that the answer is this refusal in SCIM's form; return its detail."""
    body = response.json()
    assert response.status_code == status, body
    assert response.headers["content-type"] == SCIM
    assert body["schemas"] == [ERROR_SCHEMA]
    assert body["status"] == str(status)
    assert body.get("scimType") == kind, body
    return str(body["detail"])


async def journal_of(databases: Databases, boss: SignedIn) -> list[tuple[str, str, str]]:
    """Return type, actor and subject of what the tenant journaled, in order."""
    connection = await asyncpg.connect(databases.dsn("auth_app"))
    tenant_id = claims_of(boss.access_token)["tid"]
    await connection.execute("SELECT set_config('app.tenant', $1, false)", tenant_id)
    rows = await connection.fetch("SELECT type, actor, subject FROM journal ORDER BY seq")
    await connection.close()
    return [(row["type"], row["actor"], row["subject"]) for row in rows]


async def account_of(boss: SignedIn, user_id: str) -> dict[str, Any]:
    found = await boss.client.get(f"/api/users/{user_id}", headers=boss.headers())
    assert found.status_code == 200, found.text
    return dict(found.json())
