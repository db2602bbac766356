"""Signing in on one's own machine: what a person does with a browser and an authenticator.

What a first sign-in asks for is done as a client would: a password of one's own, a second factor.
Password, authenticator and recovery codes stay in one private file beside the other secrets, for
the next time. Where more than one person works with an installation, each keeps his own instead.
"""

import json
import secrets
import time
from pathlib import Path
from typing import Any

import httpx
import pyotp

from deploy.local.errors import StackError
from deploy.local.private import open_private
from deploy.local.secrets import read as secrets_of
from deploy.local.settings import ADMIN_EMAIL, LocalSettings

PEOPLE_FILE = "people.json"
STEP_S = 30
TIMEOUT_S = 30.0
_UNAUTHORIZED = 401


class Person:
    """Somebody who signs in here: what he knows and has is kept in `path`."""

    def __init__(self, path: Path, email: str, password: str, tenant: str = "default") -> None:
        """`password` counts until another one was chosen here."""
        self._path = path
        self._name = _name(tenant, email)
        self._credentials = {"email": email, "tenant": tenant}
        self._kept: dict[str, Any] = _read(path).get(self._name) or {"password": password}

    def access_token(self, url: str) -> str:
        """Sign in at the gateway and return an access token. Raises StackError, HTTPError."""
        try:
            return self._access_token(url)
        except httpx.ConnectError as error:
            raise StackError(f"Nothing answers at {url}; start it with `make up`.") from error

    def _access_token(self, url: str) -> str:
        with httpx.Client(base_url=url, timeout=TIMEOUT_S) as http:
            answer = self._sign_in(http)
            while token := answer.get("enrolment_token"):
                http.headers["Authorization"] = f"Bearer {token}"
                if answer["password_change_required"]:
                    answer = self._choose_password(http)
                else:
                    answer = self._set_up_authenticator(http)
        return str(answer["access_token"])

    def code(self) -> str:
        """Return a code of the authenticator that was not shown before, waiting if need be.

        Raises StackError where no authenticator was set up here.
        """
        secret = self._kept.get("authenticator")
        if secret is None:
            raise StackError(f"{self._name} has no authenticator here: sign in here first.")
        step = max(self._kept.get("last_step", 0) + 1, int(time.time()) // STEP_S)
        time.sleep(max(step * STEP_S - time.time(), 0))
        self._keep(last_step=step)
        return pyotp.TOTP(secret).generate_otp(step)

    def _sign_in(self, http: httpx.Client) -> dict[str, Any]:
        body = self._credentials | {"password": self._kept["password"]}
        response = http.post("/api/auth/login", json=body)
        if response.status_code == _UNAUTHORIZED and "methods" not in response.json():
            raise StackError(
                f"The password of {self._name} is not the one known here: it was changed "
                "elsewhere. Sign in with it, at /docs or as docs/signing-in.md says."
            )
        if response.status_code == _UNAUTHORIZED:
            return _read_answer(http.post("/api/auth/login", json=body | {"code": self.code()}))
        return _read_answer(response)

    def _choose_password(self, http: httpx.Client) -> dict[str, Any]:
        chosen = secrets.token_urlsafe(18)
        body = {"current_password": self._kept["password"], "new_password": chosen}
        answer = _read_answer(http.post("/api/auth/change-password", json=body))
        self._keep(password=chosen)
        return answer

    def _set_up_authenticator(self, http: httpx.Client) -> dict[str, Any]:
        secret = _read_answer(http.post("/api/auth/2fa/setup"))["secret"]
        self._keep(authenticator=secret, last_step=0)
        answer = _read_answer(http.post("/api/auth/2fa/verify", json={"code": self.code()}))
        self._keep(recovery_codes=answer["recovery_codes"])
        return answer

    def _keep(self, **more: Any) -> None:  # noqa: ANN401 - any JSON.
        self._kept |= more
        everybody = _read(self._path) | {self._name: self._kept}
        with open_private(self._path, "w") as file:
            json.dump(everybody, file, indent=1)


def administrator(settings: LocalSettings, state_dir: Path) -> Person:
    """Return the platform's administrator. Raises StackError where nothing was started yet."""
    given = settings.environment.get("ADMIN_PASSWORD")
    password = given or secrets_of(state_dir / "secrets.env").get("ADMIN_PASSWORD")
    if not password:
        raise StackError(f"No ADMIN_PASSWORD is set, and none is in {state_dir}; is it running?")
    email = settings.environment.get("ADMIN_EMAIL") or ADMIN_EMAIL
    return Person(state_dir / PEOPLE_FILE, email, password)


def where_password_is(state_dir: Path, email: str) -> str:
    """Say where the administrator's password is to be found, without telling it."""
    kept = state_dir / PEOPLE_FILE
    if _name("default", email) in _read(kept):
        return f"in {kept}; `make code` shows a code"
    return f"your own, or at the first sign-in the ADMIN_PASSWORD of {state_dir / 'secrets.env'}"


def _name(tenant: str, email: str) -> str:
    return f"{tenant}/{email}"


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found


def _read_answer(response: httpx.Response) -> dict[str, Any]:
    answer: dict[str, Any] = response.json()
    if not response.is_success:
        raise StackError(f"{response.request.url.path}: {answer.get('detail', response.text)}")
    return answer
