from datetime import timedelta
from typing import Any

import pytest

from services.auth.access_review.rules import Reviewed, list_conflicts
from services.auth.users.rules import SCOPES, Role
from shared.clock import utc_now

NOW = utc_now()


def person(role: Role, number: int = 1, **changes: Any) -> Reviewed:
    known: dict[str, Any] = {
        "id": f"id-{number}", "is_active": True, "is_admin": role == "admin",
        "scopes": SCOPES[role], "has_factor": True, "last_used_at": NOW, "created_at": NOW,
        "granted_by": "user:other",
    }  # fmt: skip
    return Reviewed(**(known | changes))


ENOUGH = [person("admin", 8), person("admin", 9)]


def kinds(*people: Reviewed, is_open: bool = True) -> set[tuple[str, str | None]]:
    return {
        (conflict.kind, conflict.user_id)
        for conflict in list_conflicts([*ENOUGH, *people], NOW)
        if (conflict.control is None) is is_open
    }


def test_a_tenant_with_two_of_each_has_nothing_open():
    assert kinds(person("clerk"), person("auditor", 2), person("viewer", 3)) == set()


@pytest.mark.parametrize(
    ("role", "found"),
    [
        ("clerk", set()),
        ("auditor", set()),
        ("manager", {"requests_and_approves"}),
        ("admin", {"requests_and_approves", "administers_and_audits", "operates_and_moves"}),
    ],
)
def test_rights_that_belong_into_two_hands_are_told_with_what_holds_them(
    role: Role, found: set[str]
):
    told = kinds(person(role), is_open=False)

    assert {kind for kind, user_id in told if user_id == "id-1"} == found


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"granted_by": "user:id-1"}, "role_given_to_himself"),
        ({"last_used_at": NOW - timedelta(days=91)}, "dormant"),
        ({"last_used_at": None, "created_at": NOW - timedelta(days=91)}, "dormant"),
    ],
)
def test_what_no_control_holds_is_open(changes: dict[str, Any], kind: str):
    assert kinds(person("clerk", **changes)) == {(kind, "id-1")}
    assert kinds(person("clerk", is_active=False, **changes)) == set()


def test_a_key_above_its_owners_role_and_an_administrator_without_a_factor_are_held():
    key = person("viewer", key_scopes=frozenset({"stock:write"}))
    bare = person("admin", 2, has_factor=False)

    told = kinds(key, bare, is_open=False)

    assert {("key_above_role", "id-1"), ("administrator_without_factor", "id-2")} <= told


def test_one_alone_can_neither_approve_nor_administer():
    found = list_conflicts([person("admin")], NOW)

    assert {each.kind for each in found if each.control is None} == {
        "too_few_approvers", "too_few_administrators",
    }  # fmt: skip
    assert list_conflicts([], NOW) == []
