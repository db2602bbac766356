"""What a worker does for its journal: seal, verify, and say so when something is wrong."""

from shared import metrics
from shared.clock import utc_now
from shared.db import Database
from shared.journal import checkpoint, verification
from shared.journal.keeper import Keeper
from shared.journal.notes import CheckpointNote, SigningKey
from shared.log import log


class JournalWatch:
    """Seals and verifies one service's journal, and remembers how far it is verified."""

    def __init__(self, database: Database, key: SigningKey, keeper: Keeper) -> None:
        self._database = database
        self._key = key
        self._keeper = keeper
        self._verified: CheckpointNote | None = None

    async def seal(self) -> None:
        """Seal what is new; on a chain that was cut off or forged, nothing."""
        try:
            await checkpoint.seal(self._database, self._key, self._keeper)
        except checkpoint.ChainBroken as broken:
            metrics.audit_chain_broken.labels(self._key.service).set(1)
            log.error(
                "nothing is sealed: the chain does not go on from where it was",
                kind=broken.difference.kind,
                checkpoint=broken.difference.checkpoint,
            )

    async def verify(self) -> None:
        """Verify all of it, and write down that and what came of it."""
        found = await self._verify(None)
        await verification.note_verification(
            self._database, self._key, found, is_full=True, now=utc_now()
        )

    async def verify_new(self) -> None:
        """Verify what was sealed since the last time."""
        if self._verified is not None:
            await self._verify(self._verified)

    async def _verify(self, since: CheckpointNote | None) -> verification.Verification:
        found = await verification.verify(
            self._database, self._key, keeper=self._keeper, since=since
        )
        if found.ok:
            self._verified = self._key.public.read(found.note) if found.note else None
        else:
            log.error("journal does not verify", difference=found.as_json()["first_difference"])
        return found
