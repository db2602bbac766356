"""What the gateway does with a call: the only place that wires, and the order of the checks.

The order: method, headers, path, then either a page of the gateway's own or a route of the table;
for a route the token, unless it is public, and the rates; then the service. Everything that is
refused ends as a problem document in `_fail`, and nowhere else.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import httpx
import structlog

from gateway import metrics
from gateway.addresses import Networks, Proxies
from gateway.api_keys import ApiKeys
from gateway.breaker import Circuit
from gateway.call import Call
from gateway.cors import Cors, is_preflight
from gateway.denials import DenialReports
from gateway.errors import METHODS, OriginRefused, RateLimited, UnknownMethod
from gateway.headers import check_host, request_ids, sort_out
from gateway.health import Health
from gateway.identity import Identity, asks_by_key, require_scope
from gateway.limiter import SCRIPT, Limiter
from gateway.openapi import Documents
from gateway.pages import Pages
from gateway.paths import check_path, check_query
from gateway.pool import Service
from gateway.proxy import Proxy
from gateway.rates import Counted, Rates, Verdict
from gateway.revocations import INTERVAL_S, Revocations
from gateway.routes import SERVICES, Route, RouteTable, only_reads, rate_of
from gateway.settings import Settings
from gateway.sockets import Sockets, is_websocket, take_token
from gateway.store import Store
from shared import tracing
from shared.errors import MissingScope, Problem, Unauthorized
from shared.http import ServiceClient
from shared.i18n import load_catalogues
from shared.security.claims import EnrolmentClaims, UserClaims
from shared.security.gateway_proof import HEADER as PROOF
from shared.security.gateway_proof import GatewayProof
from shared.security.jwks import RemoteKeys
from shared.settings import package_folder
from shared.tls import client_context, inside_context

OTHER_METHOD: Final = "other"
STRANGERS: Final = b"strangers"  # All who have not signed in, as one tenant.
PROBES: Final = b"/health"  # Whoever watches over us is not counted.

log = structlog.get_logger()


class Gateway:
    """The front door."""

    def __init__(self, settings: Settings, routes: RouteTable | None = None) -> None:
        addresses = {service: settings.urls_of(service)[0] for service in SERVICES}
        self._default_language = settings.default_language
        secured = client_context(settings.service_tls) if settings.service_tls else None
        self._http = httpx.AsyncClient(verify=inside_context(settings.service_tls))
        self._auth = ServiceClient(settings, "gateway", settings.gateway_client_secret)
        self._keys = RemoteKeys(addresses["auth"], self._http)
        self._revocations = Revocations(self._auth)
        metrics.revocations_age.set_function(lambda: self._revocations.age_s)
        self._services = {
            service: Service(
                service,
                settings.urls_of(service),
                size=settings.gateway_upstream_connections_max,
                secured=secured,
            )
            for service in SERVICES
        }
        metrics.circuits.states = self._circuits
        self._routes = routes or RouteTable()
        self._proof = GatewayProof(settings.gateway_key)
        self._proxies = Proxies(settings.trusted_proxies)
        self._networks = Networks(bytes.fromhex(settings.gateway_key.get_secret_value()))
        self._rates = Rates(
            settings.rate_limit_default,
            settings.rate_limit_scale,
            lambda: self._revocations.tenant_rates,
        )
        for name in self._rates.names:
            metrics.rate_limited.labels(name)  # From 0 on.
        redis_tls = settings.redis_tls_files
        self._store = Store(
            settings.redis_url, SCRIPT, client_context(redis_tls) if redis_tls else None
        )
        self._limiter = Limiter(self._store, settings.gateway_processes)
        self._cors = Cors(settings.allowed_origins)
        self._identity = Identity(self._keys, self._revocations, ApiKeys(self._auth))
        self._denials = DenialReports(self._auth)
        self._proxy = Proxy(
            self._services,
            settings.max_content_length,
            settings.default_language,
            self._require_standing,
        )
        self._sockets = Sockets(self._revocations.cover)
        self._pages = Pages(
            Health(self._http, addresses, self._proof),
            Documents(self._http, addresses),
            self._identity,
            self._revocations,
            is_ready=lambda: self._keys.loaded and self._revocations.loaded,
            metrics_token=settings.metrics_token if settings.prometheus_enabled else None,
            default_language=settings.default_language,
        )
        self._following: asyncio.Task[None] | None = None
        load_catalogues([package_folder(__file__) / "locales"])

    @property
    def connections_max(self) -> int:
        """How many connections there may be to all services together."""
        return sum(service.connections_max for service in self._services.values())

    def handle(self, call: Call) -> None:
        """Answer a call, now or later."""
        metrics.http.in_progress[_known(call.method)] += 1
        self._try(call, lambda: self._receive(call))

    def finished(self, call: Call) -> None:
        """Count a call that has been answered, or whose client is gone."""
        method = _known(call.method)
        metrics.http.in_progress[method] -= 1
        sizes = (call.body_length, call.response_bytes)
        metrics.http.observe(method, call.route, call.status, call.started, sizes, call.traceparent)
        if call.span is not None:
            named = call.request_id.decode(), method, call.route
            tracing.end_request(call.span, *named, call.status)

    def _circuits(self) -> dict[str, Circuit]:
        now = time.monotonic()  # As the event loop has it.
        return {name: service.circuit(now) for name, service in self._services.items()}

    def tick(self, now: float) -> None:
        """Look at the time limits. To be called several times a second."""
        self._proxy.tick(now)
        self._sockets.sweep(now)

    async def start(self) -> None:
        """Begin to follow auth. What is not there yet is asked for again, nothing fails."""
        await self._store.start()
        self._following = asyncio.create_task(self._follow_auth())

    async def stop(self) -> None:
        """Close what the gateway holds open."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        for service in self._services.values():
            service.close()
        await self._store.stop()
        await self._auth.close()
        await self._http.aclose()

    # One step after the other. A call has a task only where something must be waited for beside the
    # rates: a token never seen before, a page, a WebSocket.

    def _try(self, call: Call, step: Callable[[], None]) -> None:
        """Take a step; what it raises is the call's answer."""
        try:
            step()
        except Exception as error:  # noqa: BLE001  Told apart there.
            self._fail(call, error)

    def _wait(self, call: Call, work: Coroutine[Any, Any, None]) -> None:
        """Do what has to be waited for; what it raises is the call's answer."""

        async def try_it() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001  Told apart there.
                self._fail(call, error)

        call.waiting = asyncio.get_running_loop().create_task(try_it())

    def _fail(self, call: Call, error: Exception) -> None:
        if isinstance(error, Problem):
            if isinstance(error, MissingScope):
                self._denials.report(call, error.scope)
            call.refuse(error, self._default_language)
            return
        log.error(
            "request failed",
            request_id=call.request_id.decode(),
            traceparent=call.traceparent.decode(),
            exc_info=error,
        )
        if call.status:
            call.break_off()  # Too late to say so.
        else:
            call.refuse(Problem(), self._default_language)

    def _receive(self, call: Call) -> None:
        try:
            head = call.head = sort_out(call.fields)
        finally:
            call.request_id, call.traceparent = request_ids(call.head)
            if tracing.is_on():
                _begin_trace(call)
        if call.peer:
            call.client = self._proxies.client_of(call.peer, call.fields)
        call.network = self._networks.name_of(call.client)
        call.holder = (call.network, STRANGERS)
        call.cors = self._cors.headers(head.read.get(b"origin"))
        if call.method not in METHODS:
            raise UnknownMethod
        check_host(head, call.version)
        check_path(call.path)
        check_query(call.query)
        if is_preflight(call.method, head):
            call.answer(self._cors.preflight(head))
            return
        route = self._routes.find(call.path)
        if route is None:
            self._find_page(call)
            return
        call.route = route.path
        call.compresses = not route.is_secret
        call.is_cacheable = route.is_cacheable
        if _opens_socket(call, route):
            if not self._cors.lets_connect(head.read.get(b"origin"), head.read.get(b"host", b"")):
                raise OriginRefused
            take_token(head, call.fields)
        self._identify(call, route)

    def _find_page(self, call: Call) -> None:
        def answer() -> None:
            self._wait(call, self._pages.answer(call))

        if call.path == PROBES or call.path.startswith(PROBES + b"/"):
            answer()
        else:
            self._count(call, self._rates.of_stranger("page", call.network), answer)

    def _identify(self, call: Call, route: Route) -> None:
        """Find out who calls: at once, where his token is known."""
        if route.access == "public":
            counted = self._rates.of_stranger(rate_of(route, call.method), call.network)
            self._count(call, counted, lambda: self._pass_on(call, route))
            return
        claims = None
        if route.access == "user":
            try:
                claims = self._identity.find_known(call.head)
            except Unauthorized as problem:
                self._refuse_stranger(call, problem)
                return
        if claims is not None:
            self._let_in(call, route, claims)
            return

        def ask() -> None:
            self._wait(call, self._ask_who(call, route))

        if asks_by_key(call.head):  # Before auth is asked: guessing is to cost us nothing.
            self._count(call, self._rates.of_stranger("key", call.network), ask)
        else:
            ask()

    async def _ask_who(self, call: Call, route: Route) -> None:
        identity = self._identity
        is_enrolling = route.access == "enrolment"
        identify = identity.identify_enrolling if is_enrolling else identity.identify
        try:
            claims = await identify(call.head, call.network)
        except Unauthorized as problem:
            self._refuse_stranger(call, problem)
        else:
            self._let_in(call, route, claims)

    def _refuse_stranger(self, call: Call, problem: Unauthorized) -> None:
        counted = self._rates.of_stranger("page", call.network)
        self._count(call, counted, lambda: self._fail(call, problem))

    def _let_in(self, call: Call, route: Route, claims: UserClaims | EnrolmentClaims) -> None:
        """Count what somebody asks whom we know now, and see whether he may."""
        call.holder = (claims.sub.bytes, claims.tid.bytes)
        call.user_language = claims.lang  # From here on refusals are told in it.
        rate = rate_of(route, call.method)
        counted = self._rates.of_user(rate, call.network, call.holder, claims.tid)
        if route.access == "enrolment" or isinstance(claims, EnrolmentClaims):
            self._count(call, counted, lambda: self._pass_on(call, route))
            return
        call.claims = claims

        def judge() -> None:
            self._revocations.require_fresh(reading=only_reads(route, call.method))
            require_scope(claims, route.scope)
            self._pass_on(call, route)

        self._count(call, counted, judge)

    def _require_standing(self, call: Call, route: Route) -> None:
        """Look again at a caller whose request took its time. Raises the Problem that ends it."""
        if call.claims is not None:
            self._identity.require_good(call.claims)
            self._revocations.require_fresh(reading=only_reads(route, call.method))

    def _count(self, call: Call, counted: tuple[Counted, ...], then: Callable[[], None]) -> None:
        """Count a request against its rates, and go on unless one of them refuses it."""

        def on_verdict(verdict: Verdict) -> None:
            if call.is_over:  # Its client has left.
                return
            call.rate = verdict.headers()
            if verdict.is_refused:
                metrics.rate_limited.labels(verdict.rate.name).inc()
                wait_s, name = verdict.wait_s, verdict.rate.name
                self._fail(call, RateLimited(retry_after_s=wait_s, rate=name))
            else:
                self._try(call, then)

        self._limiter.judge(counted, on_verdict)

    def _pass_on(self, call: Call, route: Route) -> None:
        proof = self._proof.make(call.client, call.request_id, call.method.encode(), call.target)
        call.head.passing += (PROOF, b": ", proof, b"\r\n")
        if _opens_socket(call, route):
            service = self._services[route.service]
            self._wait(call, self._sockets.connect(call, route, service, call.claims))
        else:
            self._proxy.forward(call, route)

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


def _opens_socket(call: Call, route: Route) -> bool:
    return route.is_socket and is_websocket(call)


def _known(method: str) -> str:
    return method if method in METHODS else OTHER_METHOD


def _begin_trace(call: Call) -> None:
    """Decide whether a request is traced, and say so to whoever is asked next."""
    given = call.head.read.get(b"traceparent") == call.traceparent
    call.span = tracing.begin_at_edge(
        _known(call.method), call.traceparent.decode() if given else ""
    )
    if call.span is None:
        call.traceparent = call.traceparent[:-2] + b"00"
        return
    before, call.traceparent = call.traceparent, tracing.traceparent_of(call.span).encode()
    if call.request_id == before[3:35]:  # One that we made finds the trace.
        call.request_id = call.traceparent[3:35]
