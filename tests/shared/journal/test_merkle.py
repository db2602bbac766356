import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal.merkle import Tree, consistency_proof, is_consistent, leaf_hash, root_of

LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def merkle_by_definition(leaves):
    """RFC 6962, 2.1, word for word."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = merkle_by_definition(leaves[:split]), merkle_by_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_of(leaves):
    tree = Tree()
    tree.add(leaves)
    return tree


@given(LEAVES)
def test_root_is_the_merkle_tree_hash_of_rfc_6962(leaves):
    assert tree_of(leaves).root() == merkle_by_definition(leaves)
    assert root_of([leaf_hash(leaf) for leaf in leaves]) == merkle_by_definition(leaves)


def test_the_tree_of_nothing_is_the_hash_of_nothing():
    assert Tree().root() == hashlib.sha256(b"").digest()


@given(LEAVES, st.data())
def test_a_tree_goes_on_from_its_peaks(leaves, data):
    at = data.draw(st.integers(0, len(leaves)))
    first = tree_of(leaves[:at])
    tree = Tree(first.size, first.peaks)
    tree.add(leaves[at:])

    assert (tree.size, tree.root()) == (len(leaves), merkle_by_definition(leaves))


@pytest.mark.parametrize(
    ("size", "peaks"), [(0, bytes(32)), (3, bytes(32)), (4, bytes(64)), (1, b"x")]
)
def test_peaks_of_another_size_are_refused(size, peaks):
    with pytest.raises(ValueError, match="peaks"):
        Tree(size, peaks)


@given(LEAVES, st.data())
def test_a_beginning_is_proven_by_few_hashes(leaves, data):
    hashes = [leaf_hash(leaf) for leaf in leaves]
    size = data.draw(st.integers(1, len(leaves)))
    early, late = root_of(hashes[:size]), root_of(hashes)

    proof = consistency_proof(hashes, size)

    assert is_consistent(size, early, len(leaves), late, proof)
    assert len(proof) <= 2 * len(leaves).bit_length()


@given(LEAVES, st.data())
def test_what_is_no_beginning_is_never_proven(leaves, data):
    """Whatever the proof: one hash changed, one too many, one too few, another root."""
    hashes = [leaf_hash(leaf) for leaf in leaves]
    size = data.draw(st.integers(1, len(leaves)))
    early, late = root_of(hashes[:size]), root_of(hashes)
    proof = consistency_proof(hashes, size)
    other = hashlib.sha256(b"another").digest()

    assert not is_consistent(size, other, len(leaves), late, proof)
    assert not is_consistent(size, early, len(leaves), other, proof)
    assert not is_consistent(size, early, len(leaves), late, [*proof, other])
    for at in range(len(proof)):
        assert not is_consistent(size, early, len(leaves), late, proof[:at])
        changed = [*proof[:at], other, *proof[at + 1 :]]
        assert not is_consistent(size, early, len(leaves), late, changed)


def test_a_beginning_of_nothing_or_beyond_the_end_is_refused():
    for size in (0, 3):
        with pytest.raises(ValueError, match="beginning"):
            consistency_proof([bytes(32)] * 2, size)
    assert not is_consistent(3, bytes(32), 2, bytes(32), [])
