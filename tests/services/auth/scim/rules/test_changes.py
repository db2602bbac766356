from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.scim.rules.changes import (
    NothingNamed,
    Operation,
    PathNotUnderstood,
    changed,
    parse_path,
)

WORK = {"value": "w@example.com", "type": "work", "primary": True}
HOME = {"value": "h@example.com", "type": "home"}
ADA = {"userName": "ada", "name": {"givenName": "Ada"}, "emails": [WORK, HOME]}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
verbs = st.sampled_from(["add", "replace", "remove"])
paths = st.none() | st.text(max_size=30) | st.sampled_from(
    ["emails", 'emails[type eq "work"].value', "name", "name.givenName", "active", "userName"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "path", "value", "expected"),
    [
        ("add", "emails", HOME | {"primary": True},
         [WORK | {"primary": False}, HOME, HOME | {"primary": True}]),
        ("add", "emails", [WORK], [HOME, WORK]),
        ("replace", "emails", [HOME], [HOME]),
        ("replace", 'emails[type eq "HOME"].value', "x", [WORK, HOME | {"value": "x"}]),
        ("replace", 'emails[type eq "other"].value', "x",
         [WORK, HOME, {"type": "other", "value": "x"}]),
        ("remove", 'emails[type eq "work" and primary eq true]', None, [HOME]),
        ("remove", "emails.type", None,
         [{"value": WORK["value"], "primary": True}, {"value": HOME["value"]}]),
        ("remove", "emails", None, []),
    ],
)  # fmt: skip
def test_values_of_a_list_are_chosen_by_what_they_say(verb, path, value, expected):
    assert changed(ADA, [Operation(verb, path, value)])["emails"] == expected


def test_what_is_given_is_not_altered_and_operations_follow_one_another():
    before = repr(ADA)

    after = changed(
        ADA, [Operation("add", "name.familyName", "L"), Operation("remove", "name.givenName", None)]
    )

    assert after["name"] == {"familyName": "L"}
    assert repr(ADA) == before


@given(st.lists(st.builds(Operation, verbs, paths, values), max_size=4))
def test_whatever_comes_is_done_or_refused(operations: list[Operation]):
    try:
        after: dict[str, Any] = changed(ADA, operations)
    except (PathNotUnderstood, NothingNamed):
        return
    assert set(after) <= {
        "userName", "externalId", "name", "displayName", "emails", "active", "preferredLanguage",
    }  # fmt: skip


@given(st.text(max_size=600))
def test_no_path_breaks_it(text: str):
    try:
        parse_path(text)
    except PathNotUnderstood:
        return
