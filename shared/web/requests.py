"""What a route may ask of its request.

Dependencies are coroutines even where they wait for nothing: FastAPI runs plain functions in a
thread, which costs more than most of them do.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import QueryParams
from starlette.types import Scope

from shared.clock import utc_now
from shared.db import Database
from shared.i18n import negotiate
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.keeper import Keeper
from shared.journal.notes import SigningKey
from shared.principal import Device
from shared.resources import Resources

_NO_QUERY = QueryParams()
LANGUAGE_PARAMETER = "lang"  # Every route takes it.
USER_AGENT_LENGTH_MAX = 300


def get_resources(request: Request) -> Resources[Any]:
    """Return what the process holds open; a service's `resources.py` says what its own is."""
    resources: Resources[Any] = request.app.state.resources
    return resources


async def get_database(request: Request) -> Database:
    return get_resources(request).database


async def get_signing_key(request: Request) -> SigningKey:
    return get_resources(request).signing_key


async def get_keeper(request: Request) -> Keeper:
    return get_resources(request).keeper


async def get_archives(request: Request) -> ArchiveFolder | None:
    return get_resources(request).archives


def query_of(scope: Scope) -> QueryParams:
    """Return all query parameters of a request, which are read once."""
    query: QueryParams | None = scope["state"].get("query")
    if query is None:
        given = scope["query_string"]
        query = scope["state"]["query"] = QueryParams(given) if given else _NO_QUERY
    return query


def language_of(request: Request) -> str:
    """Return the language of the answer, once the caller is known also by the caller's setting."""
    state = request.scope["state"]
    language: str | None = state.get("language")
    if language is None:
        language = state["language"] = negotiate(
            query_of(request.scope).get(LANGUAGE_PARAMETER),
            request.headers.get("accept-language"),
            state.get("user_language"),
            get_resources(request).settings.default_language,
        )
    return language


def set_user_language(request: Request, language: str | None) -> None:
    """Let answers be in the caller's own language, unless the request asks for another."""
    request.scope["state"]["user_language"] = language
    request.scope["state"].pop("language", None)


def device_of(request: Request) -> Device:
    """Return from where the request came, as the gateway says, and with what."""
    client = request.scope.get("client")
    agent = request.headers.get("user-agent", "")
    shown = "".join(filter(str.isprintable, agent))  # People read it in the list of their sessions.
    return Device(client[0] if client else "", shown[:USER_AGENT_LENGTH_MAX])


def request_id_of(request: Request) -> str:
    return str(request.scope["state"]["request_id"])


async def _now() -> datetime:
    return utc_now()


async def _language(request: Request) -> str:
    return language_of(request)


Now = Annotated[datetime, Depends(_now)]
Language = Annotated[str, Depends(_language)]
