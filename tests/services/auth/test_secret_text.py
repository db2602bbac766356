from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.auth.secret_text import SecretText

TEXT = SecretText.new("ik_", uuid4(), uuid4())


def test_a_text_is_read_as_it_was_written():
    assert SecretText.read("ik_", str(TEXT)) == TEXT
    assert str(TEXT).startswith("ik_")
    assert len(TEXT.secret) == 32
    assert SecretText.new("ik_", TEXT.tenant_id, TEXT.row_id).secret != TEXT.secret


def test_a_text_is_good_for_its_own_purpose_alone():
    assert SecretText.read("ot_", str(TEXT)) is None


@given(st.integers(0, len(str(TEXT)) - 1), st.characters(codec="utf-8"))
def test_no_text_but_its_own_is_the_secret(at, character):
    text = str(TEXT)[:at] + character + str(TEXT)[at + 1 :]

    assert text == str(TEXT) or SecretText.read("ik_", text) != TEXT


@given(st.text(max_size=120))
def test_anything_can_be_read(text):
    assert SecretText.read("ik_", text) is None


def test_what_is_kept_depends_on_row_secret_and_pepper():
    other = SecretText("ik_", TEXT.tenant_id, uuid4(), TEXT.secret)

    assert len({TEXT.index(b"a"), TEXT.index(b"b"), other.index(b"a")}) == 3
