"""What each role may change alone, and that nothing of costs is told or readable."""

from decimal import Decimal

import pytest

from services.inventory.approvals.errors import ApprovalStale
from shared.errors import MissingScope, PreconditionFailed, StepUpRequired, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stock")]

PATH = "/api/inventory/approvals"
LIMITS = f"{PATH}/limits"


@pytest.fixture
def set_limits(send):
    async def put(who=None, unknown=None, headers=None, **amounts):
        limits = [{"role": role, "amount": amount} for role, amount in amounts.items()]
        body = {"limits": limits, "quantity_without_cost": unknown}
        return await send("PUT", LIMITS, body, who, **(headers or {}))

    return put


async def test_a_role_has_the_limit_that_was_set_or_the_default(
    send, set_limits, write_off, clerk, boss
):
    assert (await send("GET", LIMITS)).json() == {
        "default": "1000", "limits": [], "quantity_without_cost": None, "version": 0,
    }  # fmt: skip
    done = await set_limits(clerk="50", admin=None)
    assert done.status_code == 200, done.text

    assert (await send("GET", LIMITS)).json()["limits"] == [
        {"role": "admin", "amount": None}, {"role": "clerk", "amount": "50"},
    ]  # fmt: skip
    assert (await write_off(5, clerk)).status_code == 201
    assert (await write_off(6, clerk)).status_code == 202
    assert (await write_off(500, boss)).status_code == 201
    manager = Caller(boss.tenant_id, role="manager")
    assert (await write_off(100, manager)).status_code == 201
    assert (await write_off(101, manager)).status_code == 202


async def test_limits_are_set_by_administrators_with_a_fresh_proof_on_what_they_read(
    send, set_limits, clerk, boss
):
    manager = Caller(boss.tenant_id, scopes={"price:approve", "price:write"}, role="manager")

    assert_problem(await set_limits(manager), MissingScope)
    assert_problem(await set_limits(Caller(boss.tenant_id, proved_s_ago=660)), StepUpRequired)
    assert_problem(await send("GET", LIMITS, None, clerk), MissingScope)
    seen = (await set_limits(clerk="50")).headers["etag"]
    assert (await set_limits(clerk="60", headers={"If-Match": seen})).status_code == 200
    assert_problem(await set_limits(clerk="70", headers={"If-Match": seen}), PreconditionFailed)
    twice = {"limits": [{"role": "clerk", "amount": "1"}] * 2}
    assert_problem(await send("PUT", LIMITS, twice), ValidationFailed)


async def test_limits_of_one_tenant_are_its_own(send, set_limits):
    await set_limits(clerk="50")

    assert (await send("GET", LIMITS, None, Caller())).json()["limits"] == []


async def test_an_item_without_a_cost_passes_unless_administrators_say_otherwise(
    make_item, move, write_off, set_limits, ask
):
    await make_item("N1")
    await move("receipt", 500, item="N1")

    assert (await write_off(100, item="N1")).status_code == 201
    await set_limits(unknown="10")
    assert (await write_off(10, location="Main", item="A1")).status_code == 201
    asked = await ask(1, item="N1")
    assert (asked["cause"], asked["value"]) == ("unknown_cost", None)


async def test_an_item_whose_receipts_alone_have_a_cost_is_worth_what_the_latest_says(
    make_item, move, send, ask, write_off
):
    await make_item("R1")
    for cost in ("1", "20"):
        await move("receipt", 100, item="R1", unit_cost=cost)

    assert (await write_off(50, item="R1")).status_code == 201
    asked = await ask(51, item="R1")

    assert (await send("GET", f"{PATH}/{asked['id']}")).json()["value"] == "1020"


async def test_a_cost_that_cannot_be_read_needs_approval(write_off, other, caller):
    await other.execute(
        "UPDATE inventory.prices SET amount = 'x' WHERE tenant_id = $1", caller.tenant_id
    )

    asked = await write_off(1)

    assert asked.status_code == 202
    assert asked.json()["cause"] == "unknown_cost"


async def test_who_may_not_see_costs_learns_no_value_anywhere(
    send, make_item, move, ask, clerk, boss
):
    await make_item("C1", unit_cost="7.31")
    await move("receipt", 900, item="C1")
    asked = await ask(137, item="C1")
    seen = (await send("GET", f"{PATH}/{asked['id']}", None, boss)).json()
    assert seen["value"] == "1001.47"

    for path in (PATH, f"{PATH}/{asked['id']}", f"{PATH}?state=open"):
        answer = await send("GET", path, None, clerk)
        assert answer.status_code == 200
        assert "1001.47" not in answer.text
        assert "7.31" not in answer.text


async def test_nothing_of_a_value_is_readable_in_tables_or_journal(
    send, make_item, move, ask, approve, other, caller
):
    await make_item("C1", unit_cost="7391.4273")
    await move("receipt", 900, item="C1")
    asked = await ask(137, item="C1")
    await approve(asked)
    value = Decimal("7391.4273") * 137

    seen = (await send("GET", f"{PATH}/{asked['id']}")).json()["value"]
    assert Decimal(seen) == value
    tables = ("approvals", "approval_lines", "approval_limit_uses", "approval_limits", "journal",
              "movements", "idempotency_keys")  # fmt: skip
    for table in tables:
        rows = await other.fetch(
            f"SELECT t::text FROM inventory.{table} t WHERE tenant_id = $1",  # noqa: S608 - its own names.
            caller.tenant_id,
        )
        text = " ".join(row[0] for row in rows)
        for secret in ("7391.4273", str(value), str(value).encode().hex()):
            assert secret not in text, (table, secret)
    [row] = await other.fetch("SELECT value FROM inventory.approvals WHERE id = $1", asked["id"])
    assert str(value).encode() not in row["value"]


async def test_a_value_moved_to_another_approval_does_not_open_there(send, ask, other):
    first, second = await ask(150), await ask(160)
    await other.execute(
        "UPDATE inventory.approvals SET value = (SELECT value FROM inventory.approvals WHERE id ="
        " $1) WHERE id = $2", first["id"], second["id"]
    )  # fmt: skip

    shown = (await send("GET", f"{PATH}/{second['id']}")).json()

    assert (shown["value"], shown["unreadable"]) == (None, ["value"])


@pytest.mark.parametrize(
    "altered",
    [
        "approvals SET content = jsonb_set(content, '{changes,0,quantity}', '\"-900\"') WHERE id",
        "approvals SET content = jsonb_set(content, '{changes,0,reason}', '\"Fire\"') WHERE id",
        "approval_lines SET quantity = -900 WHERE approval_id",
    ],
)
async def test_what_was_altered_behind_our_back_is_not_done(send, ask, approve, other, altered):
    asked = await ask(150)
    await other.execute(f"UPDATE inventory.{altered} = $1", asked["id"])

    assert_problem(await approve(asked), ApprovalStale, cause="content")
    assert (await send("GET", "/api/inventory/lookup/A1")).json()["on_hand"] == "2000"


async def test_the_service_cannot_change_what_was_asked_nor_let_who_asked_approve(
    client, ask, other, clerk
):
    asked = await ask(150)

    rights = await other.fetch(
        "SELECT column_name FROM information_schema.column_privileges WHERE grantee ="
        " 'inventory_app' AND table_name = 'approvals' AND privilege_type = 'UPDATE'"
    )
    assert {row[0] for row in rights} == {
        "state", "decider_id", "decided_by", "decided_at", "note", "movements", "version",
        "stale_cause",
    }  # fmt: skip
    with pytest.raises(Exception, match="approvals_four_eyes"):
        await other.execute(
            "UPDATE inventory.approvals SET state = 'approved', decided_at = now(),"
            " decided_by = 'x', decider_id = requester_id WHERE id = $1", asked["id"]
        )  # fmt: skip
