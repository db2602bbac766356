from typing import Literal

from pydantic import Field

from shared.schemas import Output


class KeyRead(Output):
    """A public key (RFC 7517)."""

    kty: Literal["RSA"]
    kid: str = Field(
        description="Thumbprint of the key (RFC 7638).",
        examples=["nwhuJBBUE11kjMgcXa3ap_dMaLqVpZxnArHhl3J0bZ4"],
    )
    alg: Literal["RS256"]
    use: Literal["sig"]
    n: str = Field(examples=["sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp…"])
    e: str = Field(examples=["AQAB"])


class KeySetRead(Output):
    """The public keys that verify access tokens (RFC 7517)."""

    keys: list[KeyRead]
