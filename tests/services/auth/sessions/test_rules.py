import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.sessions.rules import (
    LEEWAY,
    RefreshToken,
    expiry,
    judge_unrotated,
    todo_before_session,
)

KEY = b"k" * 32
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TOKEN = RefreshToken(uuid4(), uuid4(), uuid4(), 7)
CLERK: Any = {"role": "clerk", "idle_s": 60, "lifetime_max_s": 600}
counters = st.integers(min_value=0, max_value=2**63)


@given(tenant_id=st.uuids(), user_id=st.uuids(), session_id=st.uuids(), counter=counters)
def test_a_refresh_token_reads_back(tenant_id: UUID, user_id: UUID, session_id: UUID, counter: int):
    token = RefreshToken(tenant_id, user_id, session_id, counter)

    assert RefreshToken.read(token.sealed(KEY), KEY) == token


def test_the_same_place_in_the_chain_is_the_same_text():
    assert TOKEN.sealed(KEY) == TOKEN.sealed(KEY)


def test_another_key_reads_nothing():
    assert RefreshToken.read(TOKEN.sealed(KEY), b"x" * 32) is None


@given(st.data())
def test_any_change_of_a_character_is_noticed(data: st.DataObject):
    text = TOKEN.sealed(KEY)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(text[at].__ne__))

    assert RefreshToken.read(text[:at] + other + text[at + 1 :], KEY) is None


@given(st.text(max_size=200))
def test_other_texts_are_no_tokens(text: str):
    assert RefreshToken.read(text, KEY) is None


@pytest.mark.parametrize("suffix", ["=", "==", "A", " ", "\n"])
def test_padding_and_tails_are_refused(suffix: str):
    assert RefreshToken.read(TOKEN.sealed(KEY) + suffix, KEY) is None


def test_a_raised_counter_needs_the_key():
    raw = bytearray(base64.urlsafe_b64decode(TOKEN.sealed(KEY).removeprefix("rt1.")))
    raw[55] += 1
    forged = "rt1." + base64.urlsafe_b64encode(bytes(raw)).decode()

    assert RefreshToken.read(forged, KEY) is None


def judge(presented: int, counter: int, *, age: timedelta = LEEWAY, is_over: bool = False) -> str:
    return judge_unrotated(
        presented, counter=counter, refreshed_at=NOW - age, is_over=is_over, now=NOW
    )


def test_the_parent_within_the_leeway_gives_the_same_successor():
    assert judge(4, 5, age=LEEWAY) == "repeat"


def test_the_parent_after_the_leeway_is_reuse():
    assert judge(4, 5, age=LEEWAY + timedelta(microseconds=1)) == "reused"


@given(counter=st.integers(2, 1000), back=st.integers(2, 1000))
def test_older_tokens_are_reuse_even_within_the_leeway(counter: int, back: int):
    presented = max(counter - back, 0)

    assert judge(presented, counter, age=timedelta()) == "reused"


@given(presented=counters, counter=counters)
def test_a_session_that_is_over_stays_over(presented: int, counter: int):
    assert judge(presented, counter, is_over=True) == "ended"


@given(counter=st.integers(0, 1000), ahead=st.integers(0, 1000))
def test_a_token_ahead_of_its_session_ends_nothing(counter: int, ahead: int):
    assert judge(counter + ahead, counter) == "ended"


def test_use_prolongs_a_session():
    assert expiry(NOW, NOW, **CLERK) == NOW + timedelta(seconds=60)
    later = NOW + timedelta(seconds=50)
    assert expiry(NOW, later, **CLERK) == NOW + timedelta(seconds=110)


def test_use_does_not_prolong_a_session_beyond_its_lifetime():
    later = NOW + timedelta(seconds=590)

    assert expiry(NOW, later, **CLERK) == NOW + timedelta(seconds=600)


@pytest.mark.asvs("C14")
def test_an_administrators_session_ends_after_twelve_hours():
    later = NOW + timedelta(hours=11)
    long = {"idle_s": 7 * 86_400, "lifetime_max_s": 30 * 86_400}

    assert expiry(NOW, later, role="admin", **long) == NOW + timedelta(hours=12)
    assert expiry(NOW, later, **CLERK | long) == later + timedelta(days=7)
    assert expiry(NOW, later, **CLERK | {"role": "admin"}) == NOW + timedelta(seconds=600)


@pytest.mark.parametrize(
    ("must_change", "must_have", "has_proof", "todo"),
    [
        (False, False, False, ()),
        (True, False, False, ("password",)),
        (False, True, False, ("factor",)),
        (True, True, False, ("password", "factor")),
        (False, True, True, ()),
        (True, True, True, ("password",)),
        (False, False, True, ()),
    ],
)
def test_what_is_to_be_done_before_a_session(must_change, must_have, has_proof, todo):
    found = todo_before_session(
        password_change_required=must_change,
        must_have_factor=must_have,
        has_strong_proof=has_proof,
    )

    assert found == todo
