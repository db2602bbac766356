"""From an Authorization header to a caller who may pass, or the reason why not."""

from typing import Final

from gateway.errors import InvalidAccessToken, SignInAway
from gateway.revocations import Revocations
from shared.errors import MissingScope, Unauthorized
from shared.security.claims import InvalidToken, UserClaims
from shared.security.jwks import KeysUnavailable
from shared.security.tokens import TokenVerifier

_SCHEME: Final = b"bearer "


class Identity:
    """Checks people's access tokens: signature, claims, revocation."""

    def __init__(self, verifier: TokenVerifier[UserClaims], revocations: Revocations) -> None:
        self._verifier = verifier
        self._revocations = revocations

    async def identify(self, authorization: bytes | None) -> UserClaims:
        """Return the claims of the caller, as they are now.

        Raises Unauthorized, InvalidAccessToken, SignInAway.
        """
        if authorization is None:
            raise Unauthorized
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise InvalidAccessToken
        try:
            token = authorization[len(_SCHEME) :].decode("ascii")
            claims = await self._verifier.verify(token)
        except (InvalidToken, UnicodeDecodeError):
            raise InvalidAccessToken from None
        except KeysUnavailable:
            raise SignInAway from None
        if not self._revocations.loaded:
            raise SignInAway
        if self._revocations.cover(claims):
            raise InvalidAccessToken
        return self._revocations.correct(claims)


def require_scope(claims: UserClaims, scope: str | None) -> None:
    """Raise MissingScope unless the caller has the scope of a route."""
    if scope is not None and scope not in claims.scopes:
        raise MissingScope(scope=scope)
