"""From an Authorization header to a caller who may pass, or the reason why not."""

import time
from typing import Final, TypeVar

from gateway.api_keys import ApiKeys
from gateway.errors import (
    EnrolmentUnfinished,
    InvalidAccessToken,
    SchemeUnknown,
    SignInAway,
)
from gateway.headers import RequestHead
from gateway.revocations import Revocations
from shared.errors import MissingScope, Unauthorized
from shared.security.claims import Claims, EnrolmentClaims, InvalidToken, UserClaims
from shared.security.jwks import KeysUnavailable
from shared.security.tokens import KeySource, TokenVerifier

C = TypeVar("C", bound=Claims)

_SCHEME: Final = b"bearer "
_API_KEY: Final = "ik_"


class Identity:
    """Checks access tokens: signature, claims, revocation; those of machines' keys as well."""

    def __init__(self, keys: KeySource, revocations: Revocations, api_keys: ApiKeys) -> None:
        self._verifier = TokenVerifier(keys, UserClaims)
        self._enrolling = TokenVerifier(keys, EnrolmentClaims)
        self._revocations = revocations
        self._api_keys = api_keys

    def find_known(self, head: RequestHead) -> UserClaims | None:
        """Return what `identify` would, if nothing has to be asked or computed for it; else None.

        Raises as it does.
        """
        bearer = _bearer(head)
        token: str | None = bearer
        if is_key := bearer.startswith(_API_KEY):
            token = self._api_keys.find_token(bearer)
        try:
            claims = None if token is None else self._verifier.find_known(token)
            if claims is not None:
                claims = self.require_good(claims)
        except (InvalidToken, InvalidAccessToken):
            if is_key:  # It may give another one.
                return None
            raise InvalidAccessToken from None
        if claims is not None and is_key and token is not None:
            head.authorize(token)
        return claims

    async def identify(self, head: RequestHead, network: bytes) -> UserClaims:
        """Return the claims of the caller, as they are now.

        Where a key came, the head has its access token from then on. Raises Unauthorized,
        InvalidAccessToken, EnrolmentUnfinished, ApiKeyRefused, SignInAway.
        """
        bearer = _bearer(head)
        if not bearer.startswith(_API_KEY):
            return self.require_good(await self._verify_access(bearer))
        token = await self._api_keys.token_of(bearer, network)
        try:
            claims = self.require_good(await _verify(self._verifier, token))
        except InvalidAccessToken:  # The owner's rights may have changed, or the key is revoked.
            self._api_keys.forget(bearer)
            token = await self._api_keys.token_of(bearer, network)
            claims = self.require_good(await _verify(self._verifier, token))
        head.authorize(token)
        return claims

    async def identify_enrolling(
        self, head: RequestHead, network: bytes
    ) -> UserClaims | EnrolmentClaims:
        """Return who calls a route that an enrolment token is good for too; auth judges that one.

        Raises as `identify`.
        """
        try:
            return await self.identify(head, network)
        except EnrolmentUnfinished:
            return await _verify(self._enrolling, _bearer(head))

    async def _verify_access(self, token: str) -> UserClaims:
        """Return the claims of an access token; of one for enrolment, say what it is for."""
        try:
            return await _verify(self._verifier, token)
        except InvalidAccessToken:
            await _verify(self._enrolling, token)  # Raises where it is no such token either.
            raise EnrolmentUnfinished from None

    def require_good(self, claims: UserClaims) -> UserClaims:
        """Return the claims as they are now, if they still hold.

        Raises InvalidAccessToken, SignInAway.
        """
        if not self._revocations.loaded:
            raise SignInAway
        if claims.exp <= time.time() or self._revocations.cover(claims):
            raise InvalidAccessToken
        return self._revocations.correct(claims)


def asks_by_key(head: RequestHead) -> bool:
    """Say whether a machine's key came in place of an access token."""
    return head.read.get(b"authorization", b"")[len(_SCHEME) :].startswith(_API_KEY.encode())


def _bearer(head: RequestHead) -> str:
    """Return what stands after `Bearer`. Raises Unauthorized, SchemeUnknown."""
    authorization = head.read.get(b"authorization")
    if authorization is None:
        raise Unauthorized
    if authorization[: len(_SCHEME)].lower() != _SCHEME or not authorization.isascii():
        raise SchemeUnknown
    return authorization[len(_SCHEME) :].decode("ascii")


async def _verify(verifier: TokenVerifier[C], token: str) -> C:
    try:
        return await verifier.verify(token)
    except InvalidToken:
        raise InvalidAccessToken from None
    except KeysUnavailable:
        raise SignInAway from None


def require_scope(claims: UserClaims, scope: str | None) -> None:
    """Raise MissingScope unless the caller has the scope of a route."""
    if scope is not None and scope not in claims.scopes:
        raise MissingScope(scope=scope)
