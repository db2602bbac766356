"""The keys that sign tokens: held in memory by each process, kept sealed, changed with overlap."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jose.backends.base import Key
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.keys import queries
from services.auth.keys.models import SigningKeyRow
from services.auth.keys.rules import NOTICE, end_of_earlier, is_rotation_due, signing_key
from shared import journal
from shared.contracts.auth.keys import SigningKeyAdded
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.log import log
from shared.security.claims import Claims, InvalidToken
from shared.security.sealing import SealBroken, Sealer, place
from shared.security.tokens import TokenSigner, load_jwks, new_private_key, public_jwks

PRIVATE = "auth.signing_keys.private"


@dataclass(frozen=True, slots=True)
class _Held:
    """A key made ready: parsing one takes 40 ms."""

    signer: TokenSigner
    public: Mapping[str, str]
    verifier: Key

    @classmethod
    def of(cls, private_pem: str) -> "_Held":
        [public] = public_jwks(private_pem)["keys"]
        [verifier] = load_jwks({"keys": [public]}).values()
        return cls(TokenSigner(private_pem), public, verifier)


class KeyRing:
    """What this process signs with, publishes, and verifies by.

    Until the kept keys are read, that is the key of the configuration.
    """

    def __init__(self, configured_pem: str) -> None:
        self.generation = 0  # Of the verifier's cache: grows when a key is over.
        self.configured_pem = configured_pem
        first = _Held.of(configured_pem)
        self.configured_kid = first.signer.kid
        self._made = {first.signer.kid: first}
        self._living: Mapping[str, _Held] = dict(self._made)
        self._signing = first

    def sign(self, claims: Claims) -> str:
        """Return the compact token."""
        return self._signing.signer.sign(claims)

    @property
    def kid(self) -> str:
        """Return the name of the key that signs."""
        return self._signing.signer.kid

    @property
    def jwks(self) -> dict[str, list[Mapping[str, str]]]:
        """Return the public halves, those of keys that do not sign yet included."""
        return {"keys": [held.public for held in self._living.values()]}

    async def get(self, kid: str) -> Key:
        """Return a key to verify by. Raises InvalidToken if there is none of that name."""
        held = self._living.get(kid)
        if held is None:
            raise InvalidToken("unknown kid")
        return held.verifier

    async def hold(self, rows: Sequence[SigningKeyRow], now: datetime, *, sealer: Sealer) -> None:
        """Go by the kept keys from now on; one whose seal is broken is left out."""
        living: dict[str, _Held] = {}
        for row in rows:
            held = self._made.get(row.kid) or await _open(row, sealer)
            if held is not None:
                living[row.kid] = self._made[row.kid] = held
        signing = signing_key([row for row in rows if row.kid in living], now)
        if signing is None:
            return
        if self._living.keys() - living.keys():
            self.generation += 1
        self._living, self._signing = living, living[signing.kid]


async def renew(session: AsyncSession, ring: KeyRing, *, sealer: Sealer, now: datetime) -> None:
    """Let the ring go by the keys that are kept."""
    await ring.hold(await queries.list_living(session, now), now, sealer=sealer)


async def add_configured(
    session: AsyncSession, ring: KeyRing, *, sealer: Sealer, now: datetime
) -> None:
    """Keep the key of the configuration unless it is known; a new one there follows the others."""
    await queries.lock_keys(session)
    if await queries.find_key(session, ring.configured_kid) is None:
        has_others = bool(await queries.list_living(session, now))
        signs_from = now + NOTICE if has_others else now
        await _add(session, ring.configured_pem, signs_from, sealer=sealer, now=now)


async def rotate(
    session: AsyncSession, *, sealer: Sealer, now: datetime, at_once: bool = False
) -> str:
    """Add a key that follows the others, and return its name.

    It is published now and signs half a minute later; the others verify until the last token that
    they signed has ended. `at_once`: the others are over now, and with them all access tokens.
    """
    await queries.lock_keys(session)
    private_pem = await asyncio.to_thread(new_private_key)
    if at_once:
        await queries.end_all(session, now)
    signs_from = now if at_once else now + NOTICE
    return await _add(session, private_pem, signs_from, sealer=sealer, now=now)


async def rotate_if_due(
    session: AsyncSession, *, sealer: Sealer, days: int, now: datetime
) -> str | None:
    """Rotate when the newest key is `days` old, and forget what is over.

    Return the name of a key that was added.
    """
    await queries.lock_keys(session)
    await queries.forget_private_halves(session, now)
    living = await queries.list_living(session, now)
    if not living or not is_rotation_due(living[-1].added_at, now, days=days):
        return None
    return await rotate(session, sealer=sealer, now=now)


async def _add(
    session: AsyncSession, private_pem: str, signs_from: datetime, *, sealer: Sealer, now: datetime
) -> str:
    kid = (await asyncio.to_thread(_Held.of, private_pem)).signer.kid
    await queries.end_all(session, end_of_earlier(signs_from))
    sealed = sealer.seal(private_pem.encode(), place(PRIVATE, DEFAULT_TENANT_ID, kid))
    row = SigningKeyRow(
        kid=kid, private_sealed=sealed, added_at=now, signs_from=signs_from, ends_at=None
    )
    session.add(row)
    journal.record(session, SigningKeyAdded.of(row))
    return kid


async def _open(row: SigningKeyRow, sealer: Sealer) -> _Held | None:
    try:
        private_pem = sealer.open(
            row.private_sealed or b"", place(PRIVATE, DEFAULT_TENANT_ID, row.kid)
        ).decode()
    except SealBroken:
        log.error("a signing key cannot be opened", kid=row.kid)
        return None
    return await asyncio.to_thread(_Held.of, private_pem)
