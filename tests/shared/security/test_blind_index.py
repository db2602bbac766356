from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.security.blind_index import BlindIndex

OLD, NEW = "aa" * 32, "bb" * 32
TENANT, OTHER_TENANT = UUID(int=1), UUID(int=2)
EMAILS = BlindIndex("auth.users.email", NEW)

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts)
def test_equal_values_of_a_tenant_are_found(value):
    assert EMAILS.of(value, TENANT) == BlindIndex("auth.users.email", NEW).of(value, TENANT)


@given(texts, texts)
def test_different_values_differ(one, other):
    assume(one != other)

    assert EMAILS.of(one, TENANT) != EMAILS.of(other, TENANT)


@given(texts)
def test_the_same_value_looks_different_to_another_tenant_column_and_key(value):
    hashes = {
        EMAILS.of(value, TENANT),
        EMAILS.of(value, OTHER_TENANT),
        BlindIndex("auth.users.phone", NEW).of(value, TENANT),
        BlindIndex("auth.users.email", OLD).of(value, TENANT),
    }

    assert len(hashes) == 4


def test_after_a_rotation_older_rows_are_still_found():
    before = BlindIndex("auth.users.email", OLD).of("a@example.org", TENANT)
    rotated = BlindIndex("auth.users.email", NEW, OLD)

    candidates = rotated.candidates("a@example.org", TENANT)

    assert candidates == [rotated.of("a@example.org", TENANT), before]


def test_several_earlier_keys_are_all_tried_the_present_one_first():
    oldest = "cc" * 32
    index = BlindIndex("auth.users.email", NEW, f"{OLD},{oldest}")

    assert index.candidates("x", TENANT) == [
        BlindIndex("auth.users.email", key).of("x", TENANT) for key in (NEW, OLD, oldest)
    ]
