"""`make monitoring`: what it reads, where it listens, what it says where something is missing."""

import pytest

from deploy.local import monitoring
from deploy.local.errors import StackError
from deploy.local.monitoring import commands, monitor, prometheus_config
from deploy.local.settings import read_settings


@pytest.fixture
def settings(tmp_path):
    return read_settings({}, tmp_path / "none")


def test_every_process_is_read_by_its_own_name(settings, tmp_path):
    config = prometheus_config(settings, tmp_path, "9093")

    [scrape] = config["scrape_configs"]
    targets = {each["labels"]["job"]: each["targets"] for each in scrape["static_configs"]}
    assert targets["gateway"] == ["127.0.0.1:8083"]
    assert targets["auth-worker"] == ["127.0.0.1:8111"]
    assert len(targets) == 10


def test_both_listen_on_this_machine_alone():
    for command in commands({"prometheus": "9090", "prometheus-alertmanager": "9093"}):
        [address] = [each for each in command if each.startswith("--web.listen-address=")]
        assert "=127.0.0.1:" in address
    assert (
        "--cluster.listen-address="
        in commands({"prometheus": "9090", "prometheus-alertmanager": "9093"})[0]
    )


def test_what_is_not_installed_is_named_with_how_to(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(monitoring.shutil, "which", lambda _name: None)

    with pytest.raises(StackError, match="apt-get install --no-install-recommends prometheus"):
        monitor(settings, tmp_path)


def test_without_a_running_stack_there_is_nothing_to_read(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(monitoring.shutil, "which", lambda name: name)

    with pytest.raises(StackError, match="make up"):
        monitor(settings, tmp_path)
