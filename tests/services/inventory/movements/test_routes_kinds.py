"""Returns and write-offs, and why stock is gone, in a word that can be counted."""

import pytest

from services.inventory.ledger.errors import InsufficientStock
from services.inventory.ledger.rules import REASON_CODES, Kind, MovementReason
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
async def place(make_location, make_item, move):
    await make_location("Main")
    await make_item("A1", unit_cost="2.50")
    await move("receipt", 10)


@pytest.mark.parametrize(
    ("more", "change"),
    [
        ({"kind": "return"}, "3"),
        ({"kind": "return", "direction": "in", "reason_code": "not_needed"}, "3"),
        ({"kind": "return", "direction": "out", "reason_code": "damaged"}, "-3"),
        ({"kind": "write_off", "reason_code": "expired"}, "-3"),
        ({"kind": "write_off", "reason_code": "other", "reason": "Eaten by mice"}, "-3"),
        ({"kind": "adjustment", "direction": "in", "reason_code": "found"}, "3"),
    ],
)
async def test_each_kind_moves_its_way_and_the_ledger_says_why(client, caller, move, more, change):
    moved = await move(quantity=3, **more)

    assert moved.status_code == 201, moved.text
    listed = await client.get("/api/inventory/movements", headers=caller.headers())
    for movement in (moved.json(), listed.json()["items"][0]):
        assert (movement["kind"], movement["change"]) == (more["kind"], change)
        assert movement["reason_code"] == more.get("reason_code")
        assert movement["reason"] == more.get("reason")
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "write_off", "reason_code": "lost"},
        {"kind": "return", "direction": "out"},
    ],
)
async def test_what_is_not_there_is_neither_written_off_nor_sent_back(move, more):
    refused = await move(quantity=11, **more)

    assert_problem(refused, InsufficientStock, available="10", requested="11")


async def test_reason_codes_are_listed_with_labels_in_both_languages(client, caller):
    path = "/api/inventory/movements/reason-codes"
    english = (await client.get(path, headers=caller.headers())).json()["items"]
    french = (await client.get(f"{path}?lang=fr", headers=caller.headers())).json()["items"]

    assert [row["code"] for row in english] == list(MovementReason)
    assert english[0] == {
        "code": "damaged", "label": "Damaged", "kinds": ["return", "write_off", "adjustment"]
    }  # fmt: skip
    assert all(
        ours["label"] != theirs["label"] for ours, theirs in zip(english, french, strict=True)
    )
    for row in english:
        for kind in Kind:
            assert (kind in row["kinds"]) is (row["code"] in REASON_CODES.get(kind, ()))
