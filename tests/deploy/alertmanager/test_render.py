"""Who is told of what, and that Alertmanager takes the configuration as it is written."""

import shutil
import subprocess

import pytest

from deploy.alertmanager.render import BadReceiver, render, write

ALL = {
    "ALERT_EMAIL_TO": "ops@example.com, night@example.com",
    "ALERT_SECURITY_EMAIL_TO": "security@example.com",
    "ALERT_SMTP_URL": "smtp://alerts:s%40cret@mail.example.com:2525",
    "SLACK_WEBHOOK_URL": "https://hooks.example.com/x",
    "PAGERDUTY_KEY": "aa",
    "PAGERDUTY_SECURITY_KEY_FILE": "/run/secrets/pagerduty",
    "ALERT_WATCHDOG_URL": "https://watch.example.com/1",
}
PASSWORD = "of-the-mail-server"
needs_amtool = pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed")


def amtool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own words.
        ["amtool", *words],  # noqa: S607 - wherever it is installed.
        capture_output=True,
        text=True,
        check=False,
    )


def told(config, name):
    return {
        kind.removesuffix("_configs")
        for receiver in config["receivers"]
        if receiver["name"] == name
        for kind in receiver
        if kind != "name"
    }


def test_each_severity_has_its_receivers():
    config = render(ALL)

    assert told(config, "critical") == {"email", "slack", "pagerduty"}
    assert told(config, "security") == {"email", "pagerduty"}
    assert told(config, "warning") == {"email"}
    assert told(config, "watchdog") == {"webhook"}


def test_without_receivers_nobody_is_told():
    config = render({})

    assert config["receivers"] == [{"name": "nobody"}]
    assert {route["receiver"] for route in config["route"]["routes"]} == {"nobody"}


@pytest.mark.parametrize("suffix", ["_FILE", "__FILE"])
def test_what_alertmanager_reads_from_no_file_is_read_for_it(tmp_path, suffix):
    (tmp_path / "hook").write_text("https://hooks.example.com/secret\n")
    (tmp_path / "mail").write_text(f"smtp://alerts:{PASSWORD}@mail.example.com\n")

    config = render(
        {
            "ALERT_EMAIL_TO": "ops@example.com",
            f"ALERT_WEBHOOK_URL{suffix}": str(tmp_path / "hook"),
            f"ALERT_SMTP_URL{suffix}": str(tmp_path / "mail"),
        }
    )

    assert told(config, "critical") == {"email", "webhook"}
    assert config["global"]["smtp_auth_password"] == PASSWORD


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(BadReceiver, match="ALERT_WEBHOOK_URL_FILE: the file is not read"):
        render({"ALERT_WEBHOOK_URL_FILE": "/absent"})


def test_secrets_in_files_stay_there():
    [security] = [each for each in render(ALL)["receivers"] if each["name"] == "security"]

    [pager] = security["pagerduty_configs"]
    assert pager == {"routing_key_file": "/run/secrets/pagerduty", "send_resolved": True}


def test_a_password_goes_over_tls_alone():
    server = render(ALL)["global"]

    assert server["smtp_auth_password"] == "s@cret"
    assert server["smtp_require_tls"]


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"ALERT_EMAIL_TO": "a@example.com"}, "ALERT_SMTP_URL"),
        ({"ALERT_EMAIL_TO": "a@b", "ALERT_SMTP_URL": "mail.example.com"}, "ALERT_SMTP_URL"),
        ({"ALERT_WEBHOOK_URL": "example.com"}, "ALERT_WEBHOOK_URL"),
    ],
)
def test_what_cannot_be_used_is_named(environment, named):
    with pytest.raises(BadReceiver, match=named):
        render(environment)


def test_the_file_is_its_owners_alone(tmp_path):
    write(tmp_path / "made" / "alertmanager.yml", render(ALL))

    assert (tmp_path / "made" / "alertmanager.yml").stat().st_mode & 0o777 == 0o600


@needs_amtool
@pytest.mark.parametrize("environment", [{}, ALL])
def test_alertmanager_takes_it(tmp_path, environment):
    write(tmp_path / "alertmanager.yml", render(environment))

    done = amtool("check-config", str(tmp_path / "alertmanager.yml"))

    assert done.returncode == 0, done.stderr


@needs_amtool
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=TargetDown", "severity=critical"], "critical"),
        (["alertname=BruteForce", "severity=critical", "team=security"], "security"),
        (["alertname=JournalLag", "severity=warning"], "warning"),
        (["alertname=Watchdog", "severity=none"], "watchdog"),
        (["alertname=Other"], "nobody"),
    ],
)
def test_each_alert_goes_its_way(tmp_path, labels, receiver):
    file = tmp_path / "alertmanager.yml"
    write(file, render(ALL))

    asked = ("config", "routes", "test", f"--config.file={file}")

    assert amtool(*asked, f"--verify.receivers={receiver}", *labels).returncode == 0
    assert amtool(*asked, "--verify.receivers=another", *labels).returncode == 1
