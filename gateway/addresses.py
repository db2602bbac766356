"""Where a request comes from: the peer, or whom a proxy that we trust says it speaks for."""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from gateway.wire import Headers

UNKNOWN: Final = b"unknown"
_NETWORK_BITS: Final = 64  # Of IPv6: a client commands a network of this size at least.
_NETWORKS_KEPT: Final = 16_384

_FORWARDED_FOR: Final = re.compile(r'(?:^|;)\s*for="?\[?([^"\];]+)', re.IGNORECASE)
_PORT: Final = re.compile(r"^([0-9.]+):[0-9]+$|^\[([^\]]+)\](?::[0-9]+)?$")

Address = IPv4Address | IPv6Address


class Proxies:
    """The proxies in front of us whose word on the client's address counts."""

    def __init__(self, trusted: Iterable[str]) -> None:
        """Take addresses and networks (CIDR). Raises ValueError for anything else."""
        self._trusted = [ip_network(network) for network in trusted]

    def client_of(self, peer: str, headers: Headers) -> bytes:
        """Return the address of the client behind a connection from `peer`.

        X-Forwarded-For, or without it Forwarded (RFC 7239), is read from the right, where our own
        proxies wrote; the first that is not one of them is the client. What is unreadable, and two
        headers that differ, are nobody's word: then it is the last who was certain.
        """
        if not self._trusted or not self._trusts(_address_of(peer)):
            return peer.encode()
        told = [_hops(headers, b"x-forwarded-for"), _hops(headers, b"forwarded")]
        found = {self._first_stranger(peer, hops) for hops in told if hops}
        return (found.pop() if len(found) == 1 else peer).encode()

    def _first_stranger(self, peer: str, hops: list[str]) -> str:
        last = peer
        for hop in reversed(hops):
            address = _address_of(hop)
            if address is None:
                return last
            last = str(address)
            if not self._trusts(address):
                return last
        return last

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


class Networks:
    """Names the network of an address under which its requests are counted.

    The name is a keyed hash: addresses are personal, and Redis need not know them.
    """

    def __init__(self, key: bytes) -> None:
        self.name_of = lru_cache(_NETWORKS_KEPT)(self._name_of)
        self._key = key

    def _name_of(self, client: bytes) -> bytes:
        network = network_of(client.decode("latin-1")).encode()
        return hashlib.blake2b(network, key=self._key, digest_size=12).digest()


def network_of(client: str) -> str:
    """Return an IPv4 address as it is, of an IPv6 address the first 64 bits."""
    address = _address_of(client)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> _NETWORK_BITS << _NETWORK_BITS, _NETWORK_BITS)))
    return client if address is None else str(address)


def _hops(headers: Headers, name: bytes) -> list[str]:
    """Return the addresses of a forwarding header as written, farthest first."""
    lines = [value.decode("latin-1") for other, value in headers if other == name]
    hops = [hop.strip() for line in lines for hop in line.split(",")]
    if name == b"forwarded":
        named = [_FORWARDED_FOR.search(hop) for hop in hops]
        return ["" if match is None else match[1] for match in named]
    return hops


def _address_of(text: str) -> Address | None:
    """Return an address, also one written with a port; IPv4 within IPv6 is IPv4."""
    with_port = _PORT.match(text)
    if with_port is not None:
        text = with_port[1] or with_port[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
