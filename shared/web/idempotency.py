"""Idempotency-Key: the same request sent again gets the same answer, done once.

The key is claimed in the request's own transaction and the answer stored in it, so both stand if
and only if the effect does. A request that was refused leaves no trace: it may be sent again.
Answers carry prices and personal data, so they are kept sealed; bodies carry passwords, so their
fingerprints are keyed.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Header, Response
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.locks import TRY_KEY
from shared.errors import (
    IdempotencyAnswerLost,
    IdempotencyAnswerWithheld,
    IdempotencyInProgress,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
)
from shared.principal import Places
from shared.request_key import RequestKey
from shared.security.sealing import SealBroken, Sealer

_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"

_KEY_HELP = "Any text of 1 to 255 visible characters, new for each intended change."
_KEY_PATTERN = f"^{_VISIBLE.pattern}$"
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=KEY_HEADER,
        description=_KEY_HELP,
        json_schema_extra={"pattern": _KEY_PATTERN},
    ),
]
# The same, for the document of a route that reads the header itself.
KEY_PARAMETER: dict[str, Any] = {
    "parameters": [
        {
            "name": KEY_HEADER,
            "in": "header",
            "required": False,
            "description": _KEY_HELP,
            "schema": {"type": "string", "pattern": _KEY_PATTERN},
        }
    ]
}


class Replay(Exception):
    """Ends a request early with the answer that its first sending got."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__()
        self.answer = answer

    def response(self) -> Response:
        return Response(
            self.answer["body"],
            status_code=self.answer["status"],
            media_type="application/json",
            headers={**self.answer["headers"], REPLAYED_HEADER: "true"},
        )


def checked_key(key: str) -> str:
    """Return the key. Raises IdempotencyKeyInvalid."""
    if not _VISIBLE.fullmatch(key):
        raise IdempotencyKeyInvalid
    return key


def fingerprint(method: str, path: str, body: bytes, secret: bytes) -> bytes:
    """Return what tells one request from another under the same key, and nothing about it."""
    return hmac.digest(secret, f"{method} {path}\n".encode() + body, hashlib.sha256)


@dataclass(frozen=True, slots=True)
class Keyholder:
    """Whose key it is, and his scopes and locations now: what an answer shows depends on them."""

    actor: str
    scopes: frozenset[str] = frozenset()
    locations: Places = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A key taken in a session's transaction, to be answered in it."""

    session: AsyncSession
    names: dict[str, str]
    caller: Keyholder
    sealer: Sealer

    async def remember(self, response: Response) -> None:
        """Store the answer beside the effect, in the same transaction."""
        sealed = sealed_answer(response, self.caller, self.names["key"], self.sealer)
        await self.session.execute(_REMEMBER, self.names | {"answer": sealed})

    async def forget(self) -> None:
        """Give the key back: what it was taken for was refused, and may be sent again."""
        await self.session.execute(_FORGET, self.names)


async def claim(session: AsyncSession, caller: Keyholder, key: RequestKey, sealer: Sealer) -> Claim:
    """Take the key for this transaction and return the claim.

    Raises Replay with the stored answer, what `recall` raises, or IdempotencyInProgress when
    another transaction holds the key right now.
    """
    names = {"actor": caller.actor, "key": key.text}
    if not await session.scalar(_TRY_LOCK, names):
        raise IdempotencyInProgress
    if await session.scalar(_CLAIM, names | {"fingerprint": key.fingerprint}):
        return Claim(session, names, caller, sealer)
    raise await recall(session, caller, key, sealer)


def sealed_answer(response: Response, caller: Keyholder, key: str, sealer: Sealer) -> str:
    """Return the answer as it is kept under the key, with what he may see who is given it."""
    kept = {
        name: value
        for name, value in response.headers.items()
        if name in {"etag", "location", "content-language"}
    }
    answer = {
        "status": response.status_code,
        "headers": kept,
        "body": bytes(response.body).decode(),
        "scopes": sorted(caller.scopes),
        "locations": _texts(caller.locations),
    }
    return sealer.seal_text(orjson.dumps(answer), _place({"actor": caller.actor, "key": key}))


async def recall(
    session: AsyncSession, caller: Keyholder, key: RequestKey, sealer: Sealer
) -> Replay:
    """Return what the key was answered with before.

    Raises IdempotencyKeyReused, IdempotencyAnswerLost when it cannot be opened, or
    IdempotencyAnswerWithheld when the caller lost a scope or location it was given with.
    """
    names = {"actor": caller.actor, "key": key.text}
    stored = (await session.execute(_FIND, names)).one()
    if not hmac.compare_digest(stored.fingerprint, key.fingerprint):
        raise IdempotencyKeyReused
    try:
        answer = orjson.loads(sealer.open_text(stored.answer, _place(names)))
    except (SealBroken, TypeError) as error:  # A movement's key has no text: it names that alone.
        raise IdempotencyAnswerLost from error
    if not caller.scopes.issuperset(answer.get("scopes", ())):  # Absent before 0.2.
        raise IdempotencyAnswerWithheld
    given = answer.get("locations")  # None: all of them.
    if caller.locations is not None and (
        given is None or not caller.locations.issuperset(map(UUID, given))
    ):
        raise IdempotencyAnswerWithheld
    return Replay(answer)


def _texts(locations: Places) -> list[str] | None:
    return None if locations is None else sorted(map(str, locations))


def _place(names: dict[str, str]) -> str:
    return f"idempotency_keys.answer|{names['actor']}|{names['key']}"


_TRY_LOCK = text(f"SELECT {TRY_KEY.format(actor=':actor', key=':key')}")
_FIND = text("SELECT fingerprint, answer FROM idempotency_keys WHERE actor = :actor AND key = :key")
_CLAIM = text("""
    INSERT INTO idempotency_keys (actor, key, fingerprint) VALUES (:actor, :key, :fingerprint)
    ON CONFLICT DO NOTHING RETURNING true""")
_FORGET = text("DELETE FROM idempotency_keys WHERE actor = :actor AND key = :key")
_REMEMBER = text("""
    UPDATE idempotency_keys SET answer = to_jsonb(CAST(:answer AS text))
    WHERE actor = :actor AND key = :key""")
