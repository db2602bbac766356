import pytest

from shared.journal.verification import first_difference


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
