"""Until when kits last, and what they are made of stays."""

import pytest

from services.inventory.items.errors import ItemInKits
from services.inventory.kits.errors import KitOutlastsComponents
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


@pytest.fixture
async def kit(make_item, move, make_kit):
    """Two of L1 go into it, of which two lots lie there, and one of A1, which never expires."""
    await make_item("L1", tracking="lot", unit_cost="1")
    await make_item("K9", tracking="lot")
    for lot, day in (("SOON", "2098-01-01"), ("LATE", "2099-01-01")):
        await move("receipt", 5, item="L1", lot=lot, expires_on=day)
    return await make_kit("K9", L1="2", A1="1")


@pytest.fixture
def expiry_of(send):
    async def read(kit, lot):
        found = (await send("GET", f"/api/inventory/{kit['id']}/lots")).json()["items"]
        return {each["lot"]: each["expires_on"] for each in found}.get(lot)

    return read


async def test_kits_expire_with_the_first_lot_that_goes_into_them(kit, act, expiry_of):
    assert (await act(kit, "1", lot="FIRST")).status_code == 201  # Two of SOON.
    pick = {"item": "L1", "lot": "LATE", "quantity": "2"}
    assert (await act(kit, "1", lot="PICKED", picks=[pick])).status_code == 201
    assert (await act(kit, "2", lot="BOTH")).status_code == 201  # Three of SOON, one of LATE.

    assert await expiry_of(kit, "FIRST") == "2098-01-01"
    assert await expiry_of(kit, "PICKED") == "2099-01-01"
    assert await expiry_of(kit, "BOTH") == "2098-01-01"


async def test_kits_may_expire_earlier_and_not_later(kit, act, expiry_of, on_hand):
    assert (await act(kit, "1", lot="EARLY", expires_on="2097-01-01")).status_code == 201
    late = await act(kit, "1", lot="NEW", expires_on="2098-01-02")

    assert_problem(late, KitOutlastsComponents, limit="2098-01-01", lot="NEW", item="K9")
    assert late.status_code == 422
    assert await expiry_of(kit, "EARLY") == "2097-01-01"
    assert await expiry_of(kit, "NEW") is None
    assert await on_hand("K9", "L1") == [1, 8]


@pytest.mark.parametrize("day", ["2098-06-01", None])
async def test_kits_do_not_join_a_lot_that_outlasts_them(kit, act, move, day):
    more = {} if day is None else {"expires_on": day}
    assert (await move("receipt", 1, item="K9", lot="OLD", **more)).is_success

    refused = await act(kit, "1", lot="OLD")

    assert_problem(refused, KitOutlastsComponents, limit="2098-01-01", lot="OLD")
    pick = {"item": "L1", "lot": "LATE", "quantity": "2"}
    joined = await act(kit, "1", lot="OLD", picks=[pick])
    assert joined.status_code == (201 if day else 422), joined.text


async def test_where_nothing_expires_kits_may_last_for_ever(make_item, make_kit, act, expiry_of):
    await make_item("K9", tracking="lot")
    kit = await make_kit("K9", A1="1")

    assert (await act(kit, "1", lot="EVER")).status_code == 201
    assert (await act(kit, "1", lot="SAID", expires_on="2099-01-01")).status_code == 201

    assert await expiry_of(kit, "EVER") is None
    assert await expiry_of(kit, "SAID") == "2099-01-01"


async def test_what_waited_for_approval_expires_with_what_goes_in_then(
    make_item, make_kit, move, act, send, caller, expiry_of
):
    await make_item("L2", tracking="lot")
    await make_item("K8", tracking="lot", unit_cost="100")
    assert (await move("receipt", 50, item="L2", lot="L", expires_on="2098-01-01")).is_success
    kit = await make_kit("K8", L2="2")
    clerk = Caller(caller.tenant_id, scopes={"inventory:read", "stock:write"}, role="clerk")
    late = await act(kit, 20, who=clerk, lot="NEW", expires_on="2098-01-02", reason="Wanted.")
    assert_problem(late, KitOutlastsComponents, limit="2098-01-01")

    asked = await act(kit, 20, who=clerk, lot="MADE", reason="Wanted.")
    assert asked.status_code == 202, asked.text
    given = await send("POST", f"/api/inventory/approvals/{asked.json()['id']}/approve")

    assert given.is_success, given.text
    assert await expiry_of(kit, "MADE") == "2098-01-01"


async def test_a_component_of_a_kit_is_not_retired(make_item, make_kit, send):
    part, kit = await make_item("P1"), await make_item("K9")
    await make_kit("K9", P1="1")
    await make_kit("K1", P1="2")
    path = f"/api/inventory/{part['id']}"

    refused = await send("DELETE", path)

    assert_problem(refused, ItemInKits, item="P1", kits=["K1", "K9"])
    assert refused.status_code == 409
    assert (await send("DELETE", f"/api/inventory/{kit['id']}")).is_success
    assert_problem(await send("DELETE", path), ItemInKits, kits=["K1"])
    [left] = [k for k in (await send("GET", "/api/inventory/kits")).json()["items"]
              if k["item"] == "K1"]  # fmt: skip
    assert (await send("DELETE", f"/api/inventory/kits/{left['id']}")).is_success
    assert (await send("DELETE", path)).is_success
