import pytest

from deploy.local.errors import StackError
from deploy.local.settings import LocalSettings, port_uses, read_settings


def settings(tmp_path, file="", **environment):
    path = tmp_path / ".env"
    path.write_text(file)
    return read_settings(environment, path)


def test_defaults_need_neither_environment_nor_file(tmp_path):
    found = read_settings({}, tmp_path / "absent")

    assert found.url_of("gateway") == "http://127.0.0.1:8083"
    assert [found.port_of(name) for name in ("auth", "reporting")] == [8101, 8104]


def test_environment_wins_over_env_file(tmp_path):
    found = settings(tmp_path, "GATEWAY_PORT=9000\nAUTH_PORT=9001", GATEWAY_PORT="9100")

    assert found.port_of("gateway") == 9100
    assert found.port_of("auth") == 9001


def test_empty_variable_means_the_default(tmp_path):
    assert settings(tmp_path, "GATEWAY_PORT=", HOST="").url_of("gateway").endswith(":8083")


@pytest.mark.parametrize("value", ["0", "65536", "65530", "-1", "80a", "8083.0"])
def test_port_that_is_none_is_named(tmp_path, value):
    with pytest.raises(StackError, match="REPORTING_PORT"):
        settings(tmp_path, REPORTING_PORT=value)


def test_same_port_twice_is_named(tmp_path):
    with pytest.raises(StackError, match=r"8101 is meant for both auth and inventory"):
        settings(tmp_path, INVENTORY_PORT="8101")


def test_port_of_a_worker_counts_too(tmp_path):
    with pytest.raises(StackError, match=r"both auth-worker and inventory; .*INVENTORY_PORT"):
        settings(tmp_path, INVENTORY_PORT="8111")


def test_every_address_is_reached_over_loopback(tmp_path):
    assert settings(tmp_path, HOST="0.0.0.0").url_of("auth") == "http://127.0.0.1:8101"


def test_address_of_ipv6_is_bracketed(tmp_path):
    assert settings(tmp_path, HOST="::1").url_of("auth") == "http://[::1]:8101"


def test_every_port_says_how_to_change_it():
    given = LocalSettings(
        {"MIRROR_DATABASE_URL": "postgresql://there"}, "::1", {"GATEWAY_PORT": 1, "AUTH_PORT": 2}
    )
    advice = {name: text for _, name, text in port_uses(given)}

    assert advice == {
        "gateway": "set GATEWAY_PORT",
        "backup": "it is GATEWAY_PORT + 10: set GATEWAY_PORT",
        "auth": "set AUTH_PORT",
        "auth-worker": "it is AUTH_PORT + 10: set AUTH_PORT",
        "mirror": "it is GATEWAY_PORT + 15: set GATEWAY_PORT",
    }
