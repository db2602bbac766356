from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.services.auth.people import SignedIn
from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider

PAGE = "https://stock.example.com/signed-in"


@pytest.fixture(scope="session")
def shared_provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(shared_provider: Provider, app: FastAPI, client: httpx.AsyncClient) -> Provider:
    """The provider as it is when nobody lies; auth has heard nothing of it yet."""
    shared_provider.reset()
    providers = app.state.resources.own.providers
    providers._configurations.clear()
    providers._keys.clear()
    shared_provider.asked.clear()
    return shared_provider


@pytest.fixture
def settled(provider: Provider) -> Any:
    """Let a tenant's users sign in by the provider."""

    async def settle(boss: SignedIn, **changes: Any) -> httpx.Response:
        body = {
            "issuer": provider.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uri": PAGE,
        }
        return await boss.client.put(
            "/api/identity-provider", json=body | changes, headers=boss.headers()
        )

    return settle
