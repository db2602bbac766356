import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.scim.rules.filters import Term, parse_filter
from services.auth.scim.rules.names import TERMS_MAX

KNOWN = {"username": "userName", "emails.value": "emails.value", "active": "active"}
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(st.lists(st.tuples(st.sampled_from(sorted(KNOWN)), texts), min_size=1, max_size=TERMS_MAX))
def test_what_is_written_is_what_is_read(wanted):
    text = " and ".join(f"{name} eq {json.dumps(value)}" for name, value in wanted)

    assert parse_filter(text, KNOWN) == [Term(KNOWN[name], value) for name, value in wanted]


@given(st.text(max_size=200))
def test_nothing_written_breaks_it(text):
    found = parse_filter(text, KNOWN)

    assert found is None or len(found) <= TERMS_MAX


@pytest.mark.parametrize(
    "text",
    ["", " ", "userName", 'userName eq "a" and', 'userName eq "a"and userName eq "b"',
     'userName eq "a" andactive eq true', 'userName eq "a', "userName eq a", 'x eq "a"',
     'userName eq "a" userName eq "b"', 'userName.x.y eq "a"'],
)  # fmt: skip
def test_anything_else_is_not_understood(text):
    assert parse_filter(text, KNOWN) is None


def test_true_and_false_are_no_texts():
    assert parse_filter("ACTIVE EQ True and active eq false", KNOWN) == [
        Term("active", value=True),
        Term("active", value=False),
    ]
