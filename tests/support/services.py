"""A service's app run inside the test, and callers with tokens that it believes."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

from shared.clock import utc_now
from shared.errors import Problem
from shared.security.claims import EnrolmentClaims, ServiceClaims, UserClaims
from shared.security.tokens import FixedKeys, TokenSigner, TokenVerifier, load_jwks, public_jwks
from tests.support.keys import private_pem
from tests.support.through_gateway import client_of

PRIVATE_KEY = private_pem("ours")
SIGNER = TokenSigner(PRIVATE_KEY)
KEYS = FixedKeys(load_jwks(public_jwks(PRIVATE_KEY)))
ALL_SCOPES = frozenset(
    [
        "inventory:read",
        "inventory:write",
        "stock:write",
        "price:write",
        "price:approve",
        "supplier:read",
        "supplier:write",
        "order:write",
        "forecast:read",
        "forecast:train",
        "report:read",
        "user:manage",
        "audit:read",
        "ops:read",
        "ops:write",
    ]
)


@dataclass
class Caller:
    """A person of a tenant; a new one is a tenant of its own, so tests never meet."""

    tenant_id: UUID = field(default_factory=uuid4)
    id: UUID = field(default_factory=uuid4)
    scopes: Iterable[str] = ALL_SCOPES
    role: str = "admin"
    locations: Iterable[UUID] | None = None  # None: all.
    methods: tuple[str, ...] = ("pwd",)  # How he proved who he is; a key of his: ("key",).
    proved_s_ago: int = 0

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token()}", **more}

    def token(self) -> str:
        now = int(utc_now().timestamp())
        return SIGNER.sign(
            UserClaims(
                sub=self.id,
                tid=self.tenant_id,
                sid=uuid4(),
                ver=1,
                jti=uuid4(),
                iat=now,
                exp=now + 900,
                auth_time=now - self.proved_s_ago,
                role=self.role,
                scopes=frozenset(self.scopes),
                amr=self.methods,
                locations=None if self.locations is None else frozenset(self.locations),
            )
        )


def service_headers(
    name: str = "reporting", *scopes: str, target: str = "inventory"
) -> dict[str, str]:
    """Return the headers of one service that calls another."""
    now = int(utc_now().timestamp())
    claims = ServiceClaims(
        sub=name,
        target=target,
        jti=uuid4(),
        iat=now,
        exp=now + 7200,  # Some are made when a test is read, long before it runs.
        scopes=frozenset(scopes or {"journal:read"}),
    )
    return {"Authorization": f"Bearer {SIGNER.sign(claims)}"}


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Run the app and give a client that speaks to it; it believes this module's tokens."""
    async with app.router.lifespan_context(app):
        resources = app.state.resources
        resources.users = TokenVerifier(KEYS, UserClaims)
        resources.enrolling = TokenVerifier(KEYS, EnrolmentClaims)
        resources.services = TokenVerifier(KEYS, ServiceClaims)
        async with client_of(app) as client:
            yield client


def assert_problem(response: httpx.Response, kind: type[Problem], **members: Any) -> None:
    """Assert that the answer is this problem, with these members."""
    body = response.json()
    assert response.status_code == kind.status, body
    assert response.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"/problems/{kind.slug}"
    assert body["code"] == kind.slug.replace("-", "_")
    assert body["title"]
    assert body["detail"]
    assert body["request_id"]
    assert {name: body.get(name) for name in members} == members
