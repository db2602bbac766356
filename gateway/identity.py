"""From an Authorization header to a caller who may pass, or the reason why not."""

from typing import Final, TypeVar

from gateway.errors import InvalidAccessToken, SignInAway
from gateway.revocations import Revocations
from shared.errors import MissingScope, Unauthorized
from shared.security.claims import Claims, EnrolmentClaims, InvalidToken, UserClaims
from shared.security.jwks import KeysUnavailable
from shared.security.tokens import KeySource, TokenVerifier

C = TypeVar("C", bound=Claims)

_SCHEME: Final = b"bearer "


class Identity:
    """Checks people's access tokens: signature, claims, revocation."""

    def __init__(self, keys: KeySource, revocations: Revocations) -> None:
        self._verifier = TokenVerifier(keys, UserClaims)
        self._enrolling = TokenVerifier(keys, EnrolmentClaims)
        self._revocations = revocations

    async def identify(self, authorization: bytes | None) -> UserClaims:
        """Return the claims of the caller, as they are now.

        Raises Unauthorized, InvalidAccessToken, SignInAway.
        """
        claims = await _verify(self._verifier, authorization)
        if not self._revocations.loaded:
            raise SignInAway
        if self._revocations.cover(claims):
            raise InvalidAccessToken
        return self._revocations.correct(claims)

    async def identify_enrolling(self, authorization: bytes | None) -> UserClaims | EnrolmentClaims:
        """Return who calls a route that an enrolment token is good for too; auth judges that one.

        Raises as `identify`.
        """
        try:
            return await self.identify(authorization)
        except InvalidAccessToken:
            return await _verify(self._enrolling, authorization)


async def _verify(verifier: TokenVerifier[C], authorization: bytes | None) -> C:
    if authorization is None:
        raise Unauthorized
    if authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise InvalidAccessToken
    try:
        return await verifier.verify(authorization[len(_SCHEME) :].decode("ascii"))
    except (InvalidToken, UnicodeDecodeError):
        raise InvalidAccessToken from None
    except KeysUnavailable:
        raise SignInAway from None


def require_scope(claims: UserClaims, scope: str | None) -> None:
    """Raise MissingScope unless the caller has the scope of a route."""
    if scope is not None and scope not in claims.scopes:
        raise MissingScope(scope=scope)
