"""A client of the public API as a good one behaves.

Every POST carries an Idempotency-Key, the same in each attempt, so that trying again is safe. It
tries again when the connection fails, or the server is busy, and waits as long as it is told to.
"""

from collections.abc import Iterator
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
import stamina

from deploy.local.people import Person

ATTEMPTS = 8
PATIENCE_S = 60.0  # in all attempts of one call
TIMEOUT_S = 60.0  # of one attempt: verification reads the whole ledger
TRY_AGAIN = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class Refused(Exception):
    """The API said no, and why: a problem of RFC 9457."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.retry_after = response.headers.get("Retry-After", "")
        try:
            self.problem: dict[str, Any] = response.json()
        except ValueError:
            self.problem = {"detail": response.text[:200]}
        request = response.request
        said = self.problem.get("detail") or self.problem.get("title") or response.reason_phrase
        where = "".join(f" {each['path']}: {each['message']}" for each in self._errors())
        super().__init__(f"{request.method} {request.url.path}: {self.status} {said}{where}")

    @property
    def code(self) -> str:
        return str(self.problem.get("code", ""))

    def _errors(self) -> list[dict[str, Any]]:
        return self.problem.get("errors") or []


class Client:
    """A connection to the gateway, signed in or not."""

    def __init__(
        self, url: str, token: str | None = None, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url = url
        self._transport = transport
        headers = {"Accept-Language": "en"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT_S, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def signed_in(self, person: Person) -> "Client":
        """Return a client with the rights of this person. Raises StackError, httpx.HTTPError."""
        return Client(self.url, person.access_token(self.url), self._transport)

    def get(self, path: str, **parameters: str | int) -> Any:  # noqa: ANN401 - any JSON.
        """Return the answer. Raises Refused, httpx.TransportError."""
        return self._send("GET", path, params=parameters)

    def post(self, path: str, body: Any) -> Any:  # noqa: ANN401 - any JSON.
        """Return the answer to something done once. Raises Refused, httpx.TransportError."""
        return self._send("POST", path, json=body, headers={"Idempotency-Key": str(uuid4())})

    def pages(self, path: str, member: str = "items", **parameters: str | int) -> Iterator[Any]:
        """Yield everything in a list, page by page. Raises as `get`."""
        page = self.get(path, **parameters)
        yield from page[member]
        while page.get("next_cursor"):
            page = self.get(path, **parameters, cursor=page["next_cursor"])
            yield from page[member]

    def _send(self, method: str, path: str, **contents: Any) -> Any:  # noqa: ANN401 - see above.
        for attempt in stamina.retry_context(
            on=worth_trying_again, attempts=ATTEMPTS, timeout=PATIENCE_S
        ):
            with attempt:
                response = self._http.request(method, path, **contents)
                if not response.is_success:
                    raise Refused(response)
        return response.json()


def worth_trying_again(error: Exception) -> bool | float:
    """Say whether to try again; a number is the seconds that the server asks to wait."""
    if isinstance(error, httpx.TransportError):
        return True
    if not isinstance(error, Refused) or not _is_passing(error):
        return False
    return float(error.retry_after) if error.retry_after.isdecimal() else True


def _is_passing(error: Refused) -> bool:
    return error.status in TRY_AGAIN or error.code == "idempotency_in_progress"
