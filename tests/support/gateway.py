"""Services on loopback that a test makes behave as it likes, and a gateway in front of them."""

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from uuid import uuid4

import httpx

from gateway.app import Gateway
from gateway.health import Health
from gateway.protocol import FrontDoor
from gateway.settings import Settings
from shared.security.claims import UserClaims
from shared.security.tokens import public_jwks
from tests.support.services import PRIVATE_KEY as PEM
from tests.support.services import SIGNER
from tests.support.through_gateway import GATEWAY_KEY, METRICS_TOKEN
from tests.support.waiting import PATIENCE_S, eventually

ORIGIN = "https://shop.example"
BULK = "/api/inventory/movements/bulk"  # Its bodies may be large.


def gateway_settings(**changes) -> Settings:
    return Settings(
        _env_file=None,
        gateway_client_secret="gateway-secret",
        gateway_key=GATEWAY_KEY,
        metrics_token=METRICS_TOKEN,
        **{"rate_limit_scale": 1000, "redis_url": "redis://127.0.0.1:9"} | changes,
    )


def make_token(**changes) -> str:
    now = int(time.time())
    claims = UserClaims(
        sub=uuid4(), tid=uuid4(), sid=uuid4(), ver=1, jti=uuid4(), iat=now, exp=now + 900,
        auth_time=now, role="clerk", scopes=frozenset({"inventory:read"}), amr=("pwd",),
    )  # fmt: skip
    return SIGNER.sign(replace(claims, **changes))


@dataclass
class Received:
    """A request as a service saw it on the wire."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        return [value for other, value in self.headers if other == name]

    def names(self) -> set[str]:
        return {name for name, _ in self.headers}


Respond = Callable[[Received], bytes]
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def ok(body: bytes = b"{}", *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def ok_json(document: object) -> bytes:
    return ok(json.dumps(document).encode(), "content-type: application/json")


@dataclass
class Service:
    """A service: `respond` answers what was read; a `script` has the bare connection instead."""

    respond: Respond = lambda _: ok()
    respond_to: Callable[[Received, asyncio.StreamWriter], bytes | None] | None = None
    script: Script | None = None
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    gone: int = 0  # Connections that the other side ended.
    # Whether the gateway still holds a connection that it would use again.
    is_kept: Callable[[], bool] = lambda: False
    port: int = 0
    secured: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self.secured
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def hang_up(self) -> None:
        """Close all connections, as a restart does; both sides know it when this returns."""
        for writer in [*self.writers]:
            writer.close()
        await eventually(lambda: not self.writers and not self.is_kept())
        self.gone = 0

    async def is_left(self) -> bool:
        """Say whether the other side ends a connection; what never does fails here."""
        return bool(await eventually(lambda: self.gone))

    def reset(self) -> None:
        self.respond, self.respond_to, self.script = (lambda _: ok()), None, None
        self.connections = self.gone = 0
        self.received.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        try:
            if self.script is not None:
                await self.script(reader, writer)
                return
            while True:
                request = await read_request(reader)
                if self.respond_to is not None:
                    answer = self.respond_to(request, writer)
                    if answer is None:
                        return
                else:
                    answer = self.respond(request)
                self.received.append(request)
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.gone += 1
        finally:
            self.writers.discard(writer)
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head[:-4].split("\r\n")
    fields = (each.partition(": ") for each in lines)
    request = Received(line, [(name.lower(), value) for name, _, value in fields])
    if request.all("transfer-encoding"):
        while size := int(await reader.readuntil(b"\r\n"), 16):
            request.body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    elif lengths := request.all("content-length"):
        request.body = await reader.readexactly(int(lengths[0]))
    return request


class Auth(Service):
    """Auth's public keys and revocations."""

    sessions: list[str]
    versions: dict[str, int]
    languages: dict[str, str]
    api_keys: dict[str, str]  # Access tokens by key.
    expires_in: int
    tenant_rates: dict[str, int]
    denials: list[dict[str, str]]

    def reset(self) -> None:
        super().reset()
        self.sessions, self.versions, self.languages = [], {}, {}
        self.api_keys, self.expires_in = {}, 900
        self.tenant_rates = {}
        self.denials = []
        self.respond = self._answer

    def _answer(self, request: Received) -> bytes:
        target = request.line.split(" ")[1]
        match target:
            case "/.well-known/jwks.json":
                return ok_json(public_jwks(PEM))
            case "/internal/token":
                return ok_json({"access_token": "internal", "expires_in": 600})
            case "/internal/api-keys/exchange":
                return self._exchange(json.loads(request.body)["key"])
            case "/internal/access-denied":
                self.denials.append(json.loads(request.body))
                return ok(b"", status="204 No Content")
            case "/internal/revocations":
                told = {"sessions": self.sessions, "versions": self.versions}
                told |= {"languages": self.languages, "requests_per_minute": self.tenant_rates}
                return ok_json(told)
        return ok_json({"target": target})

    def _exchange(self, key: str) -> bytes:
        if key not in self.api_keys:
            refusal = json.dumps({"code": "api_key_invalid"}).encode()
            return ok(refusal, status="401 Unauthorized")
        return ok_json({"access_token": self.api_keys[key], "expires_in": self.expires_in})


@dataclass
class House:
    """The gateway and the services behind it."""

    port: int
    auth: Auth
    inventory: Service
    reporting: Service
    client: httpx.AsyncClient
    gateway: Gateway
    health: Health  # The gateway's own.
    connections: set[FrontDoor]  # Those of its clients.
    token: str = field(default_factory=make_token)

    async def get(self, path: str, **options) -> httpx.Response:
        return await self.call("GET", path, **options)

    async def call(self, method: str, path: str, headers=None, **options) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        return await self.client.request(method, path, headers=headers, **options)

    async def raw(self, data: bytes) -> bytes:
        """Send bytes; return all that comes back until the gateway closes, as it should."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        received = b""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while part := await reader.read(65_536):
                    received += part
        except TimeoutError:
            received += b"<open>"
        except ConnectionError:
            received += b"<reset>"
        writer.close()
        return received

    def request(self, *headers: str, line: str = "GET /api/inventory HTTP/1.1") -> bytes:
        """The bytes of a request that carries a good token."""
        own = [line, "Host: gateway", f"Authorization: Bearer {self.token}", *headers, "", ""]
        return "\r\n".join(own).encode("latin-1")
