"""The gateway as an ASGI app: the only place that wires, and the order in which a call is checked.

The order: method, headers, path, then either a page of the gateway's own or a route of the table;
for a route the token, unless it is public; then the service. Everything that is refused ends as a
problem document in `_handle`, and nowhere else.
"""

import asyncio
from contextlib import suppress
from typing import Final

import httpx
import structlog

from gateway import metrics
from gateway.asgi import Receive, Scope, Send
from gateway.call import Call
from gateway.cors import Cors, is_preflight
from gateway.errors import METHODS, UnknownMethod
from gateway.headers import check_host, request_ids, sort_out
from gateway.health import Health
from gateway.identity import Identity, require_scope
from gateway.openapi import Documents
from gateway.pages import Pages
from gateway.paths import check_path, check_query
from gateway.pool import Pool
from gateway.proxy import Proxy
from gateway.revocations import INTERVAL_S, Revocations
from gateway.settings import Settings
from gateway.upstreams import SERVICES, RouteTable
from shared.errors import Problem
from shared.http import ServiceClient
from shared.i18n import load_catalogues
from shared.security.claims import UserClaims
from shared.security.gateway_proof import HEADER as PROOF
from shared.security.gateway_proof import GatewayProof
from shared.security.jwks import RemoteKeys
from shared.security.tokens import TokenVerifier
from shared.settings import package_folder

OTHER_METHOD: Final = "other"

log = structlog.get_logger()


class Gateway:
    """The front door."""

    def __init__(self, settings: Settings, routes: RouteTable | None = None) -> None:
        addresses = {service: settings.url_of(service) for service in SERVICES}
        self._default_language = settings.default_language
        self._http = httpx.AsyncClient()
        self._auth = ServiceClient(settings, "gateway", settings.gateway_client_secret)
        self._keys = RemoteKeys(addresses["auth"], self._http)
        self._revocations = Revocations(self._auth)
        self._pools = {
            service: Pool(address, size=settings.gateway_upstream_connections_max)
            for service, address in addresses.items()
        }
        self._routes = routes or RouteTable()
        self._proof = GatewayProof(settings.gateway_key)
        self._cors = Cors(settings.allowed_origins)
        self._identity = Identity(TokenVerifier(self._keys, UserClaims), self._revocations)
        self._proxy = Proxy(self._pools, settings.max_content_length)
        self._pages = Pages(
            Health(self._http, addresses, self._proof),
            Documents(self._http, addresses),
            self._identity,
            is_ready=lambda: self._keys.loaded and self._revocations.loaded,
            measured=settings.prometheus_enabled,
        )
        self._following: asyncio.Task[None] | None = None
        load_catalogues([package_folder(__file__) / "locales"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._handle(Call(scope, receive, send, scope["method"]))
            case "lifespan":
                await self._live(receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1008})

    async def start(self) -> None:
        """Begin to follow auth. What is not there yet is asked for again, nothing fails."""
        self._following = asyncio.create_task(self._follow_auth())

    async def stop(self) -> None:
        """Close what the gateway holds open."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        for pool in self._pools.values():
            pool.close()
        await self._auth.close()
        await self._http.aclose()

    async def _handle(self, call: Call) -> None:
        method = call.method if call.method in METHODS else OTHER_METHOD
        metrics.http.in_progress[method] += 1
        try:
            await self._answer(call)
        except Problem as problem:
            await call.refuse(problem, self._default_language)
        except Exception:
            if call.status:
                raise  # Too late to say so: the server logs it and breaks the answer off.
            log.exception("request failed", request_id=call.request_id.decode())
            await call.refuse(Problem(), self._default_language)
        finally:
            metrics.http.in_progress[method] -= 1
            sizes = (call.request_bytes, call.response_bytes)
            metrics.http.observe(method, call.route, call.status, call.started, sizes)

    async def _answer(self, call: Call) -> None:
        scope = call.scope
        try:
            head = call.head = sort_out(scope["headers"])
        finally:
            call.request_id, call.traceparent = request_ids(call.head)
        if scope["client"]:
            call.client = scope["client"][0].encode()
        call.cors = self._cors.headers(head.read.get(b"origin"))
        if call.method not in METHODS:
            raise UnknownMethod
        check_host(head, scope["http_version"])
        call.path = check_path(scope["raw_path"])
        call.query = check_query(scope["query_string"])
        if is_preflight(call.method, head):
            await call.answer(self._cors.preflight(head))
            return
        route = self._routes.find(call.path)
        if route is None:
            await self._pages.answer(call)
            return
        call.route = route.prefix
        if not route.public:
            claims = await self._identity.identify(head.read.get(b"authorization"))
            call.user_language = claims.lang  # From here on refusals are told in it.
            require_scope(claims, route.scope)
        proof = self._proof.make(call.client, call.request_id, call.method.encode(), call.target)
        head.passing += (PROOF, b": ", proof, b"\r\n")
        await self._proxy.forward(call, route)

    async def _follow_auth(self) -> None:
        """Ask auth for ever: whatever goes wrong once, revoked tokens must not pass unseen."""
        while True:
            try:
                if not self._keys.loaded:  # Later a token with an unknown key asks for them.
                    await self._keys.refresh()
                await self._revocations.refresh()
            except Exception:
                log.exception("auth not followed")
            await asyncio.sleep(INTERVAL_S)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})
