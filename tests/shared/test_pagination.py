import base64
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pagination import LIMIT_MAX, InvalidCursor, Keyset, PageQuery

BY_NAME = Keyset("name", str)
BY_ALL = Keyset("all", str, int, UUID, Decimal)
NEWEST = Keyset("newest", datetime)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
numbers = st.integers(-(2**63), 2**63 - 1)
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
moments = st.datetimes(timezones=st.just(UTC))


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


@given(texts, numbers, st.uuids(), decimals)
def test_a_cursor_brings_back_the_values_it_was_made_of(text, number, row_id, decimal):
    key = (text, number, row_id, decimal)

    found = BY_ALL.after(BY_ALL.cursor(key))

    assert found == key
    assert [type(value) for value in found] == [str, int, UUID, Decimal]


@given(moments, st.integers(-14, 14))
def test_a_moment_comes_back_in_utc_wherever_it_was_written(moment, hours):
    elsewhere = timezone(timedelta(hours=hours))
    try:
        written = moment.astimezone(elsewhere)
    except OverflowError:  # The first and last day have hours that do not exist elsewhere.
        written = moment

    assert NEWEST.after(NEWEST.cursor((written,))) == (moment,)


@given(texts)
def test_a_cursor_can_stand_in_an_address(text):
    cursor = BY_NAME.cursor((text,))

    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_longest_name_has_a_cursor_that_its_list_takes_also_inside_another():
    cursor = BY_NAME.cursor(("😀" * 200,))

    assert PageQuery(cursor=Keyset("outer", str).cursor((cursor,)))


def test_the_first_page_has_no_cursor():
    assert BY_NAME.after(None) is None


@given(st.lists(texts, unique=True, max_size=12), st.integers(1, 5))
def test_pages_give_every_row_once_and_in_order(names, limit):
    names.sort()
    seen: list[str] = []
    cursor: str | None = None
    while True:
        after = BY_NAME.after(cursor)
        read = [name for name in names if after is None or (name,) > after][: limit + 1]
        page, cursor = BY_NAME.page(read, limit, lambda name: (name,))
        seen += page
        assert len(page) <= limit
        if cursor is None:
            break

    assert seen == names


def test_a_page_that_is_just_full_is_the_last():
    page = BY_NAME.page(["a", "b"], 2, lambda name: (name,))

    assert page == (["a", "b"], None)


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
        BY_NAME.cursor(("a",)) + "=", BY_NAME.cursor(("a",)) + "\n",
    ],
)  # fmt: skip
def test_a_cursor_that_no_list_gave_is_refused(cursor):
    with pytest.raises(InvalidCursor):
        BY_NAME.after(cursor)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (int, ""), (int, "a"), (int, "1.5"), (int, "1_000"), (int, "٣"), (int, " 1"), (int, "007"),
        (int, str(2**63)), (int, str(-(2**63) - 1)), (int, "9" * 1400),
        (UUID, ""), (UUID, "a"), (UUID, "{00000000-0000-0000-0000-000000000000}"),
        (UUID, "0" * 32), (UUID, "00000000-0000-0000-0000-00000000000g"),
        (Decimal, ""), (Decimal, "a"), (Decimal, "NaN"), (Decimal, "Infinity"), (Decimal, "1E+9"),
        (Decimal, "1_0"), (Decimal, "٣"), (Decimal, "01"), (Decimal, "1E+999999999999"),
        (datetime, ""), (datetime, "yesterday"), (datetime, "20261120"), (datetime, "2026-01-01"),
        (datetime, "2026-01-01T00:00:00"), (datetime, "2026-01-01T01:00:00+01:00"),
        (datetime, "0001-01-01T00:00:00+14:00"), (datetime, "9999-12-31T23:59:59-14:00"),
        (datetime, "-infinity"),
    ],
)  # fmt: skip
def test_a_value_that_its_list_cannot_have_written_is_refused(kind, text):
    with pytest.raises(InvalidCursor):
        Keyset("sort", kind).after(packed(["sort", text]))


@pytest.mark.parametrize("kind", [str, int, UUID, datetime, Decimal])
@given(text=st.text(max_size=40))
def test_garbage_is_refused_or_has_its_type_and_nothing_else_happens(kind, text):
    try:
        found = Keyset("sort", kind).after(packed(["sort", text]))
    except InvalidCursor:
        return
    assert found is not None
    assert [type(value) for value in found] == [kind]


def test_a_cursor_of_another_order_is_refused():
    with pytest.raises(InvalidCursor):
        BY_NAME.after(NEWEST.cursor((datetime(2026, 1, 1, tzinfo=UTC),)))


def test_what_a_database_cannot_compare_cannot_order_a_list():
    with pytest.raises(KeyError):
        Keyset("share", float)  # type: ignore[type-var]  # mypy says so too.


def test_a_page_has_at_most_what_a_list_allows():
    assert PageQuery(limit=LIMIT_MAX).limit == LIMIT_MAX
