import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal.checkpoint import first_difference, merkle_root

LEAVES = st.lists(st.tuples(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32)))


def merkle_by_definition(leaves):
    """RFC 6962, 2.1, word for word."""
    if len(leaves) == 1:
        seq, leaf = leaves[0]
        return hashlib.sha256(b"\x00" + seq.to_bytes(8) + leaf).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = merkle_by_definition(leaves[:split]), merkle_by_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(LEAVES.filter(bool))
def test_root_is_the_merkle_tree_hash_of_rfc_6962(leaves):
    assert merkle_root(leaves) == merkle_by_definition(leaves)


@given(LEAVES.filter(bool), st.data())
def test_root_changes_with_any_leaf(leaves, data):
    at = data.draw(st.integers(0, len(leaves) - 1))
    seq, leaf = leaves[at]
    changed = [*leaves[:at], (seq, bytes([leaf[0] ^ 1]) + leaf[1:]), *leaves[at + 1 :]]

    assert merkle_root(changed) != merkle_root(leaves)


@pytest.mark.parametrize(
    ("present", "found"),
    [
        ([(1, 1, "a", b"A"), (1, 2, "b", b"B"), (2, 3, "c", b"C")], None),
        ([(1, 1, "a", b"A"), (1, 2, "b", b"X"), (2, 3, "c", b"C")], ("changed", 2, "b")),
        ([(1, 2, "b", b"B"), (2, 3, "c", b"C")], ("removed", 1, None)),
        ([(1, 1, "a", b"A"), (2, 3, "c", b"C")], ("removed", 2, None)),
        ([(1, 1, "a", b"A"), (1, 2, "b", b"B")], ("removed", 3, None)),
        ([], ("removed", 1, None)),
        (
            [(1, 1, "a", b"A"), (1, 2, "b", b"B"), (2, 2, "z", b"Z"), (2, 3, "c", b"C")],
            ("inserted", 2, "z"),
        ),
        (
            [(0, 9, "z", b"Z"), (1, 1, "a", b"A"), (1, 2, "b", b"B"), (2, 3, "c", b"C")],
            ("inserted", 9, "z"),
        ),
        (
            [(1, 1, "a", b"A"), (1, 2, "b", b"B"), (2, 3, "c", b"C"), (2, 3, "c", b"C")],
            ("inserted", 3, "c"),
        ),
        ([(1, 1, "a", b"A"), (1, 2, "b", b"B"), (2, 3, "c", b"C"), (3, 4, "d", b"D")], None),
    ],
)
def test_first_difference_names_what_was_done(present, found):
    sealed = [(1, b"A"), (2, b"B"), (3, b"C")]

    difference = first_difference(7, sealed, present, (2, 3))

    assert (difference and (difference.kind, difference.seq, difference.entry_id)) == found
    assert difference is None or difference.checkpoint == 7
