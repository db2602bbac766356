from secrets import token_hex
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

from services.auth.service_tokens.rules import SCOPES
from services.auth.settings import Settings
from tests.support.services import PRIVATE_KEY


def settings(**changes: Any) -> Settings:
    values = {
        "environment": "test",
        "database_url": "postgresql://auth_app@/stock",
        "journal_signing_key": token_hex(32),
        "gateway_key": token_hex(32),
        "metrics_token": token_hex(32),
        "jwt_private_key": PRIVATE_KEY,
        "jwt_secret": token_hex(32),
        "encryption_key": token_hex(32),
        "admin_password": "Plinth-Otter-Marzipan",
        **{
            f"{client}_client_secret": token_hex(32)
            for client in ("gateway", "inventory", "forecasting", "reporting")
        },
    }
    return Settings(_env_file=None, **(values | changes))


def refused(**changes: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        settings(**changes)
    return [str(error["loc"][0]) for error in caught.value.errors()]


def weak_key() -> str:
    return (
        rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused.
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def test_a_weak_signing_key_is_refused():
    assert refused(jwt_private_key=weak_key()) == ["jwt_private_key"]


@pytest.mark.parametrize("pem", ["", "changeme", "-----BEGIN PRIVATE KEY-----\n"])
def test_what_is_no_signing_key_is_refused(pem: str):
    assert refused(jwt_private_key=pem) == ["jwt_private_key"]


def test_a_signing_key_on_one_line_is_read():
    one_line = settings(jwt_private_key=PRIVATE_KEY.replace("\n", "\\n"))

    assert one_line.jwt_private_key.get_secret_value() == PRIVATE_KEY


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("jwt_secret", "a"),
        ("encryption_key", "22" * 31),
        ("encryption_key", "changeme"),
        ("gateway_client_secret", "secret"),
        ("reporting_client_secret", ""),
        ("currency", "dollars"),
        ("registration", "sometimes"),
        ("jwt_access_ttl", 86_400),
        ("password_min_length", 4),
    ],
)
def test_weak_and_wrong_values_are_refused_by_name(variable: str, value: object):
    assert refused(**{variable: value}) == [variable]


@pytest.mark.parametrize("password", ["admin", "password1234", "admin@example.com"])
def test_an_administrator_password_that_is_guessed_first_is_refused(password: str):
    assert refused(admin_password=password) == ["admin_password"]


def test_refusals_do_not_show_the_secret():
    with pytest.raises(ValidationError) as caught:
        settings(admin_password="password1234")

    assert "password1234" not in str(caught.value)


def test_no_secret_is_shown():
    shown = repr(settings())

    assert not [secret for secret in ("5a5a", "5e5e", "2222", "Plinth", "BEGIN") if secret in shown]


@pytest.mark.parametrize(
    ("environment", "registration", "policy"),
    [
        ("development", None, "open"),
        ("test", None, "open"),
        ("production", None, "closed"),
        ("production", "open", "open"),
        ("development", "invite", "invite"),
    ],
)
def test_registration_is_open_except_in_production(
    environment: str, registration: str | None, policy: str
):
    found = settings(environment=environment, registration=registration)

    assert found.registration_policy == policy


@pytest.mark.parametrize(
    "address", ["stock.example", "ftp://x.example", "https://a@b", "https://a?b"]
)
def test_the_public_address_is_one_of_a_server(address: str):
    with pytest.raises(ValidationError, match="https://stock"):
        settings(public_url=address)


def test_a_path_may_stand_in_the_public_address():
    assert settings(public_url="https://x.example/stock/").public_url == "https://x.example/stock"


def test_every_service_with_scopes_has_a_secret():
    assert settings().client_secrets().keys() == SCOPES.keys()


@pytest.mark.parametrize(
    ("changes", "origins", "party"),
    [
        ({}, ["http://localhost:8083"], "localhost"),
        ({"frontend_url": "https://app.example/x"}, ["https://app.example"], "app.example"),
        ({"webauthn_origins": "https://a.stock.example, https://stock.example",
          "webauthn_rp_id": "stock.example"},
         ["https://a.stock.example", "https://stock.example"], "stock.example"),
    ],
)  # fmt: skip
def test_passkeys_are_for_the_pages_that_are_named(changes, origins, party):
    found = settings(**changes)

    assert (found.passkey_origins, found.relying_party) == (origins, party)


@pytest.mark.parametrize(
    "changes",
    [
        {"webauthn_origins": "app.example"},
        {"webauthn_origins": "https://app.example/"},
        {"webauthn_origins": "https://app.example/x"},
        {"webauthn_origins": "ftp://app.example"},
        {"webauthn_origins": "https://app.example", "webauthn_rp_id": "other.example"},
        {"webauthn_origins": "https://badstock.example", "webauthn_rp_id": "stock.example"},
        {"webauthn_origins": "http://app.example", "environment": "production"},
    ],
)
def test_pages_that_no_browser_would_name_are_refused(changes):
    assert "webauthn_origins" in refused(**changes)


def test_in_production_there_are_no_passkeys_without_a_page_that_is_encrypted(monkeypatch):
    found = settings()
    monkeypatch.setitem(found.__dict__, "environment", "production")

    assert found.passkey_origins == []
    monkeypatch.setitem(found.__dict__, "frontend_url", "http://app.example")
    assert found.passkey_origins == []


def test_an_empty_address_of_a_mail_server_is_none():
    assert settings(smtp_url="").smtp_url is None
    with pytest.raises(ValueError, match="smtp://"):
        settings(smtp_url="mail.example.com")
