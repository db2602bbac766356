"""The keys and secrets that auth alone holds, made ready once for each process."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.auth.passwords.service import PasswordHasher
from services.auth.settings import Settings
from shared.security.blind_index import BlindIndex
from shared.security.sealing import Sealer
from shared.security.tokens import TokenSigner
from shared.web.requests import get_resources
from shared.web.resources import Resources

_KEY = "vault"


@dataclass(frozen=True, slots=True)
class Vault:
    """What signs, seals, finds and hashes."""

    settings: Settings
    signer: TokenSigner
    sealer: Sealer
    emails: BlindIndex
    refresh_key: bytes
    passwords: PasswordHasher

    @classmethod
    def from_settings(cls, settings: Settings) -> "Vault":
        secret = settings.jwt_secret.get_secret_value().encode()
        key, previous = settings.encryption_key, settings.encryption_key_previous
        return cls(
            settings=settings,
            signer=TokenSigner(settings.jwt_private_key.get_secret_value()),
            sealer=Sealer(key, previous),
            emails=BlindIndex("auth.users.email", key, previous),
            refresh_key=hmac.digest(secret, b"refresh token", hashlib.sha256),
            passwords=PasswordHasher(settings.password_threads),
        )


def keep_vault(resources: Resources, vault: Vault) -> None:
    resources.extra[_KEY] = vault


def vault_of(resources: Resources) -> Vault:
    vault: Vault = resources.extra[_KEY]
    return vault


def get_vault(request: Request) -> Vault:
    return vault_of(get_resources(request))


Secrets = Annotated[Vault, Depends(get_vault)]
