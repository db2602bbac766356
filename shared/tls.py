"""Whom our connections trust: read once in a process, since each reading takes some 30 ms."""

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """Return what every client of the process opens TLS connections with."""
    return httpx.create_ssl_context()
