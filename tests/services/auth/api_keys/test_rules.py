from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.auth.api_keys.rules import NEVER, KeyText, grantable
from services.auth.users.rules import ALL_SCOPES, PLATFORM_SCOPE

KEY = KeyText.new(uuid4(), uuid4())


def test_a_key_is_read_as_it_was_written():
    assert KeyText.read(str(KEY)) == KEY
    assert str(KEY).startswith("ik_")
    assert len(KEY.secret) == 32
    assert KeyText.new(KEY.tenant_id, KEY.key_id).secret != KEY.secret


@given(st.integers(0, len(str(KEY)) - 1), st.characters(codec="utf-8"))
def test_no_text_but_its_own_is_the_key(at, character):
    text = str(KEY)[:at] + character + str(KEY)[at + 1 :]

    assert text == str(KEY) or KeyText.read(text) != KEY


@given(st.text(max_size=120))
def test_anything_can_be_read(text):
    assert KeyText.read(text) is None


def test_what_is_kept_depends_on_key_secret_and_pepper():
    other = KeyText(KEY.tenant_id, uuid4(), KEY.secret)

    assert len({KEY.index(b"a"), KEY.index(b"b"), other.index(b"a")}) == 3


def test_some_rights_are_for_people_alone():
    assert grantable(ALL_SCOPES | {PLATFORM_SCOPE}) == ALL_SCOPES - NEVER
    assert {"user:manage", PLATFORM_SCOPE, "ops:write", "price:approve"} <= NEVER
    assert grantable({"inventory:read"}) == {"inventory:read"}
