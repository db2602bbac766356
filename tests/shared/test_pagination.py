import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pagination import InvalidCursor, decode_cursor, encode_cursor

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode()


@given(st.lists(texts, min_size=1, max_size=3))
def test_a_cursor_brings_back_the_values_it_was_made_of(values):
    assert decode_cursor(encode_cursor("name", values), "name", len(values)) == values


@given(st.lists(texts, min_size=1, max_size=3))
def test_a_cursor_can_stand_in_an_address(values):
    cursor = encode_cursor("name", values)

    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_first_page_has_no_cursor():
    assert decode_cursor(None, "name", 1) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "!!!", "é", "\x00", "====", "bm90IGpzb24", packed(None), packed(7), packed("name"),
        packed({}), packed([]), packed(["name"]), packed(["name", "a", "b"]),
        packed(["code", "a"]),
        packed(["name", 7]), packed(["name", None]), packed(["name", ["a"]]),
        packed([["name"], "a"]),
        packed(["name", "a\x00b"]), "W" * 1000,
        base64.urlsafe_b64encode(b'["name","\xff"]').decode(),
    ],
)  # fmt: skip
def test_a_cursor_that_no_list_gave_is_refused(cursor):
    with pytest.raises(InvalidCursor):
        decode_cursor(cursor, "name", 1)


@given(st.text(max_size=60))
def test_garbage_is_refused_and_nothing_else_happens(cursor):
    try:
        values = decode_cursor(cursor, "name", 1)
    except InvalidCursor:
        return
    assert values is not None
    assert [type(value) for value in values] == [str]


def test_a_cursor_of_another_order_is_refused():
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor("newest", ["a"]), "name", 1)
