"""`python -m gateway`: the gateway on its port, until SIGTERM; what is in flight ends first."""

import logging
import socket
from functools import partial

import stamina
import uvloop

from gateway.processes import Processes
from gateway.server import BACKLOG, Server
from gateway.settings import Settings
from shared.collector import calm_collector
from shared.log import configure_logging
from shared.settings import load_settings


def main() -> None:
    settings = load_settings(Settings)
    _prepare(settings)
    if settings.gateway_processes > 1:
        Processes(partial(run_one_of_many, settings), settings.gateway_processes).keep()
    else:
        uvloop.run(serve(settings, [listen(settings)]))


def run_one_of_many(settings: Settings, number: int) -> None:
    """Serve on the common port, and on one of this process's own if there is one."""
    _prepare(settings)
    sockets = [listen(settings)]
    if settings.gateway_metrics_port:
        sockets.append(socket.create_server(("127.0.0.1", settings.gateway_metrics_port + number)))
    uvloop.run(serve(settings, sockets))


async def serve(settings: Settings, sockets: list[socket.socket]) -> None:
    """Serve until told to end."""
    server = Server(settings)
    server.handle_signals()
    await server.serve(sockets)


def listen(settings: Settings) -> socket.socket:
    """Return the listening socket, which several processes may have, each its own."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server(
        (settings.host, settings.gateway_port),
        family=family,
        backlog=BACKLOG,
        reuse_port=settings.gateway_processes > 1,
    )


def _prepare(settings: Settings) -> None:
    configure_logging("gateway", settings.log_level, settings.log_format)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # It tells of each request it makes.
    stamina.set_active(False)  # What the gateway asks of auth it asks again anyway.
    calm_collector()


if __name__ == "__main__":
    main()
