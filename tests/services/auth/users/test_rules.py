from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.users.rules import (
    ALL_SCOPES,
    PLATFORM_SCOPE,
    ROLES,
    SCOPES,
    Role,
    Status,
    ends_administration,
    is_email,
    is_session_over,
    lookup_form,
    may_be_limited,
    scopes_of,
    status_of,
)

MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_there_are_five_roles_and_sixteen_scopes():
    assert set(ROLES) == {"admin", "manager", "clerk", "viewer", "auditor"} == set(SCOPES)
    assert len(ALL_SCOPES) == 16


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_a_subset_of_the_scopes_and_may_read(role: Role):
    assert scopes_of(role, in_default_tenant=False) <= ALL_SCOPES
    assert "inventory:read" in SCOPES[role]


def test_an_administrator_has_every_scope():
    assert SCOPES["admin"] == ALL_SCOPES


@pytest.mark.parametrize("role", ROLES)
def test_only_administrators_of_the_default_tenant_manage_tenants(role: Role):
    assert PLATFORM_SCOPE not in scopes_of(role, in_default_tenant=False)
    assert (PLATFORM_SCOPE in scopes_of(role, in_default_tenant=True)) == (role == "admin")


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_readers_may_change_nothing(role: Role):
    assert not {s for s in SCOPES[role] if s.endswith((":write", ":manage", ":approve", ":train"))}


@pytest.mark.parametrize("role", ["manager", "clerk", "viewer", "auditor"])
def test_only_administrators_manage_users_and_operate(role: Role):
    assert not SCOPES[role] & {"user:manage", "ops:write"}


def test_those_who_change_stock_do_not_audit_it():
    assert all("audit:read" not in SCOPES[role] for role in ("manager", "clerk"))


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com",
        "a.b+tag@sub.example.co",
        "ünï@bücher.de",
        "o'hara@example.com",
        "1@2.de",
        "ada@Stra\u00dfe.example",
        "ada@xn--strae-oqa.example",
        "ada@r3--a_b.example.com",  # Old hosts, known by ASCII alone.
        "ada@\u0939\u093f\u0928\u094d\u0926\u0940.example",  # Letters with vowel signs.
    ],
)
def test_addresses(address: str):
    assert is_email(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@@example.com",
        "ada@.com",
        "ada@example..com",
        "ada@-example.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..b@example.com",
        "ada lovelace@example.com",
        "ada@example.com\n",
        "ada\u200b@example.com",  # Looks like another's.
        "\u00adada@example.com",
        "<ada@example.com>",
        "a@b.com,c@d.com",
        "x" * 65 + "@example.com",
        "x@" + "y." * 130 + "com",
        "ada@" + "x" * 64 + ".com",
        "ada@" + "\u00df" * 60 + ".example",  # Longer than a label, as the DNS has it.
        "ada@e\uff58ample.com",  # A wide letter.
        "ada@xn--\u00df.example",
        "ada@xn--strasse-.example",
        "ada@xn--a.example",
        "ada@example\u3002com",
    ],
)
def test_no_addresses(text: str):
    assert not is_email(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.com", "ada@example.COM"),
        ("re\u0301my@example.com", "R\u00c9MY@example.com"),
        ("ada@b\u00fccher.de", "ada@XN--BCHER-KVA.de"),
        ("ada@bu\u0308cher.de", "ada@B\u00dcCHER.de"),
        ("ada@stra\u00dfe.example", "ada@xn--strae-oqa.example"),
    ],
)
def test_case_and_spelling_do_not_tell_addresses_apart(one: str, other: str):
    assert lookup_form(one) == lookup_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("info@stra\u00dfe.example", "info@strasse.example"),
        ("stra\u00dfe@example.com", "strasse@example.com"),
        ("\uff41\uff44\uff41@example.com", "ada@example.com"),
        ("ada\u00b2@example.com", "ada2@example.com"),
        ("\ufb01@example.com", "fi@example.com"),
        ("ada@\u03b1\u03c2.example", "ada@\u03b1\u03c3.example"),
        ("\u0130@example.com", "i@example.com"),
    ],
)
def test_different_letters_are_different_addresses(one: str, other: str):
    assert lookup_form(one) != lookup_form(other)


@given(text=st.text())
def test_the_lookup_form_of_any_text_is_stable(text: str):
    assert lookup_form(lookup_form(text)) == lookup_form(text)


@given(st.emails())
def test_the_lookup_form_is_stable(address: str):
    assert lookup_form(lookup_form(address)) == lookup_form(address)


@given(
    role=st.sampled_from(ROLES),
    new_role=st.sampled_from(ROLES),
    status=st.sampled_from(get_args(Status)),
    will_bar=st.booleans(),
)
def test_administration_ends_only_when_an_active_administrator_goes(
    role: Role, new_role: Role, status: Status, *, will_bar: bool
):
    ends = ends_administration(role=role, status=status, new_role=new_role, will_bar=will_bar)

    administers_before = role == "admin" and status == "active"
    administers_after = administers_before and new_role == "admin" and not will_bar
    assert ends == (administers_before and not administers_after)


@pytest.mark.parametrize(
    ("is_barred", "sessions_ended_at", "is_over"),
    [
        (False, None, False),
        (False, MOMENT - timedelta(seconds=1), False),
        (False, MOMENT, False),
        (False, MOMENT + timedelta(seconds=1), True),
        (True, None, True),
    ],
)
def test_a_lock_and_an_end_of_all_sessions_end_a_session(
    *, is_barred: bool, sessions_ended_at: datetime | None, is_over: bool
):
    found = is_session_over(MOMENT, is_barred=is_barred, sessions_ended_at=sessions_ended_at)

    assert found == is_over


LONGEST = f"{'x' * 64}@{'a' * 63}.{'b' * 63}.{'c' * 58}.de"


def test_the_longest_address_is_one_and_a_letter_more_is_none():
    assert len(LONGEST) == 254
    assert is_email(LONGEST)
    assert not is_email(LONGEST + "x")
    assert not is_email(f"x{LONGEST[:-1]}")  # 65 letters before the @.


def test_an_address_has_one_at():
    assert not is_email("a@b@example.com")


@pytest.mark.parametrize(
    ("is_verified", "is_approved", "is_locked", "is_deactivated", "status"),
    [
        (True, True, False, False, "active"),
        (True, False, False, False, "pending"),
        (False, True, False, False, "invited"),
        (False, False, False, False, "unverified"),
        (True, True, True, False, "locked"),
        (False, False, True, False, "locked"),
        (True, True, False, True, "deactivated"),
        (True, True, True, True, "deactivated"),
    ],
)
def test_where_an_account_stands(is_verified, is_approved, is_locked, is_deactivated, status):
    found = status_of(
        is_verified=is_verified,
        is_approved=is_approved,
        is_locked=is_locked,
        is_deactivated=is_deactivated,
    )

    assert found == status


@pytest.mark.parametrize("role", ROLES)
def test_all_but_administrators_may_be_limited_to_locations(role: Role):
    assert may_be_limited(role) == (role != "admin")
