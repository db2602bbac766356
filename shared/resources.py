"""What one process of a service holds open, made once and closed at the end."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

import httpx
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from shared import metrics, tracing
from shared.cache import Cache
from shared.db import Database, OpenFor
from shared.http import ServiceClient
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.holds import ActiveHold
from shared.journal.keeper import Keeper
from shared.journal.notes import SigningKey
from shared.journal.rows import RowKeeper
from shared.journal.wake import Waker
from shared.principal import Principal
from shared.redis_client import open_redis
from shared.sealed_files.keys import Keyring
from shared.security.claims import EnrolmentClaims, ServiceClaims, UserClaims
from shared.security.jwks import RemoteKeys
from shared.security.sealing import Sealer
from shared.security.tokens import KeySource, TokenVerifier
from shared.settings import ServiceSettings
from shared.tls import inside_context, refresh_certificates, tls_context

PROBE_INTERVAL_S = 5.0

OwnT = TypeVar("OwnT")
MoreT = TypeVar("MoreT")


@dataclass(slots=True)
class Resources(Generic[OwnT]):
    """The connections and keys of one process, and in `own` what its service alone needs."""

    service: str
    settings: ServiceSettings
    database: Database
    redis: Redis
    cache: Cache
    waker: Waker
    users: TokenVerifier[UserClaims]
    enrolling: TokenVerifier[EnrolmentClaims]
    services: TokenVerifier[ServiceClaims]
    signing_key: SigningKey
    keeper: Keeper  # Of the journal's newest checkpoint.
    archives: ArchiveFolder | None  # Of months that left the journal; None: none ever does.
    fingerprint_key: bytes  # Of the requests sent with an Idempotency-Key.
    answer_sealer: Sealer  # Of the answers kept for them.
    http: httpx.AsyncClient  # To the world outside.
    inside: httpx.AsyncClient  # To gateway and services, without a token.
    own: OwnT
    client: ServiceClient | None = None
    # What retention must not remove; where it is not known here, auth is asked. Raises Unavailable.
    find_holds: Callable[[], Awaitable[Sequence[ActiveHold]]] | None = None
    # Journal entries that rows of this service are still compared with: their months stay.
    proving_types: frozenset[str] = frozenset()
    # Of rows that retention takes out of their table before their entries leave the journal.
    row_keeper: RowKeeper | None = None
    # Where the service itself knows whose sign-in still stands: asked as a transaction of a caller
    # begins. Raises Unauthorized.
    require_standing: Callable[[AsyncSession, Principal], Awaitable[None]] | None = None
    # What the service alone knows of its state: for `/status`, and in one word each for `/health`,
    # which is degraded by "late" and "failed".
    tell_state: Callable[[OpenFor, datetime], Awaitable[Mapping[str, Any]]] | None = None
    tell_health: Callable[[OpenFor, datetime], Awaitable[Mapping[str, str]]] | None = None
    started_at: float = field(default_factory=time.time)

    def having(self, own: MoreT) -> "Resources[MoreT]":
        """Return the same connections and keys, with this of the service's own beside them."""
        return replace(self, own=own)  # type: ignore[return-value, arg-type]  # replace() keeps the type.

    async def close(self) -> None:
        if self.client is not None:
            await self.client.close()
        await self.http.aclose()
        await self.inside.aclose()
        await self.redis.aclose()
        await self.database.close()
        await tracing.finish()


def open_resources(
    service: str,
    settings: ServiceSettings,
    *,
    client_secret: SecretStr | None = None,
    hot_connections: int = 0,
    own_keys: KeySource | None = None,
    answer_keys: Sequence[SecretStr] = (),
    proving_types: frozenset[str] = frozenset(),
) -> Resources[None]:
    """Return what every service has; nothing connects before it is used.

    answer_keys seal the answers kept for repeated requests, the first of them, and open what
    earlier ones sealed; a service without such a key has one derived from its journal's.
    """
    inside = httpx.AsyncClient(verify=inside_context(settings.service_tls))
    redis = open_redis(settings)
    signing_key = SigningKey.from_hex(service, settings.journal_signing_key.get_secret_value())
    keys: KeySource = own_keys or RemoteKeys(settings.url_of("auth"), inside)
    return Resources(
        service=service,
        settings=settings,
        database=Database.from_settings(settings, hot_connections=hot_connections),
        redis=redis,
        cache=Cache(redis, _derived(settings, "cache name")),
        waker=Waker(redis),
        users=TokenVerifier(keys, UserClaims),
        enrolling=TokenVerifier(keys, EnrolmentClaims),
        services=TokenVerifier(keys, ServiceClaims),
        signing_key=signing_key,
        keeper=Keeper(signing_key.public, settings.journal_folder),
        archives=_archives(service, settings),
        fingerprint_key=_derived(settings, "idempotency fingerprint"),
        answer_sealer=_answer_sealer(settings, answer_keys),
        http=httpx.AsyncClient(verify=tls_context()),
        inside=inside,
        own=None,
        client=ServiceClient(settings, service, client_secret) if client_secret else None,
        proving_types=proving_types,
    )


def _archives(service: str, settings: ServiceSettings) -> ArchiveFolder | None:
    folder, key = settings.archive_folder, settings.archive_encryption_key
    if folder is None or key is None:
        return None
    previous = settings.archive_encryption_key_previous.get_secret_value()
    keyring = Keyring(key.get_secret_value(), previous, variable="ARCHIVE_ENCRYPTION_KEY")
    return ArchiveFolder(folder, service, keyring)


def _answer_sealer(settings: ServiceSettings, keys: Sequence[SecretStr]) -> Sealer:
    given = [key.get_secret_value() for key in keys if key.get_secret_value()]
    current, *previous = [*given, _derived(settings, "idempotency answer").hex()]
    return Sealer(current, ",".join(previous))


def _derived(settings: ServiceSettings, purpose: str) -> bytes:
    """Return a key of this service for one purpose, from the one secret that every service has."""
    secret = bytes.fromhex(settings.journal_signing_key.get_secret_value())
    return hmac.digest(secret, purpose.encode(), hashlib.sha256)


@asynccontextmanager
async def probing(resources: Resources[Any]) -> AsyncIterator[None]:
    """Keep the health gauges fresh in the background while the block runs.

    The end is told by an event too: a driver that is just connecting turns a cancellation into an
    error of its own, and the check takes that for an answer.
    """
    ended = asyncio.Event()
    task = asyncio.create_task(_probe_until(ended, resources))
    try:
        yield
    finally:
        ended.set()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def check_database(resources: Resources[Any]) -> bool:
    """Say whether the database answers, and record how fast."""
    try:
        async with asyncio.timeout(2):
            metrics.db_latency.set(await resources.database.ping())
    except Exception:  # noqa: BLE001 - whatever it is, the database is away.
        return False
    return True


async def check_cache(resources: Resources[Any]) -> bool:
    """Say whether Redis answers."""
    try:
        await resources.redis.ping()
    except Exception:  # noqa: BLE001 - whatever it is, the cache is away.
        return False
    return True


async def _probe_until(ended: asyncio.Event, resources: Resources[Any]) -> None:
    pool = resources.settings.pg_pool_size + resources.settings.pg_max_overflow
    metrics.db_pool_size.set(pool + resources.database.hot_size)
    while not ended.is_set():
        metrics.system_health.labels("database").set(await check_database(resources))
        metrics.system_health.labels("cache").set(await check_cache(resources))
        metrics.db_pool_active.set(resources.database.active_connections())
        refresh_certificates()
        due = time.perf_counter() + PROBE_INTERVAL_S
        with suppress(TimeoutError):
            async with asyncio.timeout(PROBE_INTERVAL_S):
                await ended.wait()
        metrics.event_loop_lag.set(max(time.perf_counter() - due, 0.0))
