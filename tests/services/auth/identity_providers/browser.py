"""What a browser and its page do in a sign-in by the company's provider."""

from typing import Any

import httpx

from tests.support.identity_provider import Provider

ADA = {"sub": "ada-1", "email": "Ada@Example.com", "email_verified": True, "name": "Ada L."}
START, FINISH = "/api/auth/oidc/start", "/api/auth/oidc/finish"


async def start(client: httpx.AsyncClient, tenant: str, **more: Any) -> dict[str, str]:
    begun = await client.post(START, json={"tenant": tenant, **more})
    assert begun.status_code == 200, begun.text
    assert begun.headers["cache-control"] == "no-store"
    return dict(begun.json())


async def come_in(
    client: httpx.AsyncClient, provider: Provider, tenant: str, code: str | None = None, **who: Any
) -> httpx.Response:
    """Do all that a browser does."""
    begun = await start(client, tenant)
    brought = provider.sign_in(begun["authorization_url"], **who)
    return await client.post(
        FINISH, json=body_of(begun, brought) | ({"code": code} if code else {})
    )


def body_of(begun: dict[str, str], brought: dict[str, str]) -> dict[str, str]:
    return {
        "state": brought["state"],
        "binding": begun["binding"],
        "provider_code": brought["code"],
        "iss": brought["iss"],
    }
