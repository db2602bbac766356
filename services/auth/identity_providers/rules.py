"""Signing in by a company's own provider: how long it may take, and what the provider is told."""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

LIFETIME: Final = timedelta(minutes=10)  # Of a sign-in that was begun.
PREFIX: Final = "os_"  # Of the text of its state.
FEDERATED: Final = "fed"  # In `amr`: somebody else's provider vouches.
VOUCHED: Final = "mfa"  # In `amr`: and for a second factor too.
_UNSAID_S: Final = 3600.0
_SCOPES: Final = "openid email profile"


def authorization_url(
    endpoint: str,
    *,
    client_id: str,
    redirect_uri: str,
    state: str,
    nonce: str,
    verifier: str,
    fresh: bool,
) -> str:
    """Return where the browser goes to sign in (RFC 6749, 4.1.1, with PKCE S256).

    `fresh`: though it may be signed in there already (OpenID Connect Core, 3.1.2.1).
    """
    anew = {"prompt": "login", "max_age": "0"} if fresh else {}
    asked = urlencode(
        {
            **anew,
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "scope": _SCOPES,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
    )
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{asked}"


def proved_at(auth_time: object, now: datetime) -> datetime:
    """Return when the provider last saw a proof, by its claim; unsaid, too long ago to be fresh."""
    latest, earliest = now.timestamp(), now.timestamp() - _UNSAID_S
    if not isinstance(auth_time, int | float) or not auth_time > earliest:
        return now - timedelta(seconds=_UNSAID_S)
    return now - timedelta(seconds=latest - min(auth_time, latest))


def challenge_of(verifier: str) -> str:
    """Return what PKCE tells of a verifier at first (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
