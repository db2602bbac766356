"""What proves the entries of a call, as `CountEntered` describes it."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.inventory.counts.queries import NewEntry
from shared.contracts.inventory.counts import PROOF_BYTES
from shared.money import plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def digest_of(entries: Sequence[NewEntry]) -> str:
    """Return what proves all of the entries, in their order."""
    lines = b"".join(_line(entry) + b"\n" for entry in entries)
    return hashlib.sha256(lines).hexdigest()


def proofs_of(entries: Sequence[NewEntry], counter_id: UUID) -> str:
    """Return what proves each of the entries, so that one that was changed can be named."""
    proofs = bytearray()
    for entry in entries:
        given = "-" if entry.given_quantity is None else plain(entry.given_quantity)
        more = f" {counter_id} {given} {entry.given_unit or '-'}".encode()
        proofs += entry.id.bytes + hashlib.sha256(_line(entry) + more).digest()[:PROOF_BYTES]
    return base64.b64encode(proofs).decode()


def _line(entry: NewEntry) -> bytes:
    quantity = "-" if entry.quantity is None else plain(entry.quantity)
    instant = (entry.counted_at - _EPOCH) // timedelta(microseconds=1)
    way = "add" if entry.adds else "all"
    words = (entry.id, entry.number, entry.round, quantity, way, instant)
    return " ".join(map(str, words)).encode()
