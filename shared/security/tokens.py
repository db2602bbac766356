"""The one place that touches python-jose: signing and verifying RS256 access tokens.

The library lets much pass: an audience that is missing, an expiry that is text, unknown `crit`
headers, altered base64, duplicate claims; and some input escapes it as RecursionError. Hence here:
the token's form and header are checked before any cryptography, the key comes from a map of
prebuilt keys, python-jose does the signature alone, and every claim is read by `claims`.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, Protocol, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jws
from jose.backends.base import Key
from jose.exceptions import JOSEError

from shared.security.claims import Claims, InvalidToken, Json

ALGORITHM: Final = "RS256"
TOKEN_LENGTH_MAX: Final = 4096
RSA_BITS_MIN: Final = 2048
CACHE_SIZE: Final = 20_000

_SEGMENTS: Final = 3
_HEADER_NAMES: Final = frozenset({"alg", "typ", "kid"})  # So no crit, jku, jwk, x5u, x5c or b64.
_KID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

C = TypeVar("C", bound=Claims)


class KeySource(Protocol):
    """Where verification keys come from: `jwks.RemoteKeys`, or `FixedKeys`."""

    generation: int  # Grows when a key is withdrawn: what it signed must be looked at again.

    async def get(self, kid: str) -> Key:
        """Return the key. Raises InvalidToken if there is none of that name."""


class FixedKeys:
    """Keys known beforehand, as auth has its own."""

    generation = 0

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self._keys = dict(keys)

    async def get(self, kid: str) -> Key:
        """Return the key. Raises InvalidToken if there is none of that name."""
        try:
            return self._keys[kid]
        except KeyError:
            raise InvalidToken("unknown kid") from None


class TokenSigner:
    """Signs claims with one private key, parsed once (280 µs a token; parsing takes 40 ms)."""

    def __init__(self, private_pem: str) -> None:
        """Take an RSA key in PEM. Raises ValueError if it is no RSA key of 2048 bits or more."""
        self._key = _load_private_key(private_pem)
        self.kid = thumbprint(self._key.to_dict())

    def sign(self, claims: Claims) -> str:
        """Return the compact token."""
        header = {"typ": claims.typ, "kid": self.kid}
        token: str = jws.sign(claims.payload(), self._key, headers=header, algorithm=ALGORITHM)
        return token


def new_private_key() -> str:
    """Return a fresh RSA key in PEM; makes work of some 100 ms."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS_MIN)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


class TokenVerifier(Generic[C]):
    """Turns a token into claims; a token seen before costs one SHA-256 until it expires.

    Says nothing about revocation: whoever accepts the token checks `sid` and `ver` each time.
    """

    def __init__(
        self,
        keys: KeySource,
        kind: type[C],
        *,
        clock: Callable[[], float] = time.time,
        cache_size: int = CACHE_SIZE,
    ) -> None:
        self._keys = keys
        self._kind = kind
        self._clock = clock
        self._cache_size = cache_size
        self._cache: dict[bytes, C] = {}
        self._generation = keys.generation

    async def verify(self, token: str) -> C:
        """Return the claims of a valid token. Raises InvalidToken, and what the key source does."""
        claims = self.find_known(token)
        if claims is None:
            claims = await self._verify(token)
            self._remember(_digest(token), claims)
        return claims

    def find_known(self, token: str) -> C | None:
        """Return the claims of a token that was verified before; None if it has still to be.

        Raises InvalidToken if it has expired meanwhile, or can be none.
        """
        if self._generation != self._keys.generation:
            self._cache.clear()
            self._generation = self._keys.generation
        if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
            raise InvalidToken("too long, or not ASCII")
        digest = _digest(token)
        claims = self._cache.get(digest)
        if claims is not None and claims.exp <= self._clock():
            del self._cache[digest]
            raise InvalidToken("expired")
        return claims

    async def _verify(self, token: str) -> C:
        key = await self._keys.get(_check_form(token, self._kind.typ))
        payload = _check_signature(token, key)
        return self._kind.read(_read_object(payload), self._clock())

    def _remember(self, digest: bytes, claims: C) -> None:
        if len(self._cache) >= self._cache_size:
            del self._cache[next(iter(self._cache))]  # The oldest; it is merely verified again.
        self._cache[digest] = claims


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("ascii")).digest()


def public_jwks(*private_pems: str) -> dict[str, list[dict[str, str]]]:
    """Return the JWK set (RFC 7517) of these private keys: public members only."""
    return {"keys": [_public_jwk(_load_private_key(pem)) for pem in private_pems]}


def load_jwks(document: object) -> dict[str, Key]:
    """Return the usable keys of a JWK set by `kid`, prebuilt.

    Entries of another type, algorithm or use, too short, or without a proper `kid` are left out.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    return dict(_usable(entries)) if isinstance(entries, list) else {}


def thumbprint(public: Mapping[str, str]) -> str:
    """Return the RFC 7638 thumbprint of an RSA JWK: the `kid` we give our keys."""
    members = {name: public[name] for name in ("e", "kty", "n")}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _encode(hashlib.sha256(canonical.encode()).digest())


def _check_form(token: str, typ: str) -> str:
    """Check everything about a token that needs no key, and return its `kid`."""
    segments = [_decode(segment) for segment in token.split(".", _SEGMENTS)]
    if len(segments) != _SEGMENTS:
        raise InvalidToken("not three segments")
    header = _read_object(segments[0])
    if not header.keys() <= _HEADER_NAMES:
        raise InvalidToken("a header we do not know")
    if header.get("alg") != ALGORITHM or header.get("typ") != typ:
        raise InvalidToken("another algorithm or type")
    kid = header.get("kid")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise InvalidToken("kid is malformed")
    return kid


def _check_signature(token: str, key: Key) -> bytes:
    """Return the payload of a token that `key` signed."""
    try:
        payload: bytes = jws.verify(token, key, algorithms=[ALGORITHM])
    except Exception as error:
        raise InvalidToken("signature") from error
    return payload


def _read_object(text: bytes) -> dict[str, Json]:
    """Return a JSON object; refuses duplicate names, floats, NaN, and nesting too deep to read."""
    try:
        parsed = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_refuse_duplicates,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError) as error:
        raise InvalidToken("not plain JSON") from error
    if not isinstance(parsed, dict):
        raise InvalidToken("not a JSON object")
    return parsed


def _refuse_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _refuse(text: str) -> Json:
    raise ValueError(f"{text} is no whole number")


def _decode(segment: str) -> bytes:
    """Decode base64url, written the one canonical way: no padding, no stray bits."""
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError as error:
        raise InvalidToken("not base64url") from error
    if not data or _encode(data) != segment:
        raise InvalidToken("not canonical base64url")
    return data


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _load_private_key(pem: str) -> Key:
    try:
        key = jwk.construct(pem, ALGORITHM)
        bits = key.prepared_key.key_size
        private = not key.is_public()
    except (JOSEError, AttributeError) as error:
        raise ValueError("the signing key is no RSA key in PEM") from error
    if not private or bits < RSA_BITS_MIN:
        raise ValueError(f"the signing key must be a private RSA key of {RSA_BITS_MIN} bits")
    return key


def _public_jwk(key: Key) -> dict[str, str]:
    public = key.public_key().to_dict()
    return {
        "kty": "RSA",
        "kid": thumbprint(public),
        "alg": ALGORITHM,
        "use": "sig",
        "n": public["n"],
        "e": public["e"],
    }


def _usable(entries: list[object]) -> Iterable[tuple[str, Key]]:
    for entry in entries:
        match entry:
            case {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": str(kid), "n": n, "e": e}:
                if _KID.fullmatch(kid) and (key := _find_public_key(n, e)):
                    yield kid, key
            case _:
                continue


def _find_public_key(n: object, e: object) -> Key | None:
    """Return the key of these two numbers, or None if they make no sound one."""
    try:
        key = jwk.construct({"kty": "RSA", "n": n, "e": e}, ALGORITHM)
    except Exception:  # noqa: BLE001  Numbers from the network: python-jose raises what it likes.
        return None
    return key if key.prepared_key.key_size >= RSA_BITS_MIN else None
