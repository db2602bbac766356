import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from shared.security import sealing
from shared.security.sealing import SealBroken, Sealer, key_id, place

OLD, NEW, OTHER = "aa" * 32, "bb" * 32, "cc" * 32
PLACE = place("inventory.prices.amount", UUID(int=1), UUID(int=2))
SEALER = Sealer(NEW)

values = st.binary(max_size=200)
places = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(values, places)
def test_a_sealed_value_opens_in_its_place(value, where):
    assert SEALER.open(SEALER.seal(value, where), where) == value


@given(values, places)
def test_sealed_text_opens_in_its_place_and_is_plain_ascii(value, where):
    sealed = SEALER.seal_text(value, where)

    assert sealed.isascii()
    assert SEALER.open_text(sealed, where) == value


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_an_amount_comes_back_digit_by_digit(amount):
    assert str(SEALER.open_amount(SEALER.seal_amount(amount, PLACE), PLACE)) == str(amount)


@pytest.mark.asvs("F01")
def test_whatever_bit_is_flipped_the_seal_is_broken():
    sealed = SEALER.seal(b"12.50", PLACE)
    for position in range(len(sealed)):
        for bit in range(8):
            altered = bytearray(sealed)
            altered[position] ^= 1 << bit
            with pytest.raises(SealBroken):
                SEALER.open(bytes(altered), PLACE)


def test_a_shortened_or_lengthened_value_is_refused():
    sealed = SEALER.seal(b"12.50", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            SEALER.open(sealed[:length], PLACE)
    with pytest.raises(SealBroken):
        SEALER.open(sealed + b"\x00", PLACE)


@given(st.binary(max_size=100))
def test_bytes_that_were_never_sealed_are_refused(garbage):
    with pytest.raises(SealBroken):
        SEALER.open(garbage, PLACE)


@given(st.text(max_size=50))
def test_text_that_was_never_sealed_is_refused(garbage):
    with pytest.raises(SealBroken):
        SEALER.open_text(garbage, PLACE)


@pytest.mark.asvs("F01")
@pytest.mark.parametrize(
    "elsewhere",
    [
        place("inventory.prices.cost", UUID(int=1), UUID(int=2)),
        place("inventory.prices.amount", UUID(int=3), UUID(int=2)),
        place("inventory.prices.amount", UUID(int=1), UUID(int=3)),
        place("inventory.prices.amount", UUID(int=2), UUID(int=1)),
        "",
        PLACE + " ",
    ],
)
def test_a_value_copied_to_another_place_does_not_open(elsewhere):
    sealed = SEALER.seal(b"12.50", PLACE)

    with pytest.raises(SealBroken):
        SEALER.open(sealed, elsewhere)


def test_another_key_does_not_open():
    with pytest.raises(SealBroken):
        Sealer(OTHER).open(SEALER.seal(b"12.50", PLACE), PLACE)


def test_a_key_named_by_another_id_does_not_open():
    """Whoever exchanges the key id, which is not secret, gains nothing."""
    sealed = SEALER.seal(b"12.50", PLACE)
    claimed = sealed[:1] + key_id(bytes.fromhex(OTHER)) + sealed[5:]

    with pytest.raises(SealBroken):
        Sealer(NEW, OTHER).open(claimed, PLACE)


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key():
    before, rotated = Sealer(OLD), Sealer(NEW, f"{OTHER},{OLD}")
    old = before.seal(b"old", PLACE)

    new = rotated.seal(b"new", PLACE)

    assert rotated.open(old, PLACE) == b"old"
    assert rotated.open(new, PLACE) == b"new"
    assert rotated.needs_rotation(old)
    assert not rotated.needs_rotation(new)
    with pytest.raises(SealBroken):
        before.open(new, PLACE)


def test_once_an_old_key_is_dropped_its_values_stay_shut():
    with pytest.raises(SealBroken):
        Sealer(NEW).open(Sealer(OLD).seal(b"old", PLACE), PLACE)


def test_no_nonce_comes_twice_and_equal_values_look_different():
    sealed = [SEALER.seal(b"same", PLACE) for _ in range(5000)]

    assert len({one[5:29] for one in sealed}) == 5000
    assert len(set(sealed)) == 5000


def test_a_sealed_value_shows_neither_key_nor_content():
    sealed = SEALER.seal(b"canary" * 10, PLACE)

    assert b"canary" not in sealed
    assert bytes.fromhex(NEW)[:4] not in sealed
    assert b"canary" not in base64.b64decode(SEALER.seal_text(b"canary" * 10, PLACE))


@pytest.mark.parametrize("key", ["", "aa", "zz" * 32, "aa" * 33])
def test_a_key_of_another_length_is_refused(key):
    with pytest.raises(ValueError, match=r"fromhex|key must be"):
        Sealer(key)


def test_an_amount_keeps_its_trailing_zeros():
    assert str(SEALER.open_amount(SEALER.seal_amount(Decimal("2.50"), PLACE), PLACE)) == "2.50"


def test_the_id_of_a_key_stays_what_it_is():
    """Stored values name it: another id would close them all."""
    assert key_id(bytes(32)) == hashlib.sha256(b"key id\x00" + bytes(32)).digest()[:4]


def test_text_with_anything_added_opens_nothing():
    sealer = Sealer("11" * 32)
    text = sealer.seal_text(b"value", "here")

    with pytest.raises(SealBroken):
        sealer.open_text(f"{text[:5]}\n{text[5:]}", "here")


# What https://c2sp.org/XAES-256-GCM gives: key, what goes beside it, and what comes of its example.
VECTORS = [
    ("01" * 32, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
    (
        "03" * 32,
        "c2sp.org/XAES-256-GCM",
        "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
    ),
]


@pytest.mark.parametrize(("key", "beside", "expected"), VECTORS)
def test_it_is_the_cipher_that_it_says_it_is(key, beside, expected):
    nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX"

    cipher = sealing._Cipher(bytes.fromhex(key)).derived(nonce[:12])

    assert cipher.encrypt(nonce[12:], b"XAES-256-GCM", beside.encode()).hex() == expected


def test_what_an_older_release_sealed_opens():
    """Version 1: AES-256-GCM by the key itself."""
    header = b"\x01" + key_id(bytes.fromhex(OLD))
    nonce = bytes(range(12))
    content = AESGCM(bytes.fromhex(OLD)).encrypt(nonce, b"12.50", header + PLACE.encode())
    sealed = header + nonce + content

    assert Sealer(NEW, OLD).open(sealed, PLACE) == b"12.50"
    assert not Sealer(OLD).needs_rotation(sealed)
    for other in (b"\x02", b"\x00", b"\x03"):
        with pytest.raises(SealBroken):
            Sealer(OLD).open(other + sealed[1:], PLACE)


def test_many_threads_seal_and_open_at_once():
    def seal_and_open(number):
        value = str(number).encode()
        return SEALER.open(SEALER.seal(value, PLACE), PLACE) == value

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(seal_and_open, range(20_000)))
