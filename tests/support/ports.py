"""Ports that no other program takes between being found and being used.

They lie below the range from which the system gives ports by itself. The last of a block is bound
for as long as the block is in use, so that two test runs at a time never share one.
"""

import random
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

FIRST, LAST = 20_000, 32_000
BLOCK = 20


@contextmanager
def reserved_ports(count: int = BLOCK - 1) -> Iterator[range]:
    """Give `count` ports in a row, free, and nobody else's while the block lasts."""
    for base in random.sample(range(FIRST, LAST, BLOCK), (LAST - FIRST) // BLOCK):
        with closing(socket.socket()) as holder:
            if not _is_bound(holder, base + BLOCK - 1):
                continue
            wanted = range(base, base + count)
            if all(_is_free(port) for port in wanted):
                yield wanted
                return
    raise AssertionError("no block of free ports")


@contextmanager
def reserved_port() -> Iterator[int]:
    with reserved_ports(1) as ports:
        yield ports[0]


def _is_free(port: int) -> bool:
    """Say whether a server could listen there now."""
    with closing(socket.socket()) as probe:
        # As servers do: connections that have ended, but are still remembered, are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return _is_bound(probe, port)


def _is_bound(to_bind: socket.socket, port: int) -> bool:
    """Say whether the socket could be bound to the port; it is, then."""
    try:
        to_bind.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
