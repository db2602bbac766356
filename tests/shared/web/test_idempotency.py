import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.errors import IdempotencyKeyInvalid
from shared.web.idempotency import (
    REPLAYED_HEADER,
    Replay,
    checked_key,
    fingerprint,
)

SECRET = b"secret" * 6
paths = st.text(st.characters(codec="ascii", exclude_characters="\n"), max_size=40)


@given(paths, st.binary(), paths, st.binary())
def test_two_requests_have_one_fingerprint_only_if_they_are_the_same(path, body, other, changed):
    assume((path, body) != (other, changed))

    assert fingerprint("POST", path, body, SECRET) == fingerprint("POST", path, body, SECRET)
    assert fingerprint("POST", path, body, SECRET) != fingerprint("POST", other, changed, SECRET)


def test_another_method_or_secret_gives_another_fingerprint():
    prints = {
        fingerprint("POST", "/a", b"{}", SECRET),
        fingerprint("PUT", "/a", b"{}", SECRET),
        fingerprint("POST", "/a", b"{}", b"other" * 6),
    }

    assert len(prints) == 3


def test_a_fingerprint_tells_nothing_of_a_short_body():
    assert b"hunter2" not in fingerprint("POST", "/a", b"hunter2", SECRET)
    assert len(fingerprint("POST", "/a", b"hunter2" * 100, SECRET)) == 32


@pytest.mark.parametrize("key", ["a", "!", "~", "a" * 255, "7c9e6679-7425-40de-944b-e07fc1f90ae7"])
def test_visible_ascii_is_a_key(key):
    assert checked_key(key) == key


@pytest.mark.parametrize(
    "key", ["", " ", "a b", "a" * 256, "é", "a\n", "\na", "a\x00", "a\x7f", "\u00a0", "a\t"]
)
def test_anything_else_is_no_key(key):
    with pytest.raises(IdempotencyKeyInvalid):
        checked_key(key)


def test_a_replay_is_the_answer_kept_and_says_that_it_is_one():
    kept = {"status": 201, "headers": {"etag": '"1"', "location": "/x/1"}, "body": '{"id":"1"}'}

    response = Replay(kept).response()

    assert response.status_code == 201
    assert response.body == b'{"id":"1"}'
    assert response.headers["content-type"] == "application/json"
    assert response.headers["etag"] == '"1"'
    assert response.headers["location"] == "/x/1"
    assert response.headers[REPLAYED_HEADER] == "true"
