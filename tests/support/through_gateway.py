"""Clients of a service's app that ask as the gateway does: with its proof, for an address."""

import time
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from shared.security.gateway_proof import HEADER, GatewayProof

GATEWAY_KEY = "44" * 32
METRICS_TOKEN = "66" * 32
SCRAPER = {"Authorization": f"Bearer {METRICS_TOKEN}"}  # Who reads the metrics.


def prove(
    request: httpx.Request, key: str = GATEWAY_KEY, address: str = "127.0.0.1", ahead_s: float = 0
) -> None:
    """Give a request the gateway's proof, for a client of that address, by a clock `ahead_s`."""
    request.headers[HEADER.decode()] = (
        GatewayProof(SecretStr(key), clock=lambda: time.time() + ahead_s)
        .make(
            address.encode(),
            request.headers.get("x-request-id", "").encode(),
            request.method.encode(),
            request.url.raw_path,
        )
        .decode()
    )


def client_of(app: FastAPI, address: str = "127.0.0.1", **options: Any) -> httpx.AsyncClient:
    """Return a client of the app, as the gateway would speak for a client of that address."""

    async def prove_each(request: httpx.Request) -> None:
        prove(request, address=address)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    hooks = {"request": [prove_each]}
    return httpx.AsyncClient(
        transport=transport, base_url="http://service", event_hooks=hooks, **options
    )
