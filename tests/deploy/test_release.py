"""A release is verified, migrated, replaced and tried; what fails leaves the one of before."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy import release
from deploy.release import IMAGES, main

SIGNED_BY = "https://github.com/x/y/.github/workflows/release.yml@refs/tags/v2"
# Notes what it is asked, and fails where FAIL_AT says: at a word of a command under some image.
TOOL = """#!/bin/sh
echo "$(basename "$0") $* [$GATEWAY_IMAGE]" >> "$CALLS"
case "$* [$GATEWAY_IMAGE]" in *$FAIL_AT*) exit 3 ;; esac
"""


def image(name, number):
    return f"registry.example/{name}@sha256:{str(number) * 64}"


@pytest.fixture
def gateway(monkeypatch):
    """A gateway whose health the test decides."""
    says = ["ok"]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"status": says[0]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("GATEWAY_PORT", str(server.server_port))
    monkeypatch.setattr(release, "TRIAL_S", 0.3)
    yield says
    server.shutdown()
    server.server_close()


@pytest.fixture
def machine(tmp_path, monkeypatch, gateway):
    """A machine with Docker and cosign that note what they are asked."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("docker", "cosign"):
        (tools / name).write_text(TOOL)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("RELEASE_DIR", str(tmp_path / "notes"))
    monkeypatch.setenv("FAIL_AT", "nothing fails")
    return tmp_path


@pytest.fixture
def calls(machine):
    def read():
        path = machine / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    return read


def install(machine, number):
    folder = machine / f"digests{number}"
    folder.mkdir(exist_ok=True)
    for name in IMAGES:
        (folder / name).write_text(image(name, number))
    return main(["install", str(folder), "--signed-by", SIGNED_BY])


def noted(machine, name):
    return json.loads((machine / "notes" / f"{name}.json").read_text())["gateway"]


def test_signatures_come_before_images_migrations_before_processes(machine, calls):
    assert install(machine, 1) == 0

    seen = calls()
    words = [
        next(word for word in ("verify", "pull", "run", "up") if f" {word} " in line)
        for line in seen
    ]
    assert words == ["verify"] * 7 + ["pull"] + ["run"] * 5 + ["up"]
    assert all(SIGNED_BY in line for line in seen[:7])
    assert all(f"[{image('gateway', 1)}]" in line for line in seen[7:])
    assert noted(machine, "current") == image("gateway", 1)


@pytest.mark.parametrize("step", ["verify", "pull"])
def test_what_is_not_signed_or_not_there_touches_nothing(machine, calls, monkeypatch, step, capsys):
    install(machine, 1)
    calls()
    monkeypatch.setenv("FAIL_AT", step)

    assert install(machine, 2) == 1

    assert not any(" up " in line or " run " in line for line in calls())
    assert noted(machine, "current") == image("gateway", 1)
    assert "failed" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["inventory-migrate", "up --detach"])
def test_what_does_not_start_gives_way_to_the_release_of_before(
    machine, calls, monkeypatch, step, capsys
):
    install(machine, 1)
    calls()
    monkeypatch.setenv("FAIL_AT", f"{step}*{'2' * 64}")

    assert install(machine, 2) == 1

    last = calls()[-1]
    assert " up " in last
    assert image("gateway", 1) in last
    assert noted(machine, "current") == image("gateway", 1)
    assert "The release of before runs" in capsys.readouterr().err


def test_what_starts_and_is_not_well_gives_way_too(machine, calls, gateway, monkeypatch, capsys):
    install(machine, 1)
    tried = []

    def well_only_as_before():
        tried.append(1)
        if len(tried) == 1:
            raise release.ReleaseFailed("The system is not well.")

    monkeypatch.setattr(release, "try_system", well_only_as_before)

    assert install(machine, 2) == 1
    assert image("gateway", 1) in calls()[-1]


def test_a_first_release_that_fails_says_so(machine, gateway, capsys):
    gateway[0] = "degraded"

    assert install(machine, 1) == 1
    assert "says degraded" in capsys.readouterr().err
    assert not (machine / "notes" / "current.json").exists()


def test_back_runs_the_release_of_before_and_forth_again(machine, calls):
    install(machine, 1)
    install(machine, 2)
    calls()

    assert main(["back"]) == 0
    (back,) = calls()
    assert image("gateway", 1) in back
    assert main(["back"]) == 0
    (forth,) = calls()
    assert image("gateway", 2) in forth


def test_installing_the_same_again_keeps_what_there_is_to_go_back_to(machine):
    install(machine, 1)
    install(machine, 2)
    install(machine, 2)

    assert noted(machine, "previous") == image("gateway", 1)


def test_back_without_a_release_of_before_says_so(machine, capsys):
    assert main(["back"]) == 1
    assert "No release of before" in capsys.readouterr().err


@pytest.mark.parametrize(
    "named", ["registry.example/auth:latest", "", "auth@sha256:12", "a b@sha256:" + "1" * 64]
)
def test_only_what_is_named_by_its_digest_is_installed(machine, calls, named, capsys):
    folder = machine / "digests1"
    folder.mkdir()
    for name in IMAGES:
        (folder / name).write_text(image(name, 1))
    (folder / "auth").write_text(named)

    assert main(["install", str(folder), "--signed-by", SIGNED_BY]) == 1
    assert "by its digest" in capsys.readouterr().err
    assert calls() == []


def test_a_machine_without_cosign_is_told_so(machine, monkeypatch, capsys):
    (machine / "bin" / "cosign").unlink()
    monkeypatch.setenv("PATH", str(machine / "bin"))

    assert install(machine, 1) == 1
    assert "cosign cannot be run" in capsys.readouterr().err
