"""A passkey in software: what a browser and its authenticator do, as WebAuthn Level 3 says it.

It signs with ES256, counts, and does wrong what a test tells it to.
"""

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

ORIGIN = "http://localhost:8083"
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


class SoftPasskey:
    """One credential on one device."""

    def __init__(self, origin: str = ORIGIN) -> None:
        self.origin = origin
        self.rp_id: str | None = None  # Instead of the one in the options.
        self.is_verified = True
        self.is_cross_origin = False
        self.attestation = "none"
        self.counter = 0
        self.counts = True
        self.credential_id = secrets.token_bytes(32)
        self.user_handle: bytes | None = None
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict[str, Any]) -> str:
        """Do what `navigator.credentials.create` does; return its answer as JSON."""
        self.user_handle = _bytes(options["user"]["id"])
        client_data = self._client_data("webauthn.create", options["challenge"])
        key = self._cose()
        attested = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id + key
        data = self._authenticator_data(options["rp"]["id"], _ATTESTED) + attested
        statement: dict[str, Any] = {}
        if self.attestation == "packed":
            statement = {"alg": -7, "sig": self._sign(data, client_data)}
        made = {"fmt": self.attestation, "attStmt": statement, "authData": data}
        return self._answer(
            clientDataJSON=_text(client_data),
            attestationObject=_text(cbor2.dumps(made)),
            transports=["internal", "something-new"],
        )

    def get(self, options: dict[str, Any]) -> str:
        """Do what `navigator.credentials.get` does; return its answer as JSON."""
        if self.counts:
            self.counter += 1
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._authenticator_data(options["rpId"], 0)
        return self._answer(
            clientDataJSON=_text(client_data),
            authenticatorData=_text(data),
            signature=_text(self._sign(data, client_data)),
            userHandle=None if self.user_handle is None else _text(self.user_handle),
        )

    def _client_data(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin}
        return json.dumps(said | {"crossOrigin": self.is_cross_origin}).encode()

    def _authenticator_data(self, rp_id: str, more: int) -> bytes:
        party = hashlib.sha256((self.rp_id or rp_id).encode()).digest()
        flags = _PRESENT | more | (_VERIFIED if self.is_verified else 0)
        return party + bytes([flags]) + self.counter.to_bytes(4)

    def _sign(self, data: bytes, client_data: bytes) -> bytes:
        signed = data + hashlib.sha256(client_data).digest()
        return self._key.sign(signed, ec.ECDSA(hashes.SHA256()))

    def _cose(self) -> bytes:
        point = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        return cbor2.dumps(key)

    def _answer(self, **response: Any) -> str:
        return json.dumps(
            {
                "id": _text(self.credential_id),
                "rawId": _text(self.credential_id),
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
                "authenticatorAttachment": "platform",
            }
        )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
