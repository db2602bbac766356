"""deploy/install.sh on machines where it cannot work: it must say why in one line."""

import os
import shutil
import subprocess

import pytest

from deploy.local.settings import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    (folder / "deploy").mkdir(parents=True)
    (folder / "requirements").mkdir()
    shutil.copy(ROOT / "deploy" / "install.sh", folder / "deploy")
    (folder / "requirements" / "all.txt").write_text("")
    return folder


def install(checkout, python_says, extra="all"):
    programs = checkout / "bin"
    programs.mkdir()
    for name in ("dirname", "tail", "sh"):
        (programs / name).symlink_to(shutil.which(name))
    (programs / "python3").write_text(python_says)
    (programs / "python3").chmod(0o755)
    return subprocess.run(  # noqa: S603 - our own script.
        [shutil.which("sh"), str(checkout / "deploy" / "install.sh"), extra],
        env={"PATH": str(programs), "HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


def test_old_python_is_named(checkout):
    old = '#!/bin/sh\n[ "$1" = -V ] && { echo "Python 3.9.2"; exit 0; }\nexit 1\n'

    done = install(checkout, old)

    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 or newer is needed; found Python 3.9.2.")
    assert not (checkout / ".venv").exists()


def test_python_without_venv_is_told_how_to_get_it(checkout):
    without_venv = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexit 0\n'

    done = install(checkout, without_venv)

    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def test_lock_that_does_not_exist_is_named(checkout):
    done = install(checkout, "#!/bin/sh\nexit 0\n", extra="nothing")

    assert done.returncode == 1
    assert "requirements/nothing.txt" in done.stderr
