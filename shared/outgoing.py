"""Requests to addresses that customers name, kept from our own network (SSRF).

Everything is bounded in size and time. A name is resolved once, each address it has is looked at,
and the connection goes to one of these: no second answer of the DNS counts. Redirections are not
followed.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import httpcore

from shared.tls import tls_context

_CONNECT_S: Final = 4.0
_VISIBLE: Final = re.compile(r"[!-~]+")  # What an address is written in: RFC 3986, 2.
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Headers: TypeAlias = list[tuple[str, str]]

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052.
# Protocol assignments, and "this network", which Linux takes for loopback: RFC 6890, 1122.
_NOBODYS: Final = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "0.0.0.0/8")))
# IPv4-compatible, local NAT64 prefixes, site-local, Teredo: RFC 4291, 8215, 3879, 4380.
_OBSOLETE: Final = tuple(
    map(ipaddress.IPv6Network, ("::/96", "64:ff9b:1::/48", "fec0::/10", "2001::/32"))
)


class Unreachable(Exception):
    """There was no answer: each reason has a class of its own where it is known."""


class TimedOut(Unreachable):
    """There was no answer in time."""


class AddressRefused(Unreachable):
    """The address is in a network, or of a form, that may not be asked."""


@dataclass(frozen=True, slots=True)
class OutgoingAnswer:
    """An answer from outside; `is_cut` if its body was longer than wanted, and was left."""

    status: int
    headers: dict[str, str]  # By name in small letters.
    body: bytes
    is_cut: bool


class OutgoingClient:
    """Asks addresses outside, so many at once.

    Names are resolved in threads of its own: a name server that hangs holds nobody else up.
    """

    def __init__(
        self, *, allows_loopback: bool, allows_private: bool, connections_max: int
    ) -> None:
        self._allows_loopback = allows_loopback
        self._allows_private = allows_private
        self._resolvers = ThreadPoolExecutor(connections_max, "resolve")
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls_context(),
            max_connections=connections_max,
            keepalive_expiry=5.0,
            network_backend=_GuardedNetwork(self.may_connect, self._resolvers),
        )

    async def close(self) -> None:
        await self._pool.aclose()
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    def may_ask(self, url: str) -> bool:
        """Say whether an address has a form that may be asked: https, or loopback where allowed.

        A name may still lead where nothing may be sent; that shows once it is resolved.
        """
        try:
            parts = urlsplit(url)
            has_port = parts.port is None or parts.port > 0
        except ValueError:
            return False
        is_plain_loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
        return (
            _VISIBLE.fullmatch(url) is not None
            and bool(parts.hostname)
            and has_port
            and parts.username is None
            and not parts.fragment
            and self._may_be_named(parts.hostname or "")
            and (parts.scheme == "https" or (is_plain_loopback and self._allows_loopback))
        )

    def may_connect(self, address: str) -> bool:
        """Say whether an address may be connected to, once names are resolved."""
        ip = _reached_by(ipaddress.ip_address(address))
        if ip is None:
            return False
        if ip.is_loopback:
            return self._allows_loopback
        if ip.is_multicast:
            return False
        return ip.is_global or (self._allows_private and ip.is_private and not ip.is_link_local)

    def _may_be_named(self, host: str) -> bool:
        """Say whether a host is a name, or an address that may be connected to."""
        try:
            return self.may_connect(host)
        except ValueError:
            return True

    async def send(
        self,
        method: str,
        url: str,
        headers: Headers,
        content: bytes,
        *,
        deadline_s: float,
        body_max: int,
    ) -> OutgoingAnswer:
        """Return the answer with at most so many bytes of its body.

        Raises AddressRefused, TimedOut, Unreachable.
        """
        if not self.may_ask(url):
            raise AddressRefused
        timeouts = {"connect": _CONNECT_S, "read": deadline_s, "write": deadline_s}
        body = b""
        try:
            async with (
                asyncio.timeout(deadline_s),
                self._pool.stream(
                    method,
                    url,
                    headers=headers,
                    content=content,
                    extensions={"timeout": {**timeouts, "pool": deadline_s}},
                ) as response,
            ):
                async for chunk in response.aiter_stream():
                    body += chunk
                    if len(body) > body_max:
                        break
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise TimedOut from error
        except (OSError, UnicodeError, *_HTTP_ERRORS) as error:
            raise Unreachable from error
        named = {name.decode("latin-1").lower(): value for name, value in response.headers}
        return OutgoingAnswer(
            status=response.status,
            headers={name: value.decode("latin-1") for name, value in named.items()},
            body=body[:body_max],
            is_cut=len(body) > body_max,
        )


class _GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a name once and connects to what was looked at, so that no second answer counts."""

    def __init__(self, may_connect: Callable[[str], bool], resolvers: Executor) -> None:
        self._may_connect = may_connect
        self._resolvers = resolvers
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature.
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        resolve = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._resolvers, resolve)
        addresses = [str(one[4][0]) for one in found]
        if not addresses or not all(map(self._may_connect, addresses)):
            raise AddressRefused
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError:
                continue
        return await self._inner.connect_tcp(
            addresses[-1], port, timeout, local_address, socket_options
        )


_HTTP_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


def _reached_by(ip: Address) -> Address | None:
    """Return the address that is reached in the end; None for one that nobody should be at.

    IPv6 carries IPv4 in several ways, through which a private address would look like a public one.
    """
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in _OBSOLETE) and not ip.is_loopback:
            return None
        in_nat64 = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF) if ip in _NAT64 else None
        ip = in_nat64 or ip.ipv4_mapped or ip.sixtofour or ip
    if isinstance(ip, ipaddress.IPv4Address) and any(ip in network for network in _NOBODYS):
        return None
    return ip
