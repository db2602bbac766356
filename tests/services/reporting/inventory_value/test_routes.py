from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from services.reporting.inventory_value.errors import ValuesForbidden
from shared.errors import MissingScope, ValidationFailed
from shared.pagination import InvalidCursor
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

URL = "/api/reports/inventory-value"
MOVE = "/api/inventory/movements"


@pytest.fixture
async def shop(post):
    """Two places; A1 costs 2 a unit and B1 has no cost."""
    await post("/api/locations", name="Main", type="warehouse")
    await post("/api/locations", name="Shop", type="warehouse")
    name = {"en": "Pasta", "fr": "Pâtes"}
    await post("/api/inventory/add-item", code="A1", name=name, category="Dry", unit_cost="2")
    await post("/api/inventory/add-item", code="B1", name="Vase")


@pytest.fixture
def move(post):
    async def send(kind, quantity, item="A1", location="Main", **more):
        return await post(MOVE, kind=kind, item=item, location=location, quantity=quantity, **more)

    return send


async def test_value_follows_receipts_at_their_cost_and_issues_at_the_average(
    shop, move, follow, get
):
    await move("receipt", "10")
    await move("receipt", "10", unit_cost="4")
    await move("issue", "5")
    await move("transfer", "3", to_location="Shop")
    await follow()

    report = await get(URL)

    assert (report["total"], report["currency"], report["method"]) == ("45", "USD", "wac")
    assert report["next_cursor"] is None
    assert report["items"] == [
        {
            "key": "A1",
            "name": "Pasta",
            "items": 1,
            "quantity": "15",
            "unit": "each",
            "unit_cost": "3",
            "value": "45",
            "unreadable_items": 0,
        }
    ]


async def test_a_reversal_takes_back_what_the_movement_was_worth(shop, move, follow, get, post):
    await move("receipt", "10")
    dear = await move("receipt", "10", unit_cost="8")
    issued = await move("issue", "4")
    moved = await move("transfer", "3", to_location="Shop")
    for each in (issued, moved):
        await post(f"{MOVE}/{each['id']}/reverse", reason="Typed wrongly.")
    await follow()
    whole = await get(URL)
    await post(f"{MOVE}/{dear['id']}/reverse", reason="Typed wrongly.")
    await follow()

    assert (whole["total"], whole["items"][0]["quantity"]) == ("100", "20")
    report = await get(URL)
    assert (report["total"], report["items"][0]["unit_cost"]) == ("20", "2")


async def test_what_is_taken_from_several_lots_is_worth_what_it_is_from_one(
    shop, move, follow, get, post
):
    await post("/api/inventory/add-item", code="T1", name="T1", tracking="lot", unit_cost="2")
    await move("receipt", "10", item="T1", lot="L1", expires_on="2098-01-01")
    await move("receipt", "10", item="T1", lot="L2", expires_on="2099-01-01", unit_cost="4")
    await move("transfer", "12", item="T1", to_location="Shop")
    await move("issue", "11", item="T1", location="Shop")
    await follow()

    [row] = (await get(URL))["items"]

    assert (row["key"], row["quantity"], row["unit_cost"], row["value"]) == ("T1", "9", "3", "27")
    places = (await get(URL, by="location"))["items"]
    assert [(place["key"], place["quantity"]) for place in places] == [("Main", "8"), ("Shop", "1")]


async def test_every_grouping_adds_up_to_the_same_total(shop, move, follow, get):
    await move("receipt", "1", unit_cost="10")
    await move("receipt", "2", location="Shop", unit_cost="0.01")
    await move("receipt", "7", item="B1", unit_cost="0.333333")
    await follow()

    reports = {by: await get(URL, by=by) for by in ("item", "category", "location")}

    assert {report["total"] for report in reports.values()} == {"12.35"}
    for report in reports.values():
        assert sum(Decimal(row["value"]) for row in report["items"]) == Decimal("12.35")
    assert [(row["key"], row["value"]) for row in reports["category"]["items"]] == [
        ("", "2.33"),
        ("Dry", "10.02"),
    ]
    assert [(row["key"], row["items"]) for row in reports["location"]["items"]] == [
        ("Main", 2),
        ("Shop", 1),
    ]


async def test_a_long_mixed_sequence_is_worth_what_fractions_say(shop, move, follow, get):
    random = Random(7)  # noqa: S311 - the same numbers each time.
    held, value = Fraction(0), Fraction(0)
    for _ in range(60):
        quantity = random.randint(1, 90) * Fraction(1, 10)
        asked = str(float(quantity))
        if random.random() < 0.5 or held < quantity:
            cost = Fraction(random.randint(1, 9999), 1000)
            await move("receipt", asked, unit_cost=str(float(cost)))
            held, value = held + quantity, value + quantity * cost
        elif random.random() < 0.5:
            await move("adjustment", asked, direction="in", reason="found")
            held, value = held + quantity, value + value * quantity / held
        else:
            await move("issue", asked)
            held, value = held - quantity, value - value * quantity / held
        if random.random() < 0.3:
            await follow()
    await follow()

    report = await get(URL)

    assert Fraction(Decimal(report["items"][0]["quantity"])) == held
    assert abs(Fraction(Decimal(report["total"])) - value) <= Fraction(1, 200) + Fraction(1, 10**6)


async def test_what_goes_out_is_valued_at_the_average_and_by_no_cost_of_its_own(
    shop, move, spoil, follow, get
):
    await move("receipt", "10", unit_cost="4")
    await move("issue", "4", reference="issue")
    await spoil("issue", cost_id=None)
    await follow()

    report = await get(URL)

    assert (report["total"], report["items"][0]["unit_cost"]) == ("24", "4")


async def test_a_movement_that_is_dated_back_counts_when_it_is_recorded(shop, move, follow, get):
    """Value is of now, in the order of the journal; the dashboard counts the business day."""
    two_days_ago = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    await move("receipt", "10", unit_cost="2")
    await move("issue", "5")
    await move("receipt", "5", unit_cost="8", occurred_at=two_days_ago)
    await follow()

    report = await get(URL)

    assert (report["total"], report["items"][0]["unit_cost"]) == ("50", "5")


async def test_emptied_stock_is_worth_nothing(shop, move, follow, get):
    await move("receipt", "3", unit_cost="0.333333")
    await move("issue", "3")
    await follow()

    report = await get(URL)

    assert (report["total"], report["items"]) == ("0", [])


async def test_stock_without_a_cost_is_named_and_valued_once_it_has_one(
    shop, inventory, caller, move, follow, get
):
    await move("receipt", "4", item="B1")
    await follow()
    before = await get(URL)
    items = await inventory.get("/api/inventory", headers=caller.headers())
    vase = next(item for item in items.json()["items"] if item["code"] == "B1")
    changed = await inventory.patch(
        f"/api/inventory/{vase['id']}", json={"unit_cost": "2.5"}, headers=caller.headers()
    )
    await follow()
    after = await get(URL)

    assert changed.status_code == 200
    assert (before["total"], before["unvalued_items"]) == ("0", 1)
    assert before["items"][0]["unit_cost"] is None
    assert (after["total"], after["unvalued_items"]) == ("10", 0)


@pytest.fixture
def break_seal(superuser, caller):
    """Alter what is stored of an item's value."""

    async def alter(code):
        changed = await superuser.execute(
            "UPDATE reporting.item_values v SET amount = overlay(v.amount PLACING "
            "'\\xffffffff'::bytea FROM length(v.amount) - 3) FROM reporting.items i "
            "WHERE i.tenant_id = $1 AND i.id = v.item_id AND i.code = $2",
            caller.tenant_id,
            code,
        )
        assert changed == "UPDATE 1"

    return alter


async def test_a_broken_seal_hides_the_value_of_one_item_and_nothing_else(
    shop, move, follow, get, break_seal
):
    await move("receipt", "3")
    await move("receipt", "1", item="B1", unit_cost="5")
    await follow()
    await break_seal("A1")

    reports = {by: await get(URL, by=by) for by in ("item", "category", "location")}

    for report in reports.values():
        assert (report["total"], report["unvalued_items"], report["unreadable_items"]) == (
            "5", 0, 1
        )  # fmt: skip
    assert [
        (row["key"], row["quantity"], row["unit_cost"], row["value"], row.get("unreadable"))
        for row in reports["item"]["items"]
    ] == [
        ("A1", "3", None, None, ["unit_cost", "value"]),
        ("B1", "1", "5", "5", None),
    ]
    assert [
        (row["key"], row["items"], row["value"], row["unreadable_items"])
        for by in ("category", "location")
        for row in reports[by]["items"]
    ] == [("", 1, "5", 0), ("Dry", 1, "0", 1), ("Main", 2, "5", 1)]


async def test_what_comes_after_a_broken_seal_is_set_aside_and_others_are_valued(
    shop, move, follow, get, break_seal, aside
):
    await move("receipt", "3")
    await follow()
    await break_seal("A1")
    await move("receipt", "2", reference="later")
    await move("receipt", "1", item="B1", unit_cost="5")
    await follow()

    report = await get(URL)

    assert [reference for reference, *_ in await aside()] == ["later"]
    assert report["incomplete"]
    assert [(row["key"], row["value"]) for row in report["items"]] == [("A1", None), ("B1", "5")]


async def test_pages_hold_every_row_once(shop, post, move, follow, get):
    for number in range(5):
        await post("/api/inventory/add-item", code=f"C{number}", name="Thing", unit_cost="1")
        await move("receipt", "1", item=f"C{number}")
    await follow()

    keys, cursor = [], None
    while cursor is not None or not keys:
        page = await get(URL, limit=2, **({"cursor": cursor} if cursor else {}))
        keys += [row["key"] for row in page["items"]]
        cursor = page["next_cursor"]

    assert keys == ["C0", "C1", "C2", "C3", "C4"]


async def test_names_come_in_the_language_asked_for(shop, move, follow, get):
    await move("receipt", "1")
    await move("receipt", "1", item="B1", unit_cost="1")
    await follow()

    by_item = await get(URL, lang="fr")
    by_category = await get(URL, by="category", lang="fr")

    assert by_item["items"][0]["name"] == "Pâtes"
    assert by_category["items"][0]["name"] == "Sans catégorie"


@pytest.mark.parametrize(
    "asked",
    [
        {"method": "fifo"},
        {"as_of": "2026-01-01T00:00:00Z"},
        {"format": "pdf"},
        {"by": "supplier"},
        {"limit": 0},
    ],
)
async def test_what_is_not_offered_is_refused(client, caller, asked):
    response = await client.get(URL, params=asked, headers=caller.headers())

    assert_problem(response, ValidationFailed)


async def test_a_cursor_of_another_grouping_is_refused(shop, move, follow, get, client, caller):
    await move("receipt", "1")
    await move("receipt", "1", item="B1")
    await follow()
    cursor = (await get(URL, limit=1))["next_cursor"]

    response = await client.get(
        URL, params={"by": "location", "cursor": cursor}, headers=caller.headers()
    )

    assert_problem(response, InvalidCursor)


@pytest.mark.parametrize(
    ("scopes", "problem"),
    [({"report:read"}, ValuesForbidden), ({"price:write"}, MissingScope), (set(), MissingScope)],
)
async def test_values_need_their_scope(client, caller, scopes, problem):
    curious = Caller(tenant_id=caller.tenant_id, scopes=scopes)

    response = await client.get(URL, headers=curious.headers())

    assert_problem(response, problem)


async def test_another_tenant_sees_nothing(shop, move, follow, get):
    await move("receipt", "5")
    await follow()

    report = await get(URL, reader=Caller())

    assert (report["total"], report["items"]) == ("0", [])


async def test_no_cost_or_value_is_readable_in_the_database(shop, move, follow, superuser):
    await move("receipt", "7", unit_cost="12345.67")
    await follow()

    for table in ("audit_entries", "unit_costs", "item_values"):
        dump = await superuser.fetchval(
            f"SELECT string_agg(t::text || encode(convert_to(t::text, 'UTF8'), 'hex'), '') "  # noqa: S608 - constants.
            f"FROM reporting.{table} t"
        )
        for secret in ("12345.67", "86419.69"):
            assert secret not in dump
            assert secret.encode().hex() not in dump
