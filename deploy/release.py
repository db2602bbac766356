"""Replace a running release by another one, and go back where it does not stand its trial.

    python -m deploy.release install FOLDER --signed-by IDENTITY
    python -m deploy.release back

FOLDER holds a file for each image with its name by digest, as the release workflow makes them. In
order: signatures are verified, images fetched, the schemas migrated beside the release that runs
(each migration works with the one before it), processes replaced, and the system tried. If anything
fails from the migration on, the images of before run again. `back` does that by hand.

Needs Docker Compose and cosign, and the secrets of docker-compose.yml; no package of ours.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

ROOT: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = ("bootstrap", "auth", "inventory", "forecasting", "reporting", "backup", "gateway")
SERVICES: Final = ("auth", "inventory", "forecasting", "reporting")
ISSUER: Final = "https://token.actions.githubusercontent.com"
UP_WAIT_S: Final = 300
TRIAL_S: Final = 60.0
_BY_DIGEST: Final = re.compile(r"[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}")
Images = Mapping[str, str]


class ReleaseFailed(Exception):
    """A step did not succeed; its text says which."""


def main(words: Sequence[str] | None = None) -> int:
    """Carry out the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.release", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    install = commands.add_parser("install", help="replace what runs by these images")
    install.add_argument("folder", type=Path, help="a file for each image, with its name by digest")
    install.add_argument("--signed-by", required=True, help="whose signatures the images must have")
    commands.add_parser("back", help="run the images of before the last install again")
    asked = parser.parse_args(words)
    notes = Notes(Path(os.environ.get("RELEASE_DIR", ROOT / ".release")))
    try:
        if asked.command == "back":
            go_back(notes)
        else:
            replace_release(read_images(asked.folder), asked.signed_by, notes)
    except ReleaseFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


class Notes:
    """Which images run, and which ran before, kept beside the project."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> Images | None:
        """Return the images noted as `current` or `previous`, if any are."""
        path = self._folder / f"{name}.json"
        found: dict[str, str] | None = json.loads(path.read_text()) if path.is_file() else None
        return found

    def write(self, name: str, images: Images) -> None:
        self._folder.mkdir(exist_ok=True)
        half = self._folder / f"{name}.json.new"
        half.write_text(json.dumps(dict(images), indent=2) + "\n")
        half.replace(self._folder / f"{name}.json")


def read_images(folder: Path) -> Images:
    """Return each image by its digest. Raises ReleaseFailed where one is missing or is a tag."""
    found = {}
    for image in IMAGES:
        path = folder / image
        found[image] = path.read_text().strip() if path.is_file() else ""
        if not _BY_DIGEST.fullmatch(found[image]):
            raise ReleaseFailed(f"{path} does not name an image by its digest (NAME@sha256:...).")
    return found


def replace_release(images: Images, signed_by: str, notes: Notes) -> None:
    """Verify, fetch, migrate, replace, try; run the images of before if that fails."""
    for image in images.values():
        signature = ("--certificate-oidc-issuer", ISSUER, "--certificate-identity", signed_by)
        _run("the signature", ("cosign", "verify", *signature, image))
    _compose("fetching the images", images, "pull", "--quiet", "--policy", "missing")
    current = notes.read("current")
    try:
        _start(images)
        try_system()
    except ReleaseFailed as error:
        if current is None:
            raise
        _say(f"{error} The images of before are started again.")
        _start(current, migrates=False)
        try_system()
        raise ReleaseFailed(f"Not released: {error} The release of before runs.") from error
    if current is not None and current != images:
        notes.write("previous", current)
    notes.write("current", images)
    _say("Released.")


def go_back(notes: Notes) -> None:
    """Run the images of before the last install; schemas stay as they are."""
    previous, current = notes.read("previous"), notes.read("current")
    if previous is None:
        raise ReleaseFailed("No release of before is noted here.")
    _start(previous, migrates=False)
    try_system()
    notes.write("current", previous)
    if current is not None:
        notes.write("previous", current)
    _say("The release of before runs.")


def try_system() -> None:
    """Return once the gateway and all behind it are well. Raises ReleaseFailed if they are not."""
    url = f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT', '8083')}/health"
    end_at, seen = time.monotonic() + TRIAL_S, "nothing"
    while time.monotonic() < end_at:
        try:
            with urlopen(url, timeout=5) as answer:
                seen = str(json.load(answer)["status"])
        except (URLError, OSError, ValueError, KeyError) as error:
            seen = str(error)
        if seen == "ok":
            return
        time.sleep(1)
    raise ReleaseFailed(f"The system is not well: {url} says {seen}.")


def _start(images: Images, *, migrates: bool = True) -> None:
    """Run these images; the schemas first, and what runs goes on meanwhile."""
    if migrates:
        _compose("the bootstrap", images, "run", "--rm", "bootstrap")
        for service in SERVICES:
            migration = f"{service}-migrate"
            _compose(f"the migration of {service}", images, "run", "--rm", "--no-deps", migration)
    wait = ("--wait", "--wait-timeout", str(UP_WAIT_S))
    _compose("starting", images, "up", "--detach", "--no-build", "--remove-orphans", *wait)


def _compose(step: str, images: Images, *words: str) -> None:
    files = ("--file", "docker-compose.yml", "--file", "deploy/compose.release.yml")
    names = {f"{name.upper()}_IMAGE": image for name, image in images.items()}
    _run(step, ("docker", "compose", *files, *words), names)


def _run(step: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    _say(f"{step}: {' '.join(command)}")
    try:
        done = subprocess.run(  # noqa: S603 - our own commands.
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, check=False
        )
    except OSError as error:
        raise ReleaseFailed(f"{command[0]} cannot be run: {error.strerror}.") from error
    if done.returncode:
        raise ReleaseFailed(f"{step} failed: {command[0]} ended with {done.returncode}.")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
