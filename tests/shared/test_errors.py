from dataclasses import dataclass, fields
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import pytest

from shared import errors
from shared.errors import (
    ContentTooLarge,
    DeadlineExceeded,
    NotFound,
    Problem,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    ValidationFailed,
    problem_body,
)

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, Problem) and kind is not Problem
]


@dataclass(eq=False)
class ShelfFull(errors.Conflict):
    slug: ClassVar[str] = "shelf-full"
    title: ClassVar[str] = "Shelf full"
    detail: ClassVar[str] = "{free} of {wanted} free on {shelf}."
    shelf: str
    free: Decimal
    wanted: Decimal
    item_id: UUID | None = None


def test_a_problem_becomes_a_document():
    problem = ShelfFull("A {1}", Decimal("2.50"), Decimal("1E+3"), UUID(int=1))

    assert problem_body(problem, "en", "r-1") == {
        "type": "/problems/shelf-full",
        "title": "Shelf full",
        "status": 409,
        "code": "shelf_full",
        "detail": "2.5 of 1,000 free on A {1}.",
        "request_id": "r-1",
        "shelf": "A {1}",
        "free": "2.5",
        "wanted": "1000",
        "item_id": str(UUID(int=1)),
    }


def test_members_are_for_machines_and_texts_for_people():
    body = problem_body(ShelfFull("A", Decimal("2.5"), Decimal(0)), "fr", "r-1")

    assert (body["free"], body["wanted"], body["item_id"]) == ("2.5", "0", None)
    assert body["detail"] == "2,5 of 0 free on A."


def test_title_and_detail_are_translated():
    body = problem_body(ContentTooLarge(1024), "fr", "r-1")

    assert body["title"] == "Demande trop volumineuse"
    assert (
        body["detail"]
        == "Le corps de la demande dépasse 1\u202f024 octets. Envoyez-en moins à la fois."
    )
    assert body["limit_bytes"] == 1024


def test_invalid_values_are_listed():
    faults = [{"path": "body.a", "code": "missing", "message": "This field is required."}]

    assert problem_body(ValidationFailed(), "en", "r-1", faults)["errors"] == faults
    assert "errors" not in problem_body(NotFound(), "en", "r-1")


def test_no_extension_member_hides_a_member_of_the_document():
    own = {"type", "title", "status", "code", "detail", "request_id", "errors"}

    assert [kind for kind in KINDS if own & {field.name for field in fields(kind)}] == []


@pytest.mark.parametrize(
    ("problem", "headers"),
    [
        (Unauthorized(), {"WWW-Authenticate": "Bearer"}),
        (TooManyRequests(7), {"Retry-After": "7"}),
        (Unavailable(), {"Retry-After": "1"}),
        (NotFound(), {}),
    ],
)
def test_some_problems_have_headers(problem, headers):
    assert dict(problem.header_fields()) == headers


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_problem_has_an_own_slug_and_an_error_status(kind):
    assert 400 <= kind.status <= 504
    assert [other for other in KINDS if other.slug == kind.slug] == [kind]
    assert kind.slug == kind.slug.lower()
    assert " " not in kind.slug


def test_what_took_too_long_is_caught_as_unavailable():
    with pytest.raises(Unavailable):
        raise DeadlineExceeded


@dataclass(eq=False)
class Remains(errors.Conflict):
    slug: ClassVar[str] = "remains"
    detail: ClassVar[tuple[str, str]] = ("{left} unit remains.", "{left} units remain.")
    counted: ClassVar[str] = "left"
    left: Decimal


@pytest.mark.parametrize(
    ("left", "detail"),
    [("1", "1 unit remains."), ("0", "0 units remain."), ("0.5", "0.5 units remain.")],
)
def test_a_detail_has_the_form_of_what_it_counts(left, detail):
    assert problem_body(Remains(left=Decimal(left)), "en", "r")["detail"] == detail
