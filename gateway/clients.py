"""The connections of clients: how many there may be, of whom, and which one goes for another."""

import asyncio
import resource
from email.utils import formatdate
from typing import Final, Protocol

from gateway import metrics
from gateway.addresses import network_of

CONNECTIONS_MAX: Final = 50_000  # However many files may be open.
FILES_KEPT: Final = 256  # For logs, Redis, documents, and what else is opened.
SHARE: Final = 0.25  # Of all connections, for one network; an IPv6 network of 64 bits is one.
SHARE_MIN: Final = 64


def raise_file_limit() -> int:
    """Raise the limit of open files as far as we may; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else CONNECTIONS_MAX * 2


class Door(Protocol):
    """One client's connection."""

    peer: str

    @property
    def is_waiting(self) -> bool:
        """Say whether no request is in progress."""

    def is_too_slow(self, now: float, keep_alive_s: float) -> bool:
        """Say whether the client takes too long."""

    def close_when_answered(self) -> None:
        """Let what is in progress end, then close."""

    def abort(self) -> None:
        """End it at once."""


class Clients:
    """All connections of clients.

    When there are too many, of one network or of all, the one that has longest been without a
    request is closed for the new one. While every one of them is at work, the new one is refused.
    """

    def __init__(self, connections_max: int) -> None:
        self.all: set[Door] = set()
        self.is_draining = False  # Each answer is the last one of its connection.
        self.date = b""  # The header of every answer, made once a second.
        self.connections_max = connections_max
        self.per_network_max = max(int(connections_max * SHARE), SHARE_MIN)
        self._waiting: dict[Door, None] = {}  # Without a request, the longest first.
        self._networks: dict[str, dict[Door, None]] = {}
        self.keep_time()

    def add(self, door: Door) -> bool:
        """Let a connection in, in place of another one if need be; say whether it is let in."""
        network = self._networks.setdefault(network_of(door.peer), {})
        network[door] = None
        self.all.add(door)
        self._waiting[door] = None
        if len(network) > self.per_network_max and not self._make_room(network, door):
            return False
        return len(self.all) <= self.connections_max or self._make_room(self._waiting, door)

    def remove(self, door: Door) -> None:
        """Forget a connection that has ended."""
        self.all.discard(door)
        self._waiting.pop(door, None)
        name = network_of(door.peer)
        network = self._networks.get(name)
        if network is not None:
            network.pop(door, None)
            if not network:
                del self._networks[name]

    def now_busy(self, door: Door) -> None:
        """Note that a request has arrived."""
        self._waiting.pop(door, None)

    def now_idle(self, door: Door) -> None:
        """Note that a connection waits for a request, the last one to do so."""
        self._waiting[door] = None

    def keep_time(self) -> None:
        """Bring the date up to date. To be called each second."""
        self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()

    def sweep(self, keep_alive_s: float) -> None:
        """End the connections of clients that keep us waiting."""
        now = asyncio.get_running_loop().time()
        for door in [*self.all]:
            if door.is_too_slow(now, keep_alive_s):
                door.abort()

    def _make_room(self, among: dict[Door, None], newcomer: Door) -> bool:
        for door in among:
            if door is not newcomer and door.is_waiting:
                metrics.connections_ended.inc()
                self.remove(door)
                door.abort()
                return True
        metrics.connections_refused.inc()
        return False
