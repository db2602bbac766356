"""The gateway on its sockets: it begins, keeps time, and ends what it began before it stops."""

import asyncio
import signal
import socket
from collections.abc import Sequence
from typing import Final

import structlog

from gateway import metrics
from gateway.app import Gateway
from gateway.clients import CONNECTIONS_MAX, FILES_KEPT, Clients, raise_file_limit
from gateway.protocol import FrontDoor
from gateway.settings import Settings

TICK_S: Final = 0.1
TICKS_PER_SWEEP: Final = 10
BACKLOG: Final = 2048
FAREWELL_S: Final = 1.0  # So long after SIGTERM a client at rest may send one more request.

log = structlog.get_logger()


class Server:
    """One process of the gateway."""

    def __init__(self, settings: Settings) -> None:
        self.gateway = Gateway(settings)
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
                lambda: FrontDoor(self.gateway, self.clients, loop), sock=each, backlog=BACKLOG
            )
            for each in sockets
        ]
        await self._stopping.wait()
        for listener in listeners:
            listener.close()
        self.clients.is_draining = True
        await self._drain()
        ticking.cancel()
        await self.gateway.stop()

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
            self.gateway.tick(now)
            count += 1
            if count % TICKS_PER_SWEEP == 0:
                self.clients.keep_time()
                self.clients.sweep(self._settings.gateway_keep_alive_s)
