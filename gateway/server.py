"""The gateway on its sockets: it begins, keeps time, and ends what it began before it stops."""

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

import stamina
import structlog
import uvloop

from gateway import metrics
from gateway.app import Gateway
from gateway.clients import CONNECTIONS_MAX, FILES_KEPT, Clients, raise_file_limit
from gateway.protocol import FrontDoor
from gateway.routes import RouteTable
from gateway.settings import Settings
from shared import tracing
from shared.collector import calm_collector
from shared.log import configure_logging
from shared.tls import refresh_certificates, server_context

TICK_S: Final = 0.1
TICKS_PER_SWEEP: Final = 10
TICKS_PER_LOOK: Final = 50  # At the files of certificates.
BACKLOG: Final = 2048
HANDSHAKE_TIMEOUT_S: Final = 5.0
FAREWELL_S: Final = 1.0  # So long after SIGTERM a client at rest may send one more request.

log = structlog.get_logger()


class Server:
    """One process of the gateway."""

    def __init__(self, settings: Settings, routes: RouteTable | None = None) -> None:
        self.gateway = Gateway(settings, routes)
        self.should_exit = False
        upstream = self.gateway.connections_max
        room = raise_file_limit() - FILES_KEPT - upstream
        self.clients = Clients(max(min(room, CONNECTIONS_MAX), 1))
        self._settings = settings
        self._stopping = asyncio.Event()

    async def serve(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on these sockets until SIGTERM, SIGINT or `stop`."""
        loop = asyncio.get_running_loop()
        await self.gateway.start()
        ticking = asyncio.create_task(self._tick())
        listeners = [
            await loop.create_server(
                lambda: FrontDoor(self.gateway, self.clients, loop),
                sock=each,
                backlog=BACKLOG,
                ssl=secured,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S if secured else None,
            )
            for each, secured in zip_longest(sockets, (self._secured(),))
        ]
        await self._stopping.wait()
        for listener in listeners:
            listener.close()
        self.clients.is_draining = True
        await self._drain()
        ticking.cancel()
        await self.gateway.stop()
        await tracing.finish()

    def _secured(self) -> ssl.SSLContext | None:
        """Return what clients are shown at the first socket: the gateway's port."""
        files = self._settings.gateway_tls
        return server_context(files) if files else None

    def stop(self) -> None:
        """Begin to end: no new connection, what is in progress is answered."""
        self._stopping.set()

    def handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)

    async def _drain(self) -> None:
        """Answer what is in flight, and what clients at rest were sending just now."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.clients.all:
            passed_s = loop.time() - began
            if passed_s > self._settings.gateway_drain_s:
                log.warning("connections broken off", count=len(self.clients.all))
                for door in [*self.clients.all]:
                    door.abort()
                return
            for door in [*self.clients.all]:
                if door.is_waiting and passed_s < FAREWELL_S:
                    continue
                door.close_when_answered()
            await asyncio.sleep(TICK_S / 2)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        count = 0
        while True:
            due = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            now = loop.time()
            metrics.event_loop_lag.set(max(now - due, 0.0))
            try:
                self.gateway.tick(now)
            except Exception:  # Time limits hold on, whatever one request brought about.
                log.exception("tick failed")
            count += 1
            if count % TICKS_PER_SWEEP == 0:
                self.clients.keep_time()
                self.clients.sweep(self._settings.gateway_keep_alive_s)
            if count % TICKS_PER_LOOK == 0:
                refresh_certificates()


def run(settings: Settings) -> None:
    """Serve on the gateway's port until told to end."""
    _run(settings, [_listen(settings)])


def run_one_of_many(settings: Settings, number: int) -> None:
    """Serve on the common port, and on one of this process's own if there is one."""
    sockets = [_listen(settings)]
    if settings.gateway_metrics_port:
        sockets.append(socket.create_server(("127.0.0.1", settings.gateway_metrics_port + number)))
    _run(settings, sockets)


def _run(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    configure_logging("gateway", settings.log_level, settings.log_format)
    tracing.start("gateway", settings.otel_exporter_otlp_endpoint, settings.trace_ratio)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # It tells of each request it makes.
    stamina.set_active(False)  # What the gateway asks of auth it asks again anyway.
    calm_collector()
    uvloop.run(_serve(settings, sockets))


async def _serve(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    server = Server(settings)
    server.handle_signals()
    await server.serve(sockets)


def _listen(settings: Settings) -> socket.socket:
    """Return the listening socket, which several processes may have, each its own."""
    return socket.create_server(
        (settings.host, settings.gateway_port),
        family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
        backlog=BACKLOG,
        reuse_port=settings.gateway_processes > 1,
    )
