import pytest

from shared.sealed_files.keys import PBKDF2_ITERATIONS, FileKey, Keyring

KEY, OTHER = "ab" * 32, "cd" * 32
PHRASE = "correct horse battery staple"
SALT, OTHER_SALT = bytes(16), b"1" * 16


def test_a_key_of_32_bytes_is_expanded_and_a_passphrase_stretched():
    assert FileKey(KEY).kdf == "hkdf-sha256"
    assert FileKey(PHRASE).kdf == "pbkdf2-hmac-sha256"
    assert PBKDF2_ITERATIONS >= 600_000


@pytest.mark.parametrize("text", ["", "secret", "ab" * 9 + "a"])
def test_a_short_passphrase_is_refused(text):
    with pytest.raises(ValueError, match="20 characters"):
        FileKey(text)


@pytest.mark.parametrize("text", [KEY, PHRASE])
def test_each_salt_and_each_use_has_keys_of_its_own(text):
    key = FileKey(text)
    one, other = key.file_keys(SALT), key.file_keys(OTHER_SALT)

    assert one == FileKey(text).file_keys(SALT)
    assert len({one.wrapping, one.proving, other.wrapping, other.proving}) == 4
    assert {len(one.wrapping), len(one.proving)} == {32}


def test_a_passphrase_depends_on_its_rounds():
    key = FileKey(PHRASE)

    assert key.file_keys(SALT, 1000) != key.file_keys(SALT, 1001)


def test_the_id_of_a_key_is_that_of_the_key_alone():
    assert FileKey(KEY).id == FileKey(KEY.upper()).id != FileKey(OTHER).id
    assert len(FileKey(PHRASE).id) == 8


def test_what_a_key_signs_another_did_not():
    signature = FileKey(KEY).sign(b"content")

    assert FileKey(KEY).is_signed(b"content", signature)
    assert not FileKey(KEY).is_signed(b"contents", signature)
    assert not FileKey(OTHER).is_signed(b"content", signature)
    assert len(FileKey(KEY).public_text) == 64


def test_a_ring_seals_with_the_first_and_knows_all():
    ring = Keyring(KEY, f"{OTHER},,{PHRASE}")

    assert ring.current.id == FileKey(KEY).id
    assert [key.id for key in ring.all] == [FileKey(t).id for t in (KEY, OTHER, PHRASE)]
    assert ring.named(FileKey(OTHER).id) is ring.all[1]
    assert ring.named("00000000") is None
    assert Keyring(KEY).salt != ring.salt
