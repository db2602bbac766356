"""Evidence of an incident: what the installation says of itself, hashed and signed."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from deploy.local.private import open_private, private_folder
from deploy.operator.errors import OperatorError
from deploy.operator.place import SERVICES, Installation
from deploy.operator.redaction import redacted_tail
from shared.sealed_files.keys import FileKey

SUMS = "SHA256SUMS"
SIGN_INS = (
    "auth.user-signed-in.v1",
    "auth.sign-in-failed.v1",
    "auth.sign-in-throttled.v1",
    "auth.credential-stuffing-suspected.v1",
    "auth.refresh-reused.v1",
    "auth.provided-sign-in-failed.v1",
)


@dataclass
class Evidence:
    """What was collected, and what could not be or does not hold."""

    folder: Path
    files: dict[str, str] = field(default_factory=dict)  # Name and SHA-256.
    bad: list[str] = field(default_factory=list)
    digest: str = ""
    signed_by: str | None = None  # The public key, where this machine has the private one.

    def keep(self, name: str, content: str) -> None:
        """Write one file, for its owner alone."""
        path = self.folder / name
        private_folder(path.parent)
        with open_private(path, "w") as file:
            file.write(content)
        self.files[name] = hashlib.sha256(content.encode()).hexdigest()

    def keep_json(self, name: str, content: Any) -> None:  # noqa: ANN401 - any JSON.
        self.keep(name, json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n")

    def attempt(self, what: str, make: Callable[[], None]) -> None:
        """Do one step; one that fails is told, and stops no other."""
        try:
            make()
        except OperatorError as error:
            self.bad.append(f"{what}: {error}")


def collect(place: Installation, folder: Path, since: str) -> Evidence:
    """Collect what there is. Raises OperatorError where the folder holds something already."""
    if folder.exists() and any(folder.iterdir()):
        raise OperatorError(f"{folder} is not empty: evidence goes into a folder of its own.")
    found = Evidence(private_folder(folder))
    for service in SERVICES:
        found.attempt(service, partial(_of_journal, found, place, service, since))
    found.attempt("stock", partial(_of_stock, found, place))
    found.attempt("access", partial(_access, found, place))
    for path in ("/health", "/status"):
        found.attempt(path, partial(_answered, found, place, path))
    for log in sorted((place.state_dir / "log").glob("*.log")):
        found.keep(f"logs/{log.name}", redacted_tail(log))
    for head in sorted((place.state_dir / "journal").glob("*.checkpoint")):
        found.keep(f"kept-heads/{head.name}", head.read_text())
    _sign(found, place)
    return found


def _of_journal(found: Evidence, place: Installation, service: str, since: str) -> None:
    told = place.ask_json(service, "evidence", since)
    found.keep(f"heads/{service}.checkpoint", told["head"] or "")
    found.keep(f"heads/{service}.key", told["key"] + "\n")
    found.keep(f"verification/{service}.journal.txt", told["verification"] + "\n")
    found.keep_json(f"changes/{service}.json", told["changes"])
    if not told["holds"]:
        found.bad.append(f"{service}: {told['verification']}")
    if service == "auth":
        entries = told["changes"]["entries"]
        found.keep_json("sign-ins.json", [one for one in entries if one["type"] in SIGN_INS])


def _of_stock(found: Evidence, place: Installation) -> None:
    holds, said = place.judge("inventory", "verify-stock")
    found.keep("verification/stock.txt", said + "\n")
    if not holds:
        found.bad.append(f"stock: {said.splitlines()[0]}")


def _access(found: Evidence, place: Installation) -> None:
    found.keep_json("access.json", place.ask_json("auth", "access-review"))


def _answered(found: Evidence, place: Installation, path: str) -> None:
    found.keep_json(f"{path[1:]}.json", place.get(path, token=path == "/status"))


def _sign(found: Evidence, place: Installation) -> None:
    sums = "".join(f"{digest}  {name}\n" for name, digest in sorted(found.files.items()))
    with open_private(found.folder / SUMS, "w") as file:
        file.write(sums)
    found.digest = hashlib.sha256(sums.encode()).hexdigest()
    asked = place.settings.environment.get("BACKUP_ENCRYPTION_KEY")
    key_text = asked or place.secrets.get("BACKUP_ENCRYPTION_KEY")
    if key_text:
        key = FileKey(key_text)
        with open_private(found.folder / f"{SUMS}.sig", "w") as file:
            file.write(key.sign(sums.encode()).hex() + "\n")
        found.signed_by = key.public_text
