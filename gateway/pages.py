"""What the gateway answers itself: health, metrics, documents, documentation, problems."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, NamedTuple

import orjson
from pydantic import SecretStr

from gateway import docs, metrics, problems
from gateway.call import Answer, Call
from gateway.errors import ReadOnly
from gateway.health import Health
from gateway.identity import Identity, require_scope
from gateway.openapi import Documents
from gateway.revocations import Revocations
from gateway.routes import SERVICES
from shared.errors import NotFound, Unauthorized
from shared.metrics import may_read_metrics

_READING: Final = frozenset({"GET", "HEAD"})
_UNAVAILABLE: Final = 503


class Page(NamedTuple):
    """A page, and its name in the metrics."""

    route: str
    make: Callable[[Call], Awaitable[Answer]]


class Pages:
    """Finds and makes the gateway's own pages."""

    def __init__(
        self,
        health: Health,
        documents: Documents,
        identity: Identity,
        revocations: Revocations,
        is_ready: Callable[[], bool],
        *,
        metrics_token: SecretStr | None,
        default_language: str,
    ) -> None:
        self._health = health
        self._documents = documents
        self._identity = identity
        self._revocations = revocations
        self._is_ready = is_ready
        self._pages = {page.route: page for page in self._list()}
        if metrics_token is not None:
            self._pages["/metrics"] = Page("/metrics", partial(_metrics, metrics_token))
        for slug in problems.CATALOGUE:
            page = Page("/problems/{slug}", partial(problems.explain, slug, default_language))
            self._pages[f"/problems/{slug}"] = page
        assets = docs.load_assets()
        for path in ("/docs", *(f"/docs/{service}" for service in SERVICES)):
            self._pages[path] = Page(path, partial(_constant, assets[docs.PAGE]))
        for name, asset in assets.items():
            self._pages[f"/docs/{name}"] = Page("/docs/{asset}", partial(_constant, asset))

    async def answer(self, call: Call) -> None:
        """Answer a call to one of the pages. Raises NotFound if there is none, ReadOnly."""
        page = self._pages.get(call.path.decode("ascii"))
        if page is None:
            raise NotFound
        call.route = page.route
        if call.method not in _READING:
            raise ReadOnly
        call.answer(await page.make(call))

    def _list(self) -> list[Page]:
        return [
            Page("/", _to_docs),
            Page("/health", self._whole_health),
            Page("/health/live", partial(_constant, _json({"status": "ok"}))),
            Page("/health/ready", self._readiness),
            Page("/status", self._status),
            Page("/openapi.json", self._merged_document),
            *(
                Page(f"/openapi/{service}.json", partial(self._document, service))
                for service in SERVICES
            ),
        ]

    async def _whole_health(self, _call: Call) -> Answer:
        report = await self._health.whole()
        return _json(report, _UNAVAILABLE if report["status"] == "down" else 200)

    async def _readiness(self, _call: Call) -> Answer:
        if self._is_ready():
            return _json({"status": "ok"})
        return _json({"status": "down", "reason": "auth has not answered yet"}, _UNAVAILABLE)

    async def _status(self, call: Call) -> Answer:
        claims = call.claims = await self._identity.identify(call.head, call.network)
        call.user_language = claims.lang
        self._revocations.require_fresh(reading=False)
        for scope in ("ops:read", "tenant:manage"):  # It is about all tenants.
            require_scope(claims, scope)
        authorization = call.head.read[b"authorization"]
        return _json(await self._health.status(authorization, call.request_id, call.client))

    async def _merged_document(self, _call: Call) -> Answer:
        return _json(await self._documents.merged())

    async def _document(self, service: str, _call: Call) -> Answer:
        return _json(await self._documents.of(service))


async def _to_docs(_call: Call) -> Answer:
    return Answer(b"", "text/plain", 307, [(b"location", b"/docs")])


async def _metrics(token: SecretStr, call: Call) -> Answer:
    if not may_read_metrics(call.head.read.get(b"authorization", b""), token):
        raise Unauthorized
    accept = next((value for name, value in call.fields if name == b"accept"), b"")
    return Answer(*await metrics.text(accept.decode("latin-1")))


async def _constant(answer: Answer, _call: Call) -> Answer:
    return answer


def _json(report: Any, status: int = 200) -> Answer:  # noqa: ANN401  Any JSON.
    return Answer(orjson.dumps(report), status=status)
