"""How long the worst body of each route keeps a neighbour waiting.

The services' apps answer in this process, without a database: measured is what lies before it, the
reading of bodies. While a route gets the worst that its document allows to be sent, a neighbour
asks the same process over and over; told is the longest that he waited, beside what he waits for an
idle one.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Iterator
from importlib import import_module
from itertools import islice
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import httpx
import structlog
from fastapi import FastAPI
from pydantic import SecretStr

from shared.resources import open_resources
from shared.security.claims import UserClaims
from shared.settings import ServiceSettings

SERVICES = ("auth", "inventory", "forecasting", "reporting")
NEIGHBOUR = "/health/live"
_MEMBER = '"k%06d":1'
ANY_ID = str(UUID(int=7))
_SCOPES = frozenset(
    ["inventory:read", "inventory:write", "stock:write", "price:write", "price:approve",
     "forecast:read", "forecast:train", "report:read", "user:manage", "tenant:manage",
     "audit:read", "ops:read", "ops:write"]
)  # fmt: skip


class Everybody:
    """Believes any token: it stands for a caller who may do everything."""

    async def verify(self, _token: str) -> UserClaims:
        now = int(time.time())
        return UserClaims(
            sub=uuid4(), tid=uuid4(), sid=uuid4(), ver=1, jti=uuid4(), iat=now, exp=now + 900,
            auth_time=now, role="admin", scopes=_SCOPES, amr=("pwd",),
        )  # fmt: skip


def app_of(service: str) -> FastAPI:
    """Return a service's app as far as it works without a database."""
    app: FastAPI = import_module(f"services.{service}.app").create_app(None)
    settings = ServiceSettings(
        _env_file=None,
        database_url=SecretStr("postgresql://nobody@localhost:1/nowhere"),
        redis_url="redis://localhost:1",
        journal_signing_key=SecretStr("11" * 32),
        gateway_key=SecretStr("44" * 32),
        metrics_token=SecretStr("66" * 32),
    )
    resources = open_resources(service, settings)
    resources.users = Everybody()  # type: ignore[assignment]  # It verifies, in its way.
    app.state.resources = resources
    return app


def worst_bodies(document: dict[str, Any]) -> Iterator[tuple[str, str, str, bytes]]:
    """Name method, path and kind of the largest hostile bodies that a document's routes may get."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "requestBody" not in operation:
                continue
            told = re.search(r"At most (\d+) bytes", operation["requestBody"]["description"])
            if told is None:
                raise LookupError(f"{path} does not say how large its body may be")
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            address = re.sub(r"\{\w+\}", ANY_ID, path)
            for kind, body in _bodies(_starts(schema, document), int(told[1])):
                yield method.upper(), address, kind, body


def _bodies(starts: set[str], limit: int) -> Iterator[tuple[str, bytes]]:
    """Fill a body in each way that costs most for its bytes."""
    members = ",".join(_MEMBER % number for number in range(limit // 12))
    yield "members", f"{{{members}}}".encode()
    yield "few members", ("{" + ",".join(_MEMBER % n for n in range(90)) + "}").encode()
    yield "deep", b"[" * limit
    yield "digits", b'{"n":' + b"9" * (limit - 6) + b"}"
    yield "text", b'{"n":"' + b"a" * (limit - 8) + b'"}'
    yield "too large", b" " * (limit + 1)
    for start in sorted(starts):
        for kind, one in (
            ("empty", "{}"),
            ("full", "{" + ",".join(_MEMBER % n for n in range(90)) + "}"),
            ("numbers", "1"),
        ):
            for count in (limit // (len(one) + 1) - 10, 10_000, 200):
                body = f"{start}{','.join([one] * count)}]}}".encode()
                if len(body) <= limit:
                    yield f"{start} {count} {kind}", body


def _starts(schema: dict[str, Any], document: dict[str, Any]) -> set[str]:
    """Return how bodies with each of their lists begin, once for each choice that they offer."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    fields = schema.get("properties", {}).items()
    choices = [{name: choice} for name, field in fields for choice in field.get("enum", ())]
    found = {
        json.dumps({**chosen, name: []})[:-2]
        for name, field in fields
        for chosen in (choices or [{}])
        if "items" in field or any("items" in one for one in field.get("anyOf", ()))
    }
    return found.union(*(_starts(one, document) for one in schema.get("anyOf", ())))


def main() -> None:
    # A body that is not refused as a whole finds no database, which services warn of.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(_tell())


async def _tell() -> None:
    print("\nThe worst body of each route, in-process: how long a neighbour waits, in ms")
    print(f"  {'route':<44} {'bytes':>9} {'idle':>6} {'worst':>7}  by")
    for service in SERVICES:
        app = app_of(service)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            await _tell_service(client, app.openapi())


async def _tell_service(client: httpx.AsyncClient, document: dict[str, Any]) -> None:
    worst: dict[str, tuple[float, str, int]] = {}
    for method, path, _, body in islice(worst_bodies(document), 2):  # What is loaded but once.
        await _neighbour_ms(client, method, path, body)
    idle = await _idle_ms(client)
    for method, path, kind, body in worst_bodies(document):
        waited = await _neighbour_ms(client, method, path, body)
        where = f"{method} {path.replace(ANY_ID, '{id}')}"
        worst[where] = max(worst.get(where, (0.0, "", 0)), (waited, kind, len(body)))
    for where, (waited, kind, size) in worst.items():
        print(f"  {where:<44} {size:>9} {idle:>6.2f} {waited:>7.1f}  {kind}")


async def _idle_ms(client: httpx.AsyncClient) -> float:
    return median([await _ask_ms(client) for _ in range(50)])


async def _neighbour_ms(client: httpx.AsyncClient, method: str, path: str, body: bytes) -> float:
    """Return the longest that the neighbour waited while the body was dealt with."""
    headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
    sending = asyncio.create_task(client.request(method, path, content=body, headers=headers))
    waits = [0.0]
    while not sending.done():
        waits.append(await _ask_ms(client))
    await sending
    return max(waits)


async def _ask_ms(client: httpx.AsyncClient) -> float:
    """Ask once; from when one wants to ask, which is before the loop lets one."""
    started = time.perf_counter()
    await asyncio.sleep(0)
    await client.get(NEIGHBOUR)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
