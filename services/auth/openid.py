"""OpenID Connect with a company's own provider: discovery, the code's exchange, the ID token.

Everything that comes from there is bounded in size and time, and comes from addresses that may be
asked. Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (iss).
"""

import base64
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.outgoing import OutgoingClient, Unreachable

ALGORITHMS: Final = ("RS256", "ES256")
DEADLINE_S: Final = 8.0  # Of one question, with its connection.
LEEWAY_S: Final = 60  # For clocks that differ.
_CONFIGURATION_KEPT_S: Final = 3600.0
_KEYS_KEPT_S: Final = 3600.0
_KEYS_RENEWED_S: Final = 60.0  # An unknown key id lets them be fetched again, no more often.
_KEPT_MAX: Final = 1000
_BODY_MAX: Final = 262_144
_TOKEN_LENGTH_MAX: Final = 16_384
_OK: Final = 200


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
        self._outgoing = OutgoingClient(
            allows_loopback=allows_loopback, allows_private=allows_private, connections_max=20
        )
        self._configurations: dict[str, tuple[ProviderConfiguration, float]] = {}
        self._keys: dict[str, tuple[KeySet, float]] = {}

    async def close(self) -> None:
        await self._outgoing.close()

    def may_ask(self, url: str) -> bool:
        """Say whether an address has a form that may be asked: https, or loopback where allowed."""
        return self._outgoing.may_ask(url)

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
        """Return status and body. Raises ProviderUnreachable, ProviderUnusable."""
        if not self.may_ask(url):
            raise ProviderUnusable
        try:
            answer = await self._outgoing.send(
                method, url, headers, content, deadline_s=DEADLINE_S, body_max=_BODY_MAX
            )
        except Unreachable as error:
            raise ProviderUnreachable from error
        if answer.is_cut:
            raise ProviderUnreachable
        return answer.status, answer.body


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
