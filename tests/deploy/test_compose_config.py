"""Docker Compose takes the file, alone and with the images of a release; no engine is asked."""

import json
import os
import shutil
import subprocess
from functools import partial

import pytest

from deploy.local.settings import ROOT
from deploy.release import IMAGES


def compose_command():
    """Return how Docker Compose is called here, if it is installed."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = ["docker", "compose"]
    if shutil.which("docker") is None:
        return None
    asked = subprocess.run([*plugin, "version"], capture_output=True, check=False)  # noqa: S603 - our own words.
    return None if asked.returncode else plugin


COMMAND = compose_command()
pytestmark = pytest.mark.skipif(COMMAND is None, reason="Docker Compose is not installed")


@pytest.fixture
def read(tmp_path):
    """Return a function that reads files; a folder of its own keeps it from a person's settings."""
    return partial(_read, tmp_path)


def _read(home, *files, **told):
    """Return what Compose makes of the files, with nothing set but what is told."""
    named = [word for file in files for word in ("--file", str(ROOT / file))]
    done = subprocess.run(  # noqa: S603 - our own words.
        [*COMMAND, "--env-file", os.devnull, *named, "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], "HOME": str(home), **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # Nor a warning, as of a variable that is not set.
    return json.loads(done.stdout)["services"]


def test_nothing_need_be_set(read):
    services = read("docker-compose.yml")

    loopback = {port["host_ip"] for name in ("grafana", "prometheus", "alertmanager")
                for port in services[name]["ports"]}  # fmt: skip
    assert loopback == {"127.0.0.1"}
    assert services["mirror"]["deploy"]["replicas"] == 0
    assert (
        read("docker-compose.yml", MIRROR_DATABASE_URL="set")["mirror"]["deploy"]["replicas"] == 1
    )


def test_secrets_are_mounted_and_told_by_name_alone(read):
    for name, container in read("docker-compose.yml").items():
        told = container.get("environment") or {}

        assert not [each for each in told if each.endswith(("_PASSWORD", "_KEY", "_TOKEN"))
                    and "TLS" not in each], name  # fmt: skip
        for secret in container.get("secrets", []):
            assert secret["target"] == f"/run/secrets/{secret['source']}"


def test_a_release_replaces_all_that_is_built_and_nothing_else(read):
    told = {
        f"{name.upper()}_IMAGE": f"registry.example/{name}@sha256:{'1' * 64}" for name in IMAGES
    }
    before = read("docker-compose.yml")

    after = read("docker-compose.yml", "deploy/compose.release.yml", **told)

    for name, container in after.items():
        assert "build" not in container, name
        ours = before[name]["image"].startswith("stockwright/")
        assert container["image"].startswith("registry.example/") is ours, name
