from typing import Literal

from pydantic import Field

from shared.schemas import Output


class KeyRead(Output):
    """A public key (RFC 7517)."""

    kty: Literal["RSA"]
    kid: str = Field(description="Thumbprint of the key (RFC 7638).")
    alg: Literal["RS256"]
    use: Literal["sig"]
    n: str
    e: str


class KeySetRead(Output):
    keys: list[KeyRead]
