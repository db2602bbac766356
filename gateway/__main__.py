"""`python -m gateway`: the gateway on its port, until SIGTERM; what is in flight ends first."""

import asyncio
import logging

import stamina
import uvicorn

from gateway import metrics
from gateway.app import Gateway
from gateway.protocol import FrontDoor
from gateway.settings import Settings
from shared.collector import calm_collector
from shared.log import configure_logging
from shared.settings import load_settings

TICK_S = 0.1  # uvicorn's.
TICKS_PER_SWEEP = 10


class Server(uvicorn.Server):
    """uvicorn, ending the connections of clients that keep us waiting."""

    _ticked_at: float | None = None

    async def on_tick(self, counter: int) -> bool:
        now = asyncio.get_running_loop().time()
        if self._ticked_at is not None:
            metrics.event_loop_lag.set(max(now - self._ticked_at - TICK_S, 0.0))
        self._ticked_at = now
        if counter % TICKS_PER_SWEEP == 0:
            for connection in [*self.server_state.connections]:
                if isinstance(connection, FrontDoor) and connection.is_too_slow(now):
                    connection.abort()
        return await super().on_tick(counter)


def make_server(settings: Settings) -> Server:
    """Return the server, ready to run."""
    return Server(
        uvicorn.Config(
            Gateway(settings),
            host=settings.host,
            port=settings.gateway_port,
            loop="uvloop",
            http=FrontDoor,
            ws="none",
            lifespan="on",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=settings.gateway_keep_alive_s,
            timeout_graceful_shutdown=settings.gateway_drain_s,
        )
    )


def main() -> None:
    settings = load_settings(Settings)
    configure_logging("gateway", settings.log_level, settings.log_format)
    # httpx tells of each request it makes; uvicorn of each request it cannot read.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stamina.set_active(False)  # What the gateway asks of auth it asks again anyway.
    server = make_server(settings)
    calm_collector()
    server.run()


if __name__ == "__main__":
    main()
