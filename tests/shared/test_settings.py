import pytest
from pydantic import SecretStr

from shared.settings import (
    ClientSecret,
    HexKey,
    HexKeys,
    ProcessSettings,
    ServiceSettings,
    load_settings,
)

KEY = "0f" * 32
REQUIRED = {
    "DATABASE_URL": "postgresql://inventory_app:canary-pw@/stock?host=/run",
    "JOURNAL_SIGNING_KEY": KEY,
    "GATEWAY_KEY": KEY,
    "METRICS_TOKEN": KEY,
    "SHOP_CLIENT_SECRET": "canary-secret-of-the-shop",
}


class Shop(ServiceSettings):
    shop_client_secret: ClientSecret
    shop_encryption_key: HexKey = SecretStr(KEY)
    shop_encryption_key_previous: HexKeys = SecretStr("")


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Nothing but what the test sets, and no .env file."""
    monkeypatch.chdir(tmp_path)
    for name in (*ProcessSettings.model_fields, *Shop.model_fields):
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)


def refusal(settings: type[ProcessSettings] = Shop) -> str:
    with pytest.raises(SystemExit) as ended:
        load_settings(settings)
    return str(ended.value)


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("INVENTORY_PORT", "9102")

    settings = Shop.load()

    assert settings.inventory_port == 9102
    assert settings.database_url.get_secret_value() == REQUIRED["DATABASE_URL"]


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_missing_secret_is_named_in_one_line(monkeypatch, name):
    monkeypatch.delenv(name)

    message = refusal()

    assert message == f"configuration error: {name}: Field required"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOURNAL_SIGNING_KEY", "canary-short"),
        ("JOURNAL_SIGNING_KEY", "canary" * 11),
        ("SHOP_CLIENT_SECRET", "canary-weak"),
        ("SHOP_ENCRYPTION_KEY", KEY[:-1] + "canary"),
        ("SHOP_ENCRYPTION_KEY_PREVIOUS", "canary"),
        ("SHOP_ENCRYPTION_KEY_PREVIOUS", f"{KEY},canary"),
        ("INVENTORY_PORT", "canary"),
        ("INVENTORY_PORT", "70000"),
        ("LOG_LEVEL", "canary"),
        ("PG_POOL_SIZE", "0"),
        ("PG_SSL", "canary"),
        ("DEFAULT_LANGUAGE", "canary"),
    ],
)
def test_a_wrong_value_is_named_in_one_line_and_not_shown(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    message = refusal()

    assert message.startswith(f"configuration error: {name}: ")
    assert "\n" not in message
    assert "canary" not in message
    assert value not in message.removeprefix(f"configuration error: {name}: ").split()


GOOD_KEY = "c75ba1a4e6f0d1389b2c5d7e08f3a64b9d1e2f7085c6a3b4d9e8f70612c3b5a4"
IN_PRODUCTION = {
    "ENVIRONMENT": "production",
    "PG_SSL": "true",
    "DATABASE_URL": "postgresql://inventory_app:Zk4w-9qLrT%40x2@db:5432/stock",
    "JOURNAL_SIGNING_KEY": GOOD_KEY,
    "GATEWAY_KEY": GOOD_KEY,
    "METRICS_TOKEN": GOOD_KEY,
    "SHOP_CLIENT_SECRET": "vK8sYt0mQz3nHc5xWb7r",
    "SHOP_ENCRYPTION_KEY": GOOD_KEY,
}


@pytest.mark.asvs("A09")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("METRICS_TOKEN", "change-me-before-production-9"),
        ("METRICS_TOKEN", "CHANGEME_changeme_0123"),
        ("METRICS_TOKEN", "your-long-random-metrics-token"),
        ("METRICS_TOKEN", "MySecret: test1234 of the metrics"),
        ("SHOP_CLIENT_SECRET", "a" * 43),
        ("SHOP_CLIENT_SECRET", "inventory" * 4),
        ("GATEWAY_KEY", "0" * 64),
        ("GATEWAY_KEY", "deadbeef" * 8),
        ("JOURNAL_SIGNING_KEY", "0123456789abcdef" * 4),
        ("SHOP_ENCRYPTION_KEY", KEY),
        ("SHOP_ENCRYPTION_KEY_PREVIOUS", f"{GOOD_KEY},{KEY}"),
        ("DATABASE_URL", "postgresql://inventory_app:postgres@db:5432/stock"),
        ("DATABASE_URL", "postgresql://inventory_app:change%2Dme%2D12345@db:5432/stock"),
        ("REDIS_URL", "redis://:redis@cache:6379/0"),
    ],
)
def test_production_refuses_secrets_that_nobody_has_chosen(monkeypatch, name, value):
    for each, good in (IN_PRODUCTION | {name: value}).items():
        monkeypatch.setenv(each, good)

    assert refusal() == (
        f"configuration error: {name}: Value error, "
        "this is a placeholder; `make keys` prints secrets"
    )


def test_production_takes_secrets_that_were_drawn(monkeypatch):
    for name, good in IN_PRODUCTION.items():
        monkeypatch.setenv(name, good)

    assert Shop.load().environment == "production"


def test_a_password_may_be_left_to_the_socket(monkeypatch):
    for name, good in IN_PRODUCTION.items():
        monkeypatch.setenv(name, good)
    monkeypatch.setenv("DATABASE_URL", "postgresql:///stock?host=/run/postgresql")

    assert Shop.load().environment == "production"


def test_every_fault_is_named_at_once(monkeypatch):
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("JOURNAL_SIGNING_KEY", "x")

    message = refusal()

    assert "DATABASE_URL: " in message
    assert "JOURNAL_SIGNING_KEY: " in message


def test_earlier_keys_are_as_many_as_there_were(monkeypatch):
    monkeypatch.setenv("SHOP_ENCRYPTION_KEY_PREVIOUS", f"{KEY},{KEY}")

    assert Shop.load().shop_encryption_key_previous.get_secret_value() == f"{KEY},{KEY}"


def test_printed_settings_show_no_secret(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://:canary@cache:6379/0")
    monkeypatch.setenv("SHOP_ENCRYPTION_KEY_PREVIOUS", KEY)

    shown = repr(Shop.load()) + str(Shop.load())

    assert "canary" not in shown
    assert KEY not in shown


def test_a_service_is_found_by_its_variable_or_on_loopback(monkeypatch):
    monkeypatch.setenv("AUTH_URL", "http://auth.internal:8101/")

    settings = Shop.load()

    assert settings.url_of("auth") == "http://auth.internal:8101"
    assert settings.url_of("inventory") == "http://127.0.0.1:8102"


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        Shop.load().host = "0.0.0.0"


@pytest.mark.parametrize("mode", ["allow", "prefer", "require", "verify-ca"])
def test_half_measures_of_tls_are_refused(monkeypatch, mode):
    monkeypatch.setenv("PG_SSL_MODE", mode)

    assert refusal() == (
        f"configuration error: PG_SSL_MODE: Value error, {mode} does not check who answers; "
        "give verify-full, or disable"
    )

    monkeypatch.delenv("PG_SSL_MODE")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://a:b@db:5432/stock?sslmode={mode}")

    assert refusal() == (
        f"configuration error: DATABASE_URL: sslmode={mode} does not check who answers; "
        "give verify-full, or PG_SSL"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PG_SSL", "true"),
        ("PG_SSL_MODE", "verify-full"),
        ("DATABASE_URL", "postgresql://a:b@db:5432/stock?sslmode=verify-full"),
    ],
)
def test_tls_to_the_database_is_switched_on_in_one_of_three_ways(monkeypatch, name, value):
    assert Shop.load().postgres_tls is None

    monkeypatch.setenv(name, value)

    assert Shop.load().postgres_tls is not None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"PG_SSL": "true", "PG_SSL_MODE": "disable"}, "PG_SSL_MODE: disable contradicts PG_SSL"),
        ({"PG_CLIENT_KEY": "tls.key"}, "PG_CLIENT_KEY: needed with PG_CLIENT_CERT, and only"),
        ({"PG_SSL": "1", "PG_CA_CERT": "absent"}, "PG_CA_CERT: the file cannot be used: No such"),
        ({"DATABASE_URL": "postgresql://d/s?sslrootcert=x"}, "DATABASE_URL: name certificates by"),
        ({"REDIS_CLIENT_CERT": "tls.crt"}, "REDIS_CLIENT_KEY: needed with REDIS_CLIENT_CERT"),
        (
            {"REDIS_URL": "rediss://cache", "REDIS_CA_CERT": "absent"},
            "REDIS_CA_CERT: the file cannot be used: No such file or directory",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_in_one_line(monkeypatch, given, message):
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert refusal().startswith(f"configuration error: {message}")
    assert "\n" not in refusal()


@pytest.mark.parametrize("name", ["DATABASE_URL", "OWNER_DATABASE_URL"])
def test_production_speaks_to_a_database_over_the_network_by_tls_alone(monkeypatch, name):
    for each, good in IN_PRODUCTION.items():
        monkeypatch.setenv(each, good)
    monkeypatch.delenv("PG_SSL")
    monkeypatch.setenv("DATABASE_URL", "postgresql:///stock?host=/run/postgresql")
    monkeypatch.setenv(name, IN_PRODUCTION["DATABASE_URL"])

    assert refusal() == (
        f"configuration error: PG_SSL: true in production, where {name} is no socket"
    )


def test_an_empty_path_is_none(monkeypatch):
    monkeypatch.setenv("PG_CA_CERT", "")
    monkeypatch.setenv("PG_SSL", "true")

    assert Shop.load().pg_ca_cert is None


def test_a_socket_to_redis_needs_no_tls(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "unix:///run/valkey.sock?db=0")
    monkeypatch.setenv("REDIS_TLS", "true")

    assert Shop.load().redis_tls_files is None


def test_services_speak_by_tls_all_alike(monkeypatch):
    monkeypatch.setenv("SERVICE_TLS_CERT", "tls.crt")

    assert refusal().endswith("give all three, or none")

    monkeypatch.delenv("SERVICE_TLS_CERT")
    monkeypatch.setenv("AUTH_URL", "https://auth.internal:8101")

    assert refusal() == (
        "configuration error: AUTH_URL: begin with https:// with SERVICE_TLS_CERT, else http://"
    )
