"""One movement by its id: whole, as it was recorded, for who may know of where it was."""

from uuid import uuid4

import pytest

from services.inventory.movements.errors import MovementUnknown
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/movements"


@pytest.fixture(autouse=True)
async def places(make_location, make_item):
    await make_item("A1", packs=[{"unit": "case", "quantity": "12"}])
    await make_item("T1", tracking="lot")
    return {name: (await make_location(name))["id"] for name in ("Main", "Shop", "Depot")}


@pytest.fixture
def get(client, caller):
    async def read(movement_id, who=None, **headers):
        sent = (who or caller).headers(**headers)
        return await client.get(f"{PATH}/{movement_id}", headers=sent)

    return read


async def test_a_movement_is_read_as_it_was_recorded(move, get):
    made = (await move("receipt", 2, unit="case", unit_cost="0.62", reference="PO-1")).json()

    read = await get(made["id"])

    assert read.status_code == 200, read.text
    assert read.json() == made | {"version": 1}
    assert (made["quantity"], made["given"]) == ("24", {"quantity": "2", "unit": "case"})


async def test_all_its_lots_are_told_where_it_left(move, get):
    for lot, day in (("L1", "2098-01-01"), ("L2", "2099-01-01")):
        await move("receipt", 5, item="T1", lot=lot, expires_on=day)
    made = (await move("transfer", 7, item="T1", to_location="Shop")).json()

    read = (await get(made["id"])).json()

    assert [(each["lot"], each["quantity"]) for each in read["lots"]] == [("L1", "5"), ("L2", "2")]
    assert (read["location"], read["to_location"], read["change"]) == ("Main", "Shop", "-7")


async def test_a_reader_who_has_it_is_told_so_until_it_is_undone(client, caller, move, get):
    made = (await move("receipt", 2)).json()
    tag = (await get(made["id"])).headers["ETag"]

    again = await get(made["id"], **{"If-None-Match": tag})
    body = {"reason": "Typed twice."}
    undone = await client.post(f"{PATH}/{made['id']}/reverse", json=body, headers=caller.headers())
    changed = await get(made["id"], **{"If-None-Match": tag})

    assert again.status_code == 304
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert changed.json()["reversed_by"] == undone.json()["id"]
    reversal = (await get(undone.json()["id"])).json()
    assert (reversal["kind"], reversal["reverses"]) == ("reversal", made["id"])


async def test_costs_are_told_to_who_may_see_prices_alone(caller, move, get):
    made = (await move("receipt", 2, unit_cost="0.62")).json()
    clerk = Caller(caller.tenant_id, scopes={"inventory:read", "stock:write"}, role="clerk")

    assert (await get(made["id"])).json()["unit_cost"] == "0.62"
    assert (await get(made["id"], clerk)).json()["unit_cost"] is None


async def test_who_is_limited_reads_what_was_at_his_locations_from_his_end(
    caller, move, get, places
):
    await move("receipt", 5)
    made = (await move("transfer", 2, to_location="Shop")).json()
    shop, depot = (Caller(caller.tenant_id, locations=[places[n]]) for n in ("Shop", "Depot"))

    seen = (await get(made["id"], shop)).json()

    assert (seen["location"], seen["to_location"], seen["change"]) == ("Shop", None, "2")
    assert_problem(await get(made["id"], depot), MovementUnknown, movement=made["id"])
    assert_problem(await get(made["id"], Caller()), MovementUnknown)
    assert_problem(await get(uuid4()), MovementUnknown)
