"""The tree hash of RFC 6962 (2.1) over leaves that are only ever added, and what proves that.

A leaf is any bytes; a root or node is 32.
"""

import hashlib
from collections.abc import Iterable, Sequence

HASH_BYTES = 32


class Tree:
    """A tree by its size and its peaks: the roots of its full subtrees, the largest first."""

    def __init__(self, size: int = 0, peaks: bytes = b"") -> None:
        """Go on from a tree of `size` leaves. Raises ValueError if it cannot have these peaks."""
        if len(peaks) != size.bit_count() * HASH_BYTES:
            raise ValueError("a tree of this size has another number of peaks")
        self.size = size
        self._peaks = [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)]

    @property
    def peaks(self) -> bytes:
        return b"".join(self._peaks)

    def add(self, leaves: Iterable[bytes]) -> None:
        """Add leaves at the end."""
        self.add_hashes(leaf_hash(leaf) for leaf in leaves)

    def add_hashes(self, hashes: Iterable[bytes]) -> None:
        """Add leaves at the end by their hashes."""
        peaks, size, sha256 = self._peaks, self.size, hashlib.sha256
        for leaf in hashes:
            node, left = leaf, size
            while left & 1:
                node = sha256(b"\x01" + peaks.pop() + node).digest()
                left >>= 1
            peaks.append(node)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """Return the tree hash; of no leaves, the hash of nothing."""
        if not self._peaks:
            return hashlib.sha256().digest()
        *others, node = self._peaks
        for peak in reversed(others):
            node = node_hash(peak, node)
        return node


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over these leaf hashes."""
    tree = Tree()
    tree.add_hashes(hashes)
    return tree.root()


def consistency_proof(hashes: Sequence[bytes], size: int) -> list[bytes]:
    """Return what proves that the first `size` of these leaf hashes are a tree's beginning.

    Source: RFC 6962, 2.1.2. Raises ValueError unless 0 < size <= len(hashes).
    """
    if not 0 < size <= len(hashes):
        raise ValueError("a beginning has some of the leaves")
    return _subproof(hashes, size, is_whole=True)


def is_consistent(
    size: int, root: bytes, later_size: int, later_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Say whether a proof shows that the later tree begins with the earlier one.

    Source: RFC 9162, 2.1.4.2, which verifies proofs of RFC 6962.
    """
    if size == later_size:
        return not proof and root == later_root
    if not 0 < size < later_size:
        return False
    path = [root, *proof] if size.bit_count() == 1 else list(proof)
    if not path:
        return False
    here, last = size - 1, later_size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    early = late = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            early, late = node_hash(node, early), node_hash(node, late)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            late = node_hash(late, node)
        here, last = here >> 1, last >> 1
    return (early, late, last) == (root, later_root, 0)


def _subproof(hashes: Sequence[bytes], size: int, *, is_whole: bool) -> list[bytes]:
    if size == len(hashes):
        return [] if is_whole else [root_of(hashes)]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = hashes[:split], hashes[split:]
    if size <= split:
        return [*_subproof(left, size, is_whole=is_whole), root_of(right)]
    return [*_subproof(right, size - split, is_whole=False), root_of(left)]
