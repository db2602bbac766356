"""Clients of Redis or Valkey: in the clear, over a socket, or over TLS that checks everything."""

import ssl
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import ConnectionPool, Redis, SSLConnection

from shared.settings import ProcessSettings
from shared.tls import client_context

TIMEOUT_S = 0.5


class _SecuredConnection(SSLConnection):
    """A connection that takes its context ready-made: redis-py would make one for each."""

    def __init__(self, *, secured: ssl.SSLContext, **options: Any) -> None:  # noqa: ANN401 - redis-py's own.
        super().__init__(**options)
        self.ssl_context.context = secured


def open_redis(settings: ProcessSettings) -> Redis:
    """Return a client that connects when first used, and waits TIMEOUT_S at most."""
    files = settings.redis_tls_files
    address = settings.redis_url.get_secret_value()
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
    }
    if files is None:
        return Redis.from_url(address, **options)
    # What an address says of certificates, such as `ssl_cert_reqs=none`, counts for nothing.
    plain = urlsplit(address)._replace(scheme="redis", query=_without_tls(urlsplit(address).query))
    pool = ConnectionPool.from_url(plain.geturl(), **options)
    pool.connection_class = _SecuredConnection
    pool.connection_kwargs["secured"] = client_context(files)
    return Redis.from_pool(pool)


def _without_tls(query: str) -> str:
    return "&".join(part for part in query.split("&") if not part.startswith("ssl"))
