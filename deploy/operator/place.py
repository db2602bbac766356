"""Where the installation is: the stack of this checkout, or one that a command reaches."""

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local.instance import Instance, Note
from deploy.local.maintain import worker_of
from deploy.local.people import administrator
from deploy.local.private import open_private
from deploy.local.secrets import read as read_secrets
from deploy.local.settings import ROOT, LocalSettings
from deploy.operator.errors import OperatorError

SERVICES = ("auth", "inventory", "forecasting", "reporting")
TIMEOUT_S = 30.0
# Beside the password and the authenticator that it comes from.
TOKEN_FILE = "operator.token"  # noqa: S105 - the name of the file.
_UNAUTHORIZED = 401


@dataclass(frozen=True)
class Installation:
    """How services are asked: by their own commands, and the whole through the gateway."""

    settings: LocalSettings
    state_dir: Path
    through: str = ""  # Runs what follows beside a worker: "docker compose exec -T {worker}".
    url: str = ""
    token_file: str = ""

    def ask(self, service: str, *words: str) -> str:
        """Return what a command of a service says. Raises OperatorError with what it complains."""
        return self._finished(service, words, (0,)).stdout.strip()

    def ask_json(self, service: str, *words: str) -> Any:  # noqa: ANN401 - any JSON.
        """Return what a command of a service says as JSON, in the last line of it."""
        said = self.ask(service, *words).rpartition("\n")[2]
        try:
            return json.loads(said)
        except ValueError as error:
            raise OperatorError(f"{service} {words[0]} said no JSON: {said[:200]}") from error

    def ask_all(self, *words: str) -> dict[str, Any]:
        """Return what each service says to the same command as JSON, asked side by side."""
        with ThreadPoolExecutor(len(SERVICES)) as threads:
            told = threads.map(lambda service: self.ask_json(service, *words), SERVICES)
            return dict(zip(SERVICES, told, strict=True))

    def judge(self, service: str, *words: str) -> tuple[bool, str]:
        """Return whether a verification of a service held, and what it said."""
        done = self._finished(service, words, (0, 1))
        return done.returncode == 0, (done.stdout or done.stderr).strip()

    def _finished(
        self, service: str, words: Sequence[str], allowed: Sequence[int]
    ) -> subprocess.CompletedProcess[str]:
        show(f"{service}: {words[0]} …")
        command, environment, folder = self._program(service)
        done = subprocess.run(  # noqa: S603 - our own program, or who asks says by what it is run.
            [*command, *words],
            env=environment, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in allowed:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise OperatorError(f"{service} {words[0]}: {said[-1] if said else done.returncode}")
        return done

    def _program(self, service: str) -> tuple[list[str], dict[str, str] | None, Path]:
        if self.through:
            before = shlex.split(self.through.format(worker=f"{service}-worker"))
            return [*before, "python", "-m", f"services.{service}"], None, ROOT
        worker = worker_of(self.settings, self.state_dir, service)
        return list(worker.command[:3]), dict(worker.environment), Path(worker.folder)

    @property
    def gateway(self) -> str:
        return self.url or self.settings.url_of("gateway")

    def get(self, path: str, *, token: bool = True) -> Any:  # noqa: ANN401 - any JSON.
        """Return what the gateway answers, with an administrator's token. Raises OperatorError."""
        try:
            answer = self._got(path, self._token() if token else "")
            if token and answer.status_code == _UNAUTHORIZED and not self.token_file:
                answer = self._got(path, self._token(anew=True))
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise OperatorError(f"{self.gateway}{path} does not answer: {error}") from error
        if answer.is_client_error:
            raise OperatorError(f"{path}: {found.get('detail', answer.status_code)}")
        return found

    def _got(self, path: str, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.get(self.gateway + path, headers=headers, timeout=TIMEOUT_S)

    def _token(self, *, anew: bool = False) -> str:
        """Return a token of the administrator's: the last one again, as a code is good but once."""
        if self.token_file:
            return Path(self.token_file).read_text().strip()
        kept = self.state_dir / TOKEN_FILE
        if not anew and kept.exists():
            return kept.read_text()
        token = administrator(self.settings, self.state_dir).access_token(self.gateway)
        with open_private(kept, "w") as file:
            file.write(token)
        return token

    @property
    def note(self) -> Note | None:
        """What the stack of this checkout says of itself, where it runs."""
        return Instance(self.state_dir).find()

    @property
    def secrets(self) -> dict[str, str]:
        return read_secrets(self.state_dir / "secrets.env")


def show(text: str) -> None:
    """Show how far it is, beside what is answered."""
    sys.stderr.write(f"{text}\n")
