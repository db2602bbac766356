"""The keys and secrets that auth alone holds, made ready once for each process."""

import hashlib
import hmac
from dataclasses import dataclass

from services.auth.keys.service import KeyRing
from services.auth.openid import ProviderClient
from services.auth.passwords.service import PasswordHasher
from services.auth.settings import Settings
from shared.security.blind_index import BlindIndex
from shared.security.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Vault:
    """What signs, seals, finds and hashes."""

    settings: Settings
    keys: KeyRing
    sealer: Sealer
    emails: BlindIndex
    user_names: BlindIndex  # Those that a directory gives; most are addresses.
    external_ids: BlindIndex
    subjects: BlindIndex  # Of identities at tenants' own providers.
    refresh_key: bytes
    api_key_pepper: bytes
    one_time_pepper: bytes
    sign_in_pepper: bytes  # Of sign-ins that were begun.
    network_pepper: bytes  # Of the networks that attempts come from.
    recovery_key: bytes  # Of recovery codes, which are kept hashed.
    passwords: PasswordHasher
    providers: ProviderClient

    @classmethod
    def from_settings(cls, settings: Settings) -> "Vault":
        secret = settings.jwt_secret.get_secret_value().encode()
        private_key = settings.jwt_private_key.get_secret_value()
        key = settings.encryption_key.get_secret_value()
        previous = settings.encryption_key_previous.get_secret_value()
        return cls(
            settings=settings,
            keys=KeyRing(private_key),
            sealer=Sealer(key, previous),
            emails=BlindIndex("auth.users.email", key, previous),
            user_names=BlindIndex("auth.provisioned_users.user_name", key, previous),
            external_ids=BlindIndex("auth.provisioned_users.external_id", key, previous),
            subjects=BlindIndex("auth.identity_links.subject", key, previous),
            refresh_key=hmac.digest(secret, b"refresh token", hashlib.sha256),
            api_key_pepper=hmac.digest(secret, b"api key", hashlib.sha256),
            sign_in_pepper=hmac.digest(secret, b"provided sign-in", hashlib.sha256),
            one_time_pepper=hmac.digest(secret, b"one-time token", hashlib.sha256),
            network_pepper=hmac.digest(secret, b"network", hashlib.sha256),
            recovery_key=hmac.digest(secret, b"recovery code", hashlib.sha256),
            passwords=PasswordHasher(
                settings.password_threads, length_min=settings.password_min_length
            ),
            providers=ProviderClient(
                allows_loopback=settings.environment != "production",
                allows_private=settings.oidc_private_addresses,
            ),
        )
