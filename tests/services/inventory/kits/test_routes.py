"""Kits: said what they are made of, assembled and taken apart as one, at what they cost."""

import asyncio
from decimal import Decimal
from uuid import uuid4

import pytest

from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemNotFound, ItemRetired, UnknownUnit
from services.inventory.kits.errors import (
    AssemblyInexact,
    AssemblyRefused,
    ComponentTwice,
    KitExists,
    KitInItself,
    KitNotFound,
    PickUnfit,
)
from services.inventory.ledger.errors import (
    AlreadyReversed,
    InsufficientStock,
    LotNeeded,
    SerialsDiffer,
    SerialsNeeded,
    SerialsNotThere,
)
from services.inventory.locations.errors import LocationNotFound
from shared.errors import LocationNotAllowed, MissingScope, PreconditionFailed, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/kits"


def told(answer, problem):
    assert_problem(answer, problem)
    return answer.json()


async def assert_verified(send):
    verified = (await send("GET", "/api/inventory/verify")).json()
    assert verified["ok"], verified["differences"]


async def test_a_kit_is_added_read_listed_replaced_and_removed(send, make_kit):
    kit = await make_kit()
    path = f"{PATH}/{kit['id']}"

    assert [(part["item"], part["quantity"]) for part in kit["components"]] == [
        ("A1", "2"), ("B1", "0.5"),
    ]  # fmt: skip
    read = await send("GET", path)
    assert read.json() == kit
    assert (await send("GET", path, **{"If-None-Match": read.headers["ETag"]})).status_code == 304
    assert [each["id"] for each in (await send("GET", PATH)).json()["items"]] == [kit["id"]]
    by_part = await send("GET", f"{PATH}?component=b1")
    assert [each["item"] for each in by_part.json()["items"]] == ["K1"]
    assert (await send("GET", f"{PATH}?component=K1")).json()["items"] == []

    body = {"components": [{"item": "A1", "quantity": "0.5", "unit": "case"}]}
    stale = await send("PUT", path, body, **{"If-Match": '"9"'})
    assert_problem(stale, PreconditionFailed)
    replaced = await send("PUT", path, body, **{"If-Match": read.headers["ETag"]})
    assert [part["quantity"] for part in replaced.json()["components"]] == ["6"]
    assert replaced.json()["version"] == 2

    assert (await send("DELETE", path)).status_code == 204
    assert_problem(await send("GET", path), KitNotFound)


async def test_what_cannot_be_a_kit_is_refused(send, make_kit, make_item):
    await make_item("K2")
    first = await make_kit("K1")
    await make_kit("K2", K1="1")

    def body(*components, item="B1"):
        return {"item": item, "components": list(components)}

    for refused, problem in (
        (body({"item": "A1", "quantity": 1}, item="K1"), KitExists),
        (body({"item": "nothing", "quantity": 1}), ItemNotFound),
        (body({"item": "A1", "quantity": 1}, item="nothing"), ItemNotFound),
        (body({"item": "A1", "quantity": 1}, {"item": "a1", "quantity": 2}), ComponentTwice),
        (body({"item": "A1", "quantity": 1, "unit": "pallet"}), UnknownUnit),
        (body({"item": "B1", "quantity": 1}), KitInItself),
        (body({"item": "A1", "quantity": 0}), ValidationFailed),
        (body(), ValidationFailed),
    ):
        assert_problem(await send("POST", PATH, refused), problem)
    circle = {"components": [{"item": "K2", "quantity": 1}]}
    problem = told(await send("PUT", f"{PATH}/{first['id']}", circle), KitInItself)
    assert problem["component"] == "K2"
    assert (await send("GET", f"{PATH}/{first['id']}")).json() == first


async def test_a_component_named_by_the_barcode_of_a_pack_is_packs(send, make_item):
    case = {"code": "18076800195054", "unit": "case"}
    await make_item("C1", packs=[{"unit": "case", "quantity": "12"}], barcodes=[case])
    parts = [
        {"item": "18076800195054", "quantity": "2"},
        {"item": "A1", "quantity": "1"},
    ]  # fmt: skip

    made = await send("POST", PATH, {"item": "K1", "components": parts})
    one = {"item": "18076800195054", "quantity": "1", "unit": "each"}
    replaced = await send("PUT", f"{PATH}/{made.json()['id']}", {"components": [one]})

    assert [part["quantity"] for part in made.json()["components"]] == ["1", "24"]
    assert [part["quantity"] for part in replaced.json()["components"]] == ["1"]


async def test_two_changes_at_once_close_no_circle(send, make_kit, make_item):
    for code in ("X1", "Y1"):
        await make_item(code)
    kits = {code: await make_kit(code) for code in ("X1", "Y1")}

    async def turn(kit, part):
        body = {"components": [{"item": part, "quantity": 1}]}
        return (await send("PUT", f"{PATH}/{kits[kit]['id']}", body)).status_code

    for _ in range(5):
        statuses = await asyncio.gather(turn("X1", "Y1"), turn("Y1", "X1"))
        assert sorted(statuses) == [200, 409]
        for kit in kits.values():
            await send(
                "PUT", f"{PATH}/{kit['id']}", {"components": [{"item": "A1", "quantity": 1}]}
            )


async def test_assembling_takes_the_components_and_brings_the_kits_at_their_cost(
    send, make_kit, act, on_hand
):
    kit = await make_kit()

    made = await act(kit, "10", reference="WO-1")

    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["quantity"], body["unit_cost"]) == ("10", "4.25")
    moved = [(each["item"], each["change"], each["balance_after"]) for each in body["movements"]]
    assert moved == [("A1", "-20", "80"), ("B1", "-5", "95"), ("K1", "10", "10")]
    assert await on_hand("A1", "B1", "K1") == [80, 95, 10]
    listed = (await send("GET", "/api/inventory/movements?kind=assembly")).json()["items"]
    assert {each["part_of"] for each in listed} == {body["id"]}
    assert {each["reference"] for each in listed} == {"WO-1"}
    assert [each["unit_cost"] for each in listed if each["item"] == "K1"] == ["4.25"]
    await assert_verified(send)


async def test_who_may_not_see_prices_assembles_at_the_cost_and_does_not_see_it(
    send, make_kit, act, caller
):
    clerk = Caller(caller.tenant_id, scopes=["inventory:read", "stock:write"])
    kit = await make_kit()

    made = await act(kit, "10", who=clerk)

    assert made.json()["unit_cost"] is None
    [row] = (await send("GET", "/api/inventory/movements?item=K1")).json()["items"]
    assert row["unit_cost"] == "4.25"


async def test_where_the_cost_of_a_component_is_not_known_that_of_the_kit_is_not(
    make_kit, act, make_item, move
):
    await make_item("C1")
    await move("receipt", 10, item="C1")
    kit = await make_kit("K1", A1="1", C1="1")

    assert (await act(kit, "1")).json()["unit_cost"] is None


async def test_what_has_no_cost_of_its_own_costs_what_it_came_at_last(
    make_kit, act, make_item, move
):
    """A component that was received at a cost, and a kit that goes into another kit."""
    await make_item("C1")
    await make_item("K2")
    await move("receipt", 10, item="C1", unit_cost="3")
    await move("receipt", 10, item="C1", unit_cost="5")
    inner = await make_kit("K1", A1="1", C1="1")
    outer = await make_kit("K2", K1="1", B1="1")

    assert (await act(inner, "2")).json()["unit_cost"] == "7"
    assert (await act(outer, "1")).json()["unit_cost"] == "7.5"


async def test_kits_taken_apart_give_their_components_back_and_share_their_cost(
    send, make_kit, act, on_hand
):
    kit = await make_kit()
    await send("PATCH", f"/api/inventory/{kit['id']}", {"unit_cost": "8.5"})
    await act(kit, "10")

    apart = await act(kit, "4", "disassemble")

    assert apart.status_code == 201, apart.text
    assert await on_hand("A1", "B1", "K1") == [88, 97, 6]
    rows = (await send("GET", "/api/inventory/movements?kind=disassembly")).json()["items"]
    assert {row["item"]: row["unit_cost"] for row in rows} == {"A1": "4", "B1": "1", "K1": None}
    await assert_verified(send)


async def test_lack_of_components_refuses_all_and_names_each(send, make_kit, act, on_hand):
    kit = await make_kit()

    problem = told(await act(kit, "51"), InsufficientStock)
    assert (problem["item"], problem["available"]) == ("A1", "100")
    problem = told(await act(kit, "1000"), AssemblyRefused)
    assert [(each["item"], each["code"]) for each in problem["results"]] == [
        ("A1", "insufficient_stock"), ("B1", "insufficient_stock"),
    ]  # fmt: skip
    assert "51" not in (await send("GET", "/api/inventory/movements?item=K1")).text
    assert await on_hand("A1", "B1", "K1") == [100, 100, 0]


async def test_what_can_be_had_is_what_can_be_assembled(send, make_kit, act, make_item):
    await make_item("K2")
    inner = await make_kit("K1")
    outer = await make_kit("K2", K1="2", A1="1")
    await act(inner, "10")  # 80 of A1 and 95 of B1 are left.

    read = (await send("GET", f"{PATH}/{outer['id']}/availability")).json()

    # 2 K1 and 1 A1 each; or 5 A1 and 1 B1 each; or first five by K1, then by 5 A1 and 1 B1.
    ways = {"assemblable": "5", "assemblable_exploded": "16", "assemblable_in_steps": "20"}
    assert {name: read[name] for name in ways} == ways
    for name, explode in (("assemblable", False), ("assemblable_exploded", True)):
        trial = f"{PATH}/{outer['id']}/assemble?dry_run=true"
        for more, status in ((0, 201), (1, 409)):
            body = {"location": "Main", "explode": explode, "quantity": int(ways[name]) + more}
            assert (await send("POST", trial, body)).status_code == status
    assert (read["available"], read["location"]) == ("0", None)
    assert {each["item"]: each["enough_for"] for each in read["components"]} == {
        "A1": "80", "K1": "5",
    }  # fmt: skip
    assert_problem(
        await send("GET", f"{PATH}/{outer['id']}/availability?location=nowhere"), LocationNotFound
    )
    here = await send("GET", f"{PATH}/{outer['id']}/availability?location=main")
    assert (here.json()["assemblable_in_steps"], here.json()["location"]) == ("20", "Main")
    refused = told(await act(outer, "6"), InsufficientStock)
    assert refused["item"] == "K1"
    made = await act(outer, "6", explode=True)
    assert [(each["item"], each["change"]) for each in made.json()["movements"]] == [
        ("A1", "-30"), ("B1", "-6"), ("K2", "6"),
    ]  # fmt: skip


async def test_lots_go_first_expired_first_or_as_picked_and_the_kit_has_its_own(
    make_kit, act, make_item, move, on_hand
):
    await make_item("L1", tracking="lot", unit_cost="1")
    await make_item("K9", tracking="lot")
    for lot, day in (("OLD", "2020-01-01"), ("SOON", "2098-01-01"), ("LATE", "2099-01-01")):
        await move("receipt", 5, item="L1", lot=lot, expires_on=day)
    kit = await make_kit("K9", L1="1")

    assert_problem(await act(kit, "1"), LotNeeded)
    made = await act(kit, "6", lot="MADE", expires_on="2097-01-01")
    assert made.status_code == 201, made.text
    parts, whole = made.json()["movements"]
    assert [(each["lot"], each["quantity"]) for each in parts["lots"]] == [
        ("SOON", "5"), ("LATE", "1"),
    ]  # fmt: skip
    assert [each["lot"] for each in whole["lots"]] == ["MADE"]
    pick = {"item": "L1", "lot": "LATE", "quantity": "1"}
    assert (await act(kit, "1", lot="MADE", picks=[pick])).status_code == 201
    assert_problem(await act(kit, "1", lot="M2", picks=[pick | {"quantity": 2}]), PickUnfit)
    assert_problem(await act(kit, "1", lot="M2", picks=[{"item": "A1", "lot": "X"}]), PickUnfit)

    assert_problem(await act(kit, "1", "disassemble"), LotNeeded)
    back = [{"item": "L1", "lot": "BACK", "expires_on": "2098-05-05"}]
    apart = await act(kit, "2", "disassemble", picks=back)
    assert apart.status_code == 201, apart.text
    assert await on_hand("L1", "K9") == [10, 5]


async def test_serials_of_components_and_kits_are_named(
    send, make_kit, act, make_item, move, on_hand
):
    await make_item("S1", tracking="serial", unit_cost="7")
    await make_item("K8", tracking="serial")
    assert (await move("receipt", None, item="S1", serials=["p1", "p2", "p3"])).status_code == 201
    kit = await make_kit("K8", S1="1", A1="1")
    picks = [{"item": "S1", "serials": ["p1", "p3"]}]

    assert_problem(await act(kit, "2", serials=["k1", "k2"]), SerialsNeeded)
    assert_problem(await act(kit, "2", picks=picks), SerialsNeeded)
    assert_problem(await act(kit, "2", serials=["k1"], picks=picks), SerialsDiffer)
    assert_problem(await act(kit, "1", serials=["k1"], picks=picks), PickUnfit)
    assert_problem(await act(kit, "1", serials=["k1", "K1"], picks=picks), ValidationFailed)
    both = [{"item": "S1", "serials": ["p1"], "lot": "L"}]
    assert_problem(await act(kit, "1", serials=["k1"], picks=both), ValidationFailed)
    made = await act(kit, "2", serials=["k1", "k2"], picks=picks)

    assert made.status_code == 201, made.text
    named = {each["item"]: each["serials"] for each in made.json()["movements"]}
    assert named == {"S1": ["p1", "p3"], "A1": [], "K8": ["k1", "k2"]}
    again = await act(kit, "1", serials=["k3"], picks=[{"item": "S1", "serials": ["p1"]}])
    assert_problem(again, SerialsNotThere)
    back = [{"item": "S1", "serials": ["p3"]}]
    apart = await act(kit, "1", "disassemble", serials=["k2"], picks=back)
    assert apart.status_code == 201, apart.text
    assert await on_hand("S1", "A1", "K8") == [2, 99, 1]
    await assert_verified(send)


async def test_an_assembly_is_reversed_as_a_whole_and_once(send, make_kit, act, on_hand):
    kit = await make_kit()
    made = (await act(kit, "10")).json()
    part, *_ = made["movements"]

    async def reverse(movement_id):
        path = f"/api/inventory/movements/{movement_id}/reverse"
        return await send("POST", path, {"reason": "typo"})

    answers = await asyncio.gather(*(reverse(each["id"]) for each in made["movements"]))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            assert_problem(answer, AlreadyReversed)
    assert await on_hand("A1", "B1", "K1") == [100, 100, 0]
    assert_problem(await reverse(part["id"]), AlreadyReversed)
    rows = (await send("GET", "/api/inventory/movements?kind=reversal")).json()["items"]
    assert len(rows) == 3
    assert len({row["part_of"] for row in rows}) == 1
    await assert_verified(send)


async def test_what_was_used_since_keeps_an_assembly_from_being_reversed(
    send, make_kit, act, on_hand, move
):
    kit = await make_kit()
    made = (await act(kit, "10")).json()
    await move("issue", 1, item="K1")

    path = f"/api/inventory/movements/{made['movements'][0]['id']}/reverse"
    problem = told(await send("POST", path, {"reason": "typo"}), InsufficientStock)

    assert problem["item"] == "K1"
    assert await on_hand("A1", "B1", "K1") == [80, 95, 9]


async def test_many_at_once_assemble_and_take_apart_and_nothing_is_lost(
    send, make_kit, act, on_hand, make_item
):
    await make_item("K2")
    kits = [await make_kit("K1"), await make_kit("K2", K1="1", B1="1")]
    await act(kits[0], "20")

    acts = [
        act(kits[number % 2], "1", "assemble" if number % 3 else "disassemble")
        for number in range(40)
    ]
    statuses = {answer.status_code for answer in await asyncio.gather(*acts)}

    assert statuses <= {201, 409}
    a1, b1, k1, k2 = await on_hand("A1", "B1", "K1", "K2")
    assert (a1 + 2 * k1 + 2 * k2, b1 + Decimal("0.5") * k1 + Decimal("1.5") * k2) == (100, 100)
    await assert_verified(send)


async def test_what_refuses_a_movement_refuses_an_assembly(send, make_kit, act, make_item):
    kit = await make_kit()
    unknown = {"id": uuid4()}

    assert_problem(await act(unknown, "1"), KitNotFound)
    assert_problem(await act(kit, "1", location="nowhere"), LocationNotFound)
    assert_problem(await act(kit, "0.0001"), AssemblyInexact)
    assert_problem(await act(kit, "1", unit="case"), UnknownUnit)
    assert_problem(await act(kit, "1", expires_on="2099-01-01"), ValidationFailed)
    freeze = {"scope": "item", "item": "B1", "reason": "check"}
    frozen = (await send("POST", "/api/inventory/freezes", freeze)).json()
    assert_problem(await act(kit, "1"), Frozen)
    await send("DELETE", f"/api/inventory/freezes/{frozen['id']}?note=done")
    gone = await make_item("G1")
    other = await make_kit("G1", B1="1")
    await send("DELETE", f"/api/inventory/{gone['id']}")
    assert_problem(await act(other, "1"), ItemRetired)


async def test_a_kit_is_changed_by_who_may_and_only_where_he_may(
    client, caller, send, make_kit, act, make_location
):
    kit = await make_kit()
    there = await make_location("Other")
    viewer = Caller(caller.tenant_id, scopes=["inventory:read"])
    limited = Caller(caller.tenant_id, locations=[there["id"]])

    assert_problem(await act(kit, "1", who=viewer), MissingScope)
    assert_problem(await act(kit, "1", who=limited), LocationNotFound)
    short = told(await act(kit, "1", who=limited, location="Other"), AssemblyRefused)
    assert "Main" not in str(short)
    assert_problem(await send("DELETE", f"{PATH}/{kit['id']}", who=limited), LocationNotAllowed)
    seen = await send("GET", f"{PATH}/{kit['id']}/availability", who=limited)
    assert seen.json()["assemblable"] == "0"
