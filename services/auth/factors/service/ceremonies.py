"""The two ceremonies of WebAuthn (Level 3, 7.1 and 7.2), checked by the library `webauthn`.

What a browser sends is bytes of a stranger in three formats within one another: whatever breaks in
reading them is a refusal, never a fault of ours.
"""

import json
from typing import Any, NamedTuple
from uuid import UUID

from webauthn import (
    base64url_to_bytes,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import parse_attestation_object, parse_client_data_json
from webauthn.helpers.structs import AttestationFormat, AuthenticatorTransport
from webauthn.registration.verify_registration_response import VerifiedRegistration

from shared.log import log

# We ask for no attestation. Self-attestation is let in, formats with certificates are not read.
_FORMATS = frozenset({AttestationFormat.NONE, AttestationFormat.PACKED})


class Party(NamedTuple):
    """Whom passkeys are for: the relying party's id, and the pages that may use them."""

    rp_id: str
    origins: list[str]


class Registered(NamedTuple):
    """A new credential, and by which ways the browser says it is reached, to know next time."""

    made: VerifiedRegistration
    transports: list[str]


class ChallengeAnswer(NamedTuple):
    """What a browser gave, as JSON, and the challenge that it was to answer."""

    credential: str
    challenge: bytes


def challenge_in(credential: str) -> bytes | None:
    """Return the challenge that a credential, as JSON of the browser, says it answers."""
    try:
        found = _client_data(json.loads(credential))
    except Exception as error:  # noqa: BLE001 - whatever breaks in reading it is a refusal.
        _note(error)
        return None
    return None if found.cross_origin else found.challenge


def credential_id_in(credential: str) -> bytes | None:
    """Return the id of the credential."""
    try:
        return base64url_to_bytes(json.loads(credential)["rawId"])
    except Exception as error:  # noqa: BLE001 - whatever breaks in reading it is a refusal.
        _note(error)
        return None


def is_made_for(user_id: UUID, credential: str) -> bool:
    """Say whether the credential was made for this user, or does not say for whom."""
    try:
        handle = json.loads(credential)["response"].get("userHandle")
        return handle is None or base64url_to_bytes(handle) == user_id.bytes
    except Exception as error:  # noqa: BLE001 - whatever breaks in reading it is a refusal.
        _note(error)
        return False


def registered(answer: ChallengeAnswer, party: Party) -> Registered | None:
    """Return the credential that was made for this challenge and page; None if it was not."""
    try:
        said = json.loads(answer.credential)
        attested = base64url_to_bytes(said["response"]["attestationObject"])
        if parse_attestation_object(attested).fmt not in _FORMATS:
            return None
        made = verify_registration_response(
            credential=said,
            expected_challenge=answer.challenge,
            expected_rp_id=party.rp_id,
            expected_origin=party.origins,
            require_user_verification=True,
        )
        ways = said["response"].get("transports") or []
        return Registered(made, sorted({str(one) for one in ways} & _TRANSPORTS))
    except Exception as error:  # noqa: BLE001 - whatever breaks in reading it is a refusal.
        _note(error)
        return None


def asserted(
    answer: ChallengeAnswer, party: Party, *, public_key: bytes
) -> VerifiedAuthentication | None:
    """Return what the passkey signed for this challenge and page; None if it did not.

    Counters are compared by the caller, who has to tell one that went back from a bad signature.
    """
    try:
        return verify_authentication_response(
            credential=answer.credential,
            expected_challenge=answer.challenge,
            expected_rp_id=party.rp_id,
            expected_origin=party.origins,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001 - whatever breaks in reading it is a refusal.
        _note(error)
        return None


def _client_data(said: Any) -> Any:  # noqa: ANN401 - the library's class, of a stranger's JSON.
    return parse_client_data_json(base64url_to_bytes(said["response"]["clientDataJSON"]))


def _note(error: Exception) -> None:
    """Note why, without what was sent."""
    log.info("a passkey was refused", reason=type(error).__name__)


_TRANSPORTS = frozenset(way.value for way in AuthenticatorTransport)
