"""The services' OpenAPI documents, one by one and merged into one."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import structlog

from gateway.errors import ServiceAway
from gateway.routes import SERVICES
from shared.version import VERSION

PATH: Final = "/openapi.json"
TIMEOUT_S: Final = 5.0
KEPT_S: Final = 60.0
RETRY_S: Final = 2.0  # A service that was away is asked again after so long.

Document = dict[str, Any]
_ABOUT: Final = """All public operations of the inventory backend.

**Signing in.** `POST /api/auth/login` answers with an access token; send it as
`Authorization: Bearer …`. A machine sends an API key (`POST /api/auth/api-keys`) in the same way.
After `expires_in` seconds `POST /api/auth/refresh` gives the next one.

**Enrolment.** Who must choose a password or set up a second factor first gets an `enrolment_token`
instead. It is good for `POST /api/auth/change-password`, `/api/auth/2fa/setup` and `/verify` (or
`/api/auth/passkeys/…`) alone; the last of these answers with the tokens.

**Step-up.** What would do most harm in wrong hands needs a proof of identity from the last five
minutes. 403 `step_up_required` asks for one: `POST /api/auth/step-up` with password and code, then
the same call again with the new access token.

**Refusals** are one form, `Problem` (RFC 9457): `type` is the address of a page that explains it,
`code` is stable, `detail` says what to do next, `errors` names each value that is not valid.

**Rates.** Each answer says in `RateLimit-Policy` how many requests of its kind
may come in which time (`"read";q=600;w=60`: 600 in 60 seconds), and in `RateLimit` how many are
left (`r`), and in how many seconds all are there again (`t`). A request too many is 429, and
`Retry-After` says after how many seconds to try again; so does 503.

**Repeating.** A POST with an `Idempotency-Key` is done once: sent again with the same key, within
seven days, it gets the same answer, with `Idempotency-Replayed: true`. Take a new key for each
intended change, and send the same one again when an answer got lost.

**Versions.** What can be changed has an `ETag`. Sent as `If-Match` with a change, it refuses the
change (412) if somebody else was faster; sent as `If-None-Match` with a GET, the answer is 304
while nothing changed.

**Lists** come in pages of `limit`, at most 200: send the `next_cursor` of one as the `cursor` of
the next, with the same parameters, until it is null.

**Texts** are English or French, by `lang`, `Accept-Language`, or the user's own setting. Exact
numbers are strings, times are UTC.
"""
log = structlog.get_logger()


class Documents:
    """Fetches documents and keeps them for a minute; an old one serves while a service is away."""

    def __init__(self, client: httpx.AsyncClient, addresses: Mapping[str, str]) -> None:
        self._client = client
        self._addresses = addresses
        self._documents: dict[str, Document] = {}
        self._merged: Document | None = None
        self._ask_again_at: dict[str, float] = defaultdict(float)
        self._locks = {service: asyncio.Lock() for service in SERVICES}

    async def of(self, service: str) -> Document:
        """Return a service's public document. Raises ServiceAway if none was ever to be had."""
        await self._refresh(service)
        try:
            return self._documents[service]
        except KeyError:
            raise ServiceAway(service=service) from None

    async def merged(self) -> Document:
        """Return one document of all services that have one."""
        await asyncio.gather(*map(self._refresh, SERVICES))
        if self._merged is None:
            known = (service for service in SERVICES if service in self._documents)
            self._merged = merge({service: self._documents[service] for service in known})
        return self._merged

    async def _refresh(self, service: str) -> None:
        async with self._locks[service]:
            if time.monotonic() < self._ask_again_at[service]:
                return
            document = await self._fetch(service)
            kept_s = RETRY_S if document is None else KEPT_S
            self._ask_again_at[service] = time.monotonic() + kept_s
            if document is not None and document != self._documents.get(service):
                self._documents[service] = document
                self._merged = None

    async def _fetch(self, service: str) -> Document | None:
        try:
            url = self._addresses[service] + PATH
            response = await self._client.get(url, timeout=TIMEOUT_S)
            document = response.raise_for_status().json()
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            log.warning("document not fetched", upstream=service, reason=repr(error))
            return None
        return public_part(document) if isinstance(document, dict) else None


def public_part(document: Document) -> Document:
    """Return the document with the paths that the gateway serves."""
    paths = document.get("paths", {})
    public = {
        path: item for path, item in paths.items() if path.startswith(("/api/", "/.well-known/"))
    }
    return document | {"paths": public, "servers": [{"url": "/"}]}


def merge(documents: Mapping[str, Document]) -> Document:
    """Return one document; components that differ under one name get their service's before it.

    The first service to have a path or an operation id keeps it; another's id gets its name too.
    """
    clashing = _find_clashes(documents)
    paths: dict[str, Any] = {}
    components: dict[str, dict[str, Any]] = {}
    tags: dict[str, Any] = {}
    operation_ids: set[str] = set()
    for service, original in documents.items():
        document = _renamed(original, _renamer(service, clashing))
        for kind, named in document.get("components", {}).items():
            for name, component in named.items():
                own = _new_name(service, kind, name, clashing)
                components.setdefault(kind, {})[own] = component
        for path, item in document["paths"].items():
            paths.setdefault(path, _with_unique_ids(service, item, operation_ids))
        for tag in document.get("tags", []):
            tags.setdefault(tag["name"], tag)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Stockwright",
            "version": VERSION,
            "description": _ABOUT,
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": components,
        "tags": [*tags.values()],
    }


def _find_clashes(documents: Mapping[str, Document]) -> frozenset[tuple[str, str]]:
    """Return the (kind, name) of components that two services define differently."""
    seen: dict[tuple[str, str], Any] = {}
    clashing = set()
    for document in documents.values():
        for kind, named in document.get("components", {}).items():
            for name, component in named.items():
                if seen.setdefault((kind, name), component) != component:
                    clashing.add((kind, name))
    return frozenset(clashing)


def _renamer(service: str, clashing: frozenset[tuple[str, str]]) -> Callable[[str], str]:
    def rename(reference: str) -> str:
        place, _, name = reference.rpartition("/")
        kind = place.rpartition("/")[2]
        return f"{place}/{_new_name(service, kind, name, clashing)}"

    return rename


def _new_name(service: str, kind: str, name: str, clashing: frozenset[tuple[str, str]]) -> str:
    return f"{service}.{name}" if (kind, name) in clashing else name


def _renamed(node: Any, rename: Callable[[str], str]) -> Any:  # noqa: ANN401  Any JSON.
    """Return a copy of `node` with every reference to a component renamed."""
    if isinstance(node, dict):
        return {key: _renamed(value, rename) for key, value in node.items()}
    if isinstance(node, list):
        return [_renamed(value, rename) for value in node]
    if isinstance(node, str) and node.startswith("#/components/"):
        return rename(node)
    return node


def _with_unique_ids(service: str, item: Document, taken: set[str]) -> Document:
    unique = {}
    for method, operation in item.items():
        if isinstance(operation, dict) and "operationId" in operation:
            name = operation["operationId"]
            name = f"{service}_{name}" if name in taken else name
            taken.add(name)
            unique[method] = operation | {"operationId": name}
        else:
            unique[method] = operation
    return unique
