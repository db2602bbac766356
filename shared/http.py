"""Calls from one service to another: by name, with a service token, a deadline and retries."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import stamina
import structlog
from pydantic import SecretStr

from shared.errors import Unauthorized, Unavailable
from shared.settings import ProcessSettings
from shared.tls import inside_context

TIMEOUT_S = 10.0
TOKEN_RENEWAL_MARGIN_S = 30.0
_SERVER_ERROR = 500
_UNAUTHORIZED = 401


class ServiceClient:
    """Speaks for one service (`client_id`) to the internal API of the others."""

    def __init__(self, settings: ProcessSettings, client_id: str, client_secret: SecretStr) -> None:
        self._settings = settings
        self._client_id = client_id
        self._client_secret = client_secret
        self._http = httpx.AsyncClient(
            timeout=TIMEOUT_S, verify=inside_context(settings.service_tls)
        )
        self._tokens: dict[str, tuple[str, float]] = {}  # By service called; until when good.

    async def get_json(
        self,
        service: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> Any:  # noqa: ANN401 - whatever JSON the other side promises.
        """Return the answer to a GET; safe to repeat, so it is tried again for a short while.

        Raises Unavailable when the service cannot be reached or fails.
        """
        try:
            async for attempt in stamina.retry_context(on=httpx.TransportError, attempts=3):
                with attempt:
                    return await self._send("GET", service, path, params=params, timeout=timeout_s)
        except httpx.TransportError as error:
            raise Unavailable from error
        raise AssertionError  # pragma: no cover - retry_context returns or raises.

    async def post_json(
        self, service: str, path: str, body: object, *, timeout_s: float = TIMEOUT_S
    ) -> Any:  # noqa: ANN401 - whatever JSON the two sides promise.
        """Return the answer to a POST, which is sent once.

        Raises Unavailable when the service cannot be reached or fails, httpx.HTTPStatusError when
        it refuses what was sent.
        """
        try:
            return await self._send(
                "POST", service, path, content=orjson.dumps(body), timeout=timeout_s
            )
        except httpx.TransportError as error:
            raise Unavailable from error

    async def close(self) -> None:
        await self._http.aclose()

    async def _send(self, method: str, service: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - httpx options.
        response = await self._request(method, service, path, **options)
        if _is_about_token(response):
            self._tokens.pop(service, None)
            response = await self._request(method, service, path, **options)
        if response.status_code >= _SERVER_ERROR or _is_about_token(response):
            raise Unavailable
        response.raise_for_status()
        return orjson.loads(response.content) if response.content else None

    async def _request(
        self,
        method: str,
        service: str,
        path: str,
        **options: Any,  # noqa: ANN401 - httpx options.
    ) -> httpx.Response:
        context = structlog.contextvars.get_contextvars()
        headers = {
            "Authorization": f"Bearer {await self._fresh_token(service)}",
            "Content-Type": "application/json",
            "X-Request-ID": context.get("request_id", ""),
            "traceparent": context.get("traceparent", ""),
        }
        return await self._http.request(
            method,
            self._settings.url_of(service) + path,
            headers={name: value for name, value in headers.items() if value},
            **options,
        )

    async def _fresh_token(self, service: str) -> str:
        token, renew_at = self._tokens.get(service, ("", 0.0))
        if time.monotonic() >= renew_at:
            response = await self._http.post(
                self._settings.url_of("auth") + "/internal/token",
                json={
                    "client_id": self._client_id,
                    "client_secret": self._client_secret.get_secret_value(),
                    "audience": service,
                },
            )
            if response.is_error:
                raise Unavailable
            granted = response.json()
            token = granted["access_token"]
            renew_at = time.monotonic() + granted["expires_in"] - TOKEN_RENEWAL_MARGIN_S
            self._tokens[service] = token, renew_at
        return token


def _is_about_token(response: httpx.Response) -> bool:
    """Say whether our own token was refused, and not what we sent."""
    if response.status_code != _UNAUTHORIZED:
        return False
    try:
        return bool(orjson.loads(response.content)["code"] == Unauthorized().code)
    except (ValueError, LookupError, TypeError):
        return True
