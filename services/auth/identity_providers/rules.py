"""Signing in by a company's own provider: how long it may take, and what the provider is told."""

import base64
import hashlib
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

LIFETIME: Final = timedelta(minutes=10)  # Of a sign-in that was begun.
PREFIX: Final = "os_"  # Of the text of its state.
FEDERATED: Final = "fed"  # In `amr`: somebody else's provider vouches.
VOUCHED: Final = "mfa"  # In `amr`: and for a second factor too.
_SCOPES: Final = "openid email profile"


def authorization_url(
    endpoint: str, *, client_id: str, redirect_uri: str, state: str, nonce: str, verifier: str
) -> str:
    """Return where the browser goes to sign in (RFC 6749, 4.1.1, with PKCE S256)."""
    asked = urlencode(
        {
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


def challenge_of(verifier: str) -> str:
    """Return what PKCE tells of a verifier at first (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
