"""A file that was sealed gives back what was written, or says in which way it is not that file."""

import io
import random
import secrets
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sealed_files import form as sealed
from shared.sealed_files.errors import (
    FileDamaged,
    FileTruncated,
    KeyIsWrong,
    SafekeepingError,
)
from shared.sealed_files.form import END, FileLabel, SealedReader, SealedWriter
from shared.sealed_files.keys import Keyring

pytestmark = pytest.mark.asvs("F11")

KEY, OTHER = "ab" * 32, "cd" * 32
RING = Keyring(KEY)
LABEL = FileLabel("base", "7713207928793669496", "20261120T020000Z")
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
CHUNK = 512  # So that a small file has many.
SEALED_CHUNK = CHUNK + sealed.TAG_BYTES
NOISE = random.Random(7).randbytes(5 * CHUNK)  # noqa: S311 - it must not compress, no more.


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(sealed, "CHUNK_BYTES", CHUNK)


def seal(content, ring=RING, label=LABEL):
    file = io.BytesIO()
    writer = SealedWriter(file, ring, label, made_at=NOW, level=1)
    writer.write(content)
    writer.close()
    assert writer.size == len(file.getvalue())
    return file.getvalue()


def reader_of(raw, ring=RING, label=LABEL):
    return SealedReader(io.BytesIO(raw), ring, label, where="the file")


def opened(raw, ring=RING, label=LABEL):
    reader = reader_of(raw, ring, label)
    found = b""
    while piece := reader.read():
        found += piece
    return found


def start_of_chunks(raw):
    length = int.from_bytes(raw[8:12], "big")
    return 12 + length + 2 * 32


@given(st.binary(max_size=3000), st.integers(0, 3))
def test_what_was_sealed_is_given_back(content, repeated):
    content *= repeated * 5

    assert opened(seal(content)) == content


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK])
def test_every_size_around_a_chunk_is_given_back(size):
    """Compressed sizes differ by some bytes: noise of every length about a border meets it."""
    for more in range(40):
        content = NOISE[: max(size - more, 0)]

        assert opened(seal(content)) == content


def test_nothing_of_the_content_shows():
    raw = seal(b"supplier Example GmbH, price 12.34 " * 3)

    assert b"Example" not in raw
    assert seal(b"x") != seal(b"x")


def test_one_changed_byte_anywhere_is_refused_as_damaged():
    """Every byte of the header and a sample of all else, each bit pattern that is not the same."""
    raw = seal(NOISE)
    begin = start_of_chunks(raw)
    places = {
        *range(begin + 2 * sealed.TAG_BYTES),
        *range(begin, len(raw), 41),
        *range(len(raw) - 40, len(raw)),
    }

    for place in sorted(places):
        changed = bytearray(raw)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises((FileDamaged, FileTruncated)) as refused:
            opened(bytes(changed))
        if place not in range(8, 12):  # A longer header may seem to go on after the end.
            assert refused.type is FileDamaged, place


def test_a_file_cut_anywhere_is_refused_as_truncated():
    raw = seal(NOISE)
    begin = start_of_chunks(raw)
    borders = [begin + n * SEALED_CHUNK + d for n in range(6) for d in (-1, 0, 1)]

    for length in sorted({0, 1, 11, begin - 1, begin, *borders, *range(len(raw) - 30, len(raw))}):
        if length < len(raw):
            with pytest.raises(FileTruncated):
                opened(raw[:length])


def test_bytes_after_the_end_are_refused_as_damaged():
    raw = seal(NOISE)

    for more in (b"x", END, b"x" * CHUNK, b"x" * 5 * CHUNK, raw):
        with pytest.raises(FileDamaged):
            opened(raw + more)


def test_chunks_that_changed_places_are_refused():
    raw = seal(NOISE)
    begin = start_of_chunks(raw)
    first, second = (
        raw[begin : begin + SEALED_CHUNK],
        raw[begin + SEALED_CHUNK : begin + 2 * SEALED_CHUNK],
    )

    with pytest.raises(FileDamaged):
        opened(raw[:begin] + second + first + raw[begin + 2 * SEALED_CHUNK :])


def test_chunks_of_another_file_are_refused():
    one, other = seal(NOISE), seal(NOISE)
    begin = start_of_chunks(one)

    with pytest.raises(FileDamaged):
        opened(one[:begin] + other[start_of_chunks(other) :])


def test_another_key_is_told_as_such_and_named():
    with pytest.raises(KeyIsWrong, match=RING.current.id):
        opened(seal(NOISE), Keyring(OTHER))


def test_an_earlier_key_opens_and_the_present_one_seals():
    ring = Keyring(OTHER, f"{KEY},")

    assert opened(seal(NOISE), ring) == NOISE
    assert opened(seal(NOISE, ring), Keyring(OTHER)) == NOISE


def test_a_header_under_the_name_of_our_key_that_it_did_not_make_is_a_wrong_key():
    """As from somebody who has the id, which is no secret, and not the key."""
    forger = Keyring(OTHER)
    forger.current.id = RING.current.id

    with pytest.raises(KeyIsWrong, match="not from us"):
        opened(seal(NOISE, forger))


@pytest.mark.parametrize(
    "label",
    [
        FileLabel("wal", LABEL.cluster, LABEL.name),
        FileLabel("base", "1", LABEL.name),
        FileLabel("base", LABEL.cluster, "20261121T020000Z"),
    ],
)
def test_a_file_in_the_place_of_another_is_refused(label):
    with pytest.raises(FileDamaged, match="put where"):
        opened(seal(NOISE, label=label))


def test_a_passphrase_seals_and_opens():
    phrase = "correct horse battery staple"

    raw = seal(NOISE, Keyring(phrase))

    assert b"pbkdf2-hmac-sha256" in raw
    assert opened(raw, Keyring(phrase)) == NOISE
    with pytest.raises(KeyIsWrong):
        opened(raw, Keyring("correct horse battery stable"))


def test_a_header_may_not_make_us_work_for_hours():
    raw = seal(b"x")
    length = int.from_bytes(raw[8:12], "big")
    header = raw[12 : 12 + length].replace(b"600000", b"999999999")
    proved = header + bytes(32)
    forged = raw[:8] + len(header).to_bytes(4, "big") + proved
    forged += sealed._digest(len(header), proved)

    with pytest.raises(FileDamaged, match="says what none says"):
        opened(forged)


def test_what_is_no_backup_at_all_is_refused():
    for raw in (b"", b"PK\x03\x04", secrets.token_bytes(4000), b"STOCKBK1" + bytes(4000)):
        with pytest.raises(SafekeepingError):
            opened(raw)


def test_zeros_without_end_take_no_memory_to_read():
    reader = reader_of(seal(bytes(50_000_000)))

    pieces = []
    while piece := reader.read(100_000):
        pieces.append(len(piece))

    assert sum(pieces) == 50_000_000
    assert max(pieces) <= 100_000
