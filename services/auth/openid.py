"""OpenID Connect with a company's own provider: discovery, the code's exchange, the ID token.

Everything that comes from there is bounded in size and time, and comes from addresses that may be
asked. Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (iss).
"""

import asyncio
import base64
import ipaddress
import json
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import quote_plus, urlencode, urlsplit

import httpcore
import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS: Final = ("RS256", "ES256")
DEADLINE_S: Final = 8.0  # Of one question, with its connection.
LEEWAY_S: Final = 60  # For clocks that differ.
_CONFIGURATION_KEPT_S: Final = 3600.0
_KEYS_KEPT_S: Final = 3600.0
_KEYS_RENEWED_S: Final = 60.0  # An unknown key id lets them be fetched again, no more often.
_KEPT_MAX: Final = 1000
_BODY_MAX: Final = 262_144
_TOKEN_LENGTH_MAX: Final = 16_384
_TIMEOUTS: Final = {"timeout": {"connect": 4.0, "read": 5.0, "write": 5.0, "pool": 4.0}}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OK: Final = 200

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052.
_PROTOCOL_ASSIGNMENTS: Final = ipaddress.IPv4Network("192.0.0.0/24")  # RFC 6890.
# IPv4-compatible, local NAT64 prefixes, site-local, Teredo: RFC 4291, 8215, 3879, 4380.
_OBSOLETE: Final = tuple(
    map(ipaddress.IPv6Network, ("::/96", "64:ff9b:1::/48", "fec0::/10", "2001::/32"))
)


class ProviderUnreachable(Exception):
    """The provider did not answer in time, or failed."""


class ProviderUnusable(Exception):
    """What the provider says of itself is not what we need, or its address may not be asked."""


class CodeRefused(Exception):
    """The provider does not take the code."""


class IdTokenRefused(Exception):
    """The ID token is not one that this provider gave for this sign-in."""


@dataclass(frozen=True, slots=True)
class ProviderConfiguration:
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    sends_issuer: bool  # With its answer, RFC 9207.
    takes_basic: bool  # Where the client's secret goes: a header, or the form.


class ProviderClient:
    """Asks providers; keeps what they say of themselves, and their keys, for an hour."""

    def __init__(self, *, allows_loopback: bool, allows_private: bool) -> None:
        self._allows_loopback = allows_loopback
        self._allows_private = allows_private
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=20,
            network_backend=_GuardedNetwork(self._may_connect),
        )
        self._configurations: dict[str, tuple[ProviderConfiguration, float]] = {}
        self._keys: dict[str, tuple[KeySet, float]] = {}

    async def close(self) -> None:
        await self._pool.aclose()

    def may_ask(self, url: str) -> bool:
        """Say whether an address has a form that may be asked: https, or loopback where allowed."""
        try:
            parts = urlsplit(url)
            has_port = parts.port is None or parts.port > 0
        except ValueError:
            return False
        is_plain_loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
        return (
            url.isascii()
            and bool(parts.hostname)
            and has_port
            and parts.username is None
            and not parts.fragment
            and (parts.scheme == "https" or (is_plain_loopback and self._allows_loopback))
        )

    async def configuration(self, issuer: str) -> ProviderConfiguration:
        """Return what the issuer says of itself. Raises ProviderUnreachable, ProviderUnusable."""
        kept = self._configurations.get(issuer)
        if kept is not None and kept[1] > time.monotonic() - _CONFIGURATION_KEPT_S:
            return kept[0]
        found = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        configuration = self._read_configuration(issuer, found)
        _keep(self._configurations, issuer, configuration)
        return configuration

    async def exchange(
        self, provider: ProviderConfiguration, client: tuple[str, str], grant: Mapping[str, str]
    ) -> str:
        """Return the ID token for a code; `client` is our id and secret there.

        Raises ProviderUnreachable, CodeRefused.
        """
        client_id, secret = client
        form = {"grant_type": "authorization_code", **grant}
        headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
        ]
        if provider.takes_basic:
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
            headers.append(("Authorization", "Basic " + base64.b64encode(pair).decode()))
        else:
            form |= {"client_id": client_id, "client_secret": secret}
        status, body = await self._send(
            "POST", provider.token_endpoint, headers, urlencode(form).encode()
        )
        if status != _OK:
            raise CodeRefused
        token = _object_in(body).get("id_token")
        if not isinstance(token, str):
            raise CodeRefused
        return token

    async def claims_of(
        self, provider: ProviderConfiguration, token: str, *, client_id: str, nonce: str
    ) -> dict[str, Any]:
        """Return what an ID token says. Raises ProviderUnreachable, IdTokenRefused."""
        if len(token) > _TOKEN_LENGTH_MAX:
            raise IdTokenRefused
        kid = _key_id_in(token)
        keys = await self._keys_of(provider, kid)
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": provider.issuer},
            sub={"essential": True},
            aud={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise IdTokenRefused from error
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        party = claims.get("azp")
        is_ours = client_id in audience and party in {None, client_id}
        if not is_ours or (len(audience) > 1 and party is None):
            raise IdTokenRefused
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise IdTokenRefused
        return dict(claims)

    async def _keys_of(self, provider: ProviderConfiguration, kid: str | None) -> KeySet:
        kept = self._keys.get(provider.jwks_uri)
        if kept is not None:
            age_s = time.monotonic() - kept[1]
            is_known = kid is None or any(key.kid == kid for key in kept[0].keys)
            if age_s < (_KEYS_KEPT_S if is_known else _KEYS_RENEWED_S):
                return kept[0]
        try:
            found = KeySet.import_key_set(await self._get(provider.jwks_uri))  # type: ignore[arg-type]  # Checked by it.
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderUnreachable from error
        _keep(self._keys, provider.jwks_uri, found)
        return found

    def _read_configuration(self, issuer: str, found: dict[str, Any]) -> ProviderConfiguration:
        named = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        urls = [str(found.get(name)) for name in named]
        if found.get("issuer") != issuer or not all(map(self.may_ask, urls)):
            raise ProviderUnusable
        methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return ProviderConfiguration(
            issuer=issuer,
            authorization_endpoint=urls[0],
            token_endpoint=urls[1],
            jwks_uri=urls[2],
            sends_issuer=found.get("authorization_response_iss_parameter_supported") is True,
            takes_basic=isinstance(methods, Iterable) and "client_secret_basic" in methods,
        )

    async def _get(self, url: str) -> dict[str, Any]:
        status, body = await self._send("GET", url, [("Accept", "application/json")], b"")
        if status != _OK:
            raise ProviderUnreachable
        return _object_in(body)

    async def _send(
        self, method: str, url: str, headers: list[tuple[str, str]], content: bytes
    ) -> tuple[int, bytes]:
        """Return status and body; a redirection is not followed. Raises ProviderUnreachable."""
        if not self.may_ask(url):
            raise ProviderUnusable
        body = b""
        try:
            async with (
                asyncio.timeout(DEADLINE_S),
                self._pool.stream(
                    method, url, headers=headers, content=content, extensions=_TIMEOUTS
                ) as response,
            ):
                async for chunk in response.aiter_stream():
                    body += chunk
                    if len(body) > _BODY_MAX:
                        raise ProviderUnreachable
        except (TimeoutError, OSError, UnicodeError, *_HTTP_ERRORS) as error:
            raise ProviderUnreachable from error
        return response.status, body

    def _may_connect(self, address: str) -> bool:
        """Say whether an address may be connected to, once names are resolved."""
        ip = _reached_by(ipaddress.ip_address(address))
        if ip is None:
            return False
        if ip.is_loopback:
            return self._allows_loopback
        if ip.is_multicast:
            return False
        return ip.is_global or (self._allows_private and ip.is_private and not ip.is_link_local)


class _GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a name once and connects to what was looked at, so that no second answer counts."""

    def __init__(self, may_connect: Any) -> None:  # noqa: ANN401 - a method of the client.
        self._may_connect = may_connect
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature.
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        if not addresses or not all(map(self._may_connect, addresses)):
            raise httpcore.ConnectError("this address may not be asked")
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
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


def _reached_by(ip: Address) -> Address | None:
    """Return the address that is reached in the end; None for one that nobody should be at.

    IPv6 carries IPv4 in several ways, through which a private address would look like a public one.
    """
    if isinstance(ip, ipaddress.IPv4Address):
        return None if ip in _PROTOCOL_ASSIGNMENTS else ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    if any(ip in network for network in _OBSOLETE) and not ip.is_loopback:
        return None
    return ip.ipv4_mapped or ip.sixtofour or ip


def _keep(kept: dict[str, Any], name: str, value: object) -> None:
    if len(kept) >= _KEPT_MAX:
        kept.clear()
    kept[name] = value, time.monotonic()


def _object_in(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderUnreachable from error
    if not isinstance(found, dict):
        raise ProviderUnreachable
    return found


def _key_id_in(token: str) -> str | None:
    """Return which key a token names, before anything of it is believed."""
    try:
        part = token.split(".", 1)[0]
        kid = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))).get("kid")
    except (ValueError, AttributeError, RecursionError) as error:
        raise IdTokenRefused from error
    return kid if isinstance(kid, str) else None
