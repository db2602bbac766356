"""Whatever a service takes in, those that follow it can hold."""

from decimal import Decimal

import httpx
import pytest

from services.forecasting import followers as of_forecasting
from services.forecasting import resources as forecasting
from services.forecasting.settings import Settings as ForecastingSettings
from services.inventory.app import create_app
from services.reporting import followers as of_reporting
from services.reporting import resources as reporting
from services.reporting.settings import Settings as ReportingSettings
from shared.errors import ValidationFailed
from shared.identifiers import CODE_LENGTH_MAX, NAME_LENGTH_MAX
from shared.journal.follow import apply_page
from tests.support.inventory import make_inventory_settings
from tests.support.services import Caller, assert_problem, running, service_headers

pytestmark = pytest.mark.stack

FOLLOWERS = ("forecasting", "reporting")
# Columns that add up what one column of inventory tells a row at a time: each may sum a million.
SUMMED = {
    "forecasting.consumption": ("issued", "received", "transferred", "adjusted", "counted"),
    "forecasting.levels": ("on_hand", "reserved"),
    "reporting.item_values": ("held", "owed"),
    "reporting.levels": ("on_hand",),
}
SUMMED_DIGITS = 6
# What a read model refuses: each can only be broken by our own code, or lies beyond what is taken.
REFUSED = {
    "consumption_day": "1970 to 2999; the earliest day taken is followed below",
    "item_values_check": "of what is held and owed, as rules reckon it",
    "item_values_held_check": "of what is held, as rules reckon it",
    "movement_days_movements_check": "a count of ours",
    "tenants_currency_check": "three letters, as in auth",
}
COLUMNS = """
    SELECT table_name, column_name, data_type, character_maximum_length AS length,
           numeric_precision - numeric_scale AS whole, numeric_scale AS places
    FROM information_schema.columns WHERE table_schema = $1"""
WHOLE_NUMBERS = ["smallint", "integer", "bigint"]

WIDE = "\N{MUSICAL SYMBOL G CLEF}"  # One character, four bytes.
QUANTITY_MAX, AMOUNT_MAX = "99999999999999.9999", "999999999999.999999"
ITEM = {
    "code": WIDE * CODE_LENGTH_MAX,
    "name": {"en": WIDE * 200, "fr": WIDE * 200},
    "category": WIDE * 200,
    "unit": WIDE * 32,
    "pack_size": QUANTITY_MAX,
    "pack_unit": WIDE * 32,
    "par_level": QUANTITY_MAX,
    "reorder_point": QUANTITY_MAX,
    "reorder_quantity": QUANTITY_MAX,
    "lead_time_days": 730,
    "unit_cost": AMOUNT_MAX,
    "price": AMOUNT_MAX,
}
MOVEMENT = {
    "quantity": QUANTITY_MAX,
    "reason": WIDE * 2000,
    "reference": WIDE * 200,
    "unit_cost": AMOUNT_MAX,
    "occurred_at": "1970-01-01T00:00:00Z",
}
BEYOND = {
    "code": WIDE * (CODE_LENGTH_MAX + 1),
    "name": {"en": WIDE * 201, "fr": "x"},
    "category": WIDE * 201,
    "unit": WIDE * 33,
    "pack_unit": WIDE * 33,
    "lead_time_days": 731,
    "reason": WIDE * 2001,
    "reference": WIDE * 201,
    "occurred_at": "1969-12-31T23:59:59Z",
} | {
    name: f"1{value}"
    for name, value in (ITEM | MOVEMENT).items()
    if value in (QUANTITY_MAX, AMOUNT_MAX)
}


@pytest.fixture
async def columns(superuser):
    """Each service's columns, by `table.column`."""
    found = {}
    for service in ("inventory", *FOLLOWERS):
        rows = await superuser.fetch(COLUMNS, service)
        found[service] = {f"{row['table_name']}.{row['column_name']}": row for row in rows}
    return found


def is_as_wide(theirs, ours, more=0):
    """Say whether one column holds all that another does, in so many digits more."""
    if theirs["data_type"] in WHOLE_NUMBERS:
        width = WHOLE_NUMBERS.index
        return width(ours["data_type"]) >= width(theirs["data_type"])
    if theirs["data_type"] == "numeric":
        return ours["whole"] >= theirs["whole"] + more and ours["places"] >= theirs["places"]
    if theirs["data_type"] == "text":
        return ours["data_type"] == "text"
    return ours["data_type"] == theirs["data_type"]


@pytest.mark.parametrize("follower", FOLLOWERS)
async def test_a_column_that_is_followed_is_as_wide_as_the_one_it_follows(columns, follower):
    of = ("items.", "locations.")
    followed = {
        name
        for name in columns[follower].keys() & columns["inventory"].keys()
        if name.startswith(of)
    }

    assert len(followed) > 8
    assert [
        name
        for name in sorted(followed)
        if not is_as_wide(columns["inventory"][name], columns[follower][name])
    ] == []


async def test_a_sum_has_digits_for_a_million_of_what_it_sums(columns):
    quantity = columns["inventory"]["movements.quantity"]

    assert [
        f"{table}.{name}"
        for table, names in SUMMED.items()
        for name in names
        for follower, _, bare in [table.partition(".")]
        if not is_as_wide(quantity, columns[follower][f"{bare}.{name}"], SUMMED_DIGITS)
    ] == []


async def test_read_models_refuse_nothing_that_a_producer_takes(superuser):
    found = await superuser.fetch(
        """
        SELECT c.conname FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
        WHERE c.contype IN ('c', 'f', 'u') AND (c.connamespace, r.relname) IN (
            SELECT n.oid, t.name FROM pg_namespace n, unnest($1::text[]) AS t (name)
            WHERE n.nspname = ANY($2))""",
        ["items", "locations", "levels", "consumption", "unit_costs", "item_values",
         "movement_days", "tenants", "audit_entries"],
        list(FOLLOWERS),
    )  # fmt: skip

    assert {row["conname"] for row in found} == set(REFUSED)


@pytest.fixture(scope="module")
async def inventory(databases, service_environment):
    async with running(create_app(make_inventory_settings(databases, service_environment))) as app:
        yield app


@pytest.fixture
def caller():
    return Caller()


@pytest.fixture
def send(inventory, caller):
    async def post(path, **body):
        headers = caller.headers(**{"X-Request-ID": "r" * 64})
        return await inventory.post(path, json=body, headers=headers)

    return post


class Feed:
    """Stands for the network between followers and inventory."""

    def __init__(self, inventory: httpx.AsyncClient) -> None:
        self.inventory = inventory

    async def get_json(self, _service, path, params):
        response = await self.inventory.get(path, params=params, headers=service_headers())
        return response.json()


@pytest.fixture
async def follow(databases, service_environment, inventory):
    """Apply inventory's journal to its end in both services that follow it."""
    opened = [
        (of_reporting, reporting.open_service(ReportingSettings(
            **service_environment, database_url=databases.dsn("reporting_app"),
            price_encryption_key="33" * 32, reporting_client_secret="reporting-client-secret"))),
        (of_forecasting, forecasting.open_service(ForecastingSettings(
            **service_environment, database_url=databases.dsn("forecasting_app"),
            inventory_encryption_key="77" * 32,
            forecasting_client_secret="forecasting-client-secret"))),
    ]  # fmt: skip

    async def until_current():
        for service, resources in opened:
            [follower] = [f for f in service.followers(resources.own) if f.producer == "inventory"]
            while await apply_page(follower, resources.database, Feed(inventory)):
                pass

    yield until_current
    for _, resources in opened:
        await resources.close()


async def test_the_largest_that_inventory_takes_is_followed(send, follow, superuser, caller):
    """Each way a sum may go: the most there can be, in two places, out and in again."""
    for place in (WIDE * NAME_LENGTH_MAX, "Second"):
        added = await send("/api/locations", name=place, type="warehouse", capacity=QUANTITY_MAX)
        assert added.status_code == 201, added.text
    item = await send("/api/inventory/add-item", **ITEM)
    assert item.status_code == 201, item.text
    out = {"quantity": QUANTITY_MAX, "occurred_at": MOVEMENT["occurred_at"]}
    for kind, place, body in (
        ("receipt", WIDE * NAME_LENGTH_MAX, MOVEMENT), ("receipt", "Second", MOVEMENT),
        ("issue", "Second", out), ("receipt", "Second", MOVEMENT),
    ):  # fmt: skip
        moved = await send(
            "/api/inventory/movements", kind=kind, item=ITEM["code"], location=place, **body
        )
        assert moved.status_code == 201, moved.text

    await follow()

    for follower in FOLLOWERS:
        aside = await superuser.fetch(
            f"SELECT type, error, reason FROM {follower}.entries_set_aside WHERE tenant_id = $1",  # noqa: S608 - constants.
            caller.tenant_id,
        )
        assert [tuple(row) for row in aside] == []
        levels = await superuser.fetch(
            f"SELECT on_hand FROM {follower}.levels WHERE tenant_id = $1",  # noqa: S608 - same.
            caller.tenant_id,
        )
        assert [row["on_hand"] for row in levels] == [Decimal(QUANTITY_MAX)] * 2
    held = await superuser.fetchval(
        "SELECT held FROM reporting.item_values WHERE tenant_id = $1", caller.tenant_id
    )
    assert held == 2 * Decimal(QUANTITY_MAX)


@pytest.mark.parametrize("name", [name for name in BEYOND if name in ITEM])
async def test_nothing_larger_of_an_item_is_taken(send, name):
    assert_problem(
        await send("/api/inventory/add-item", **ITEM | {name: BEYOND[name]}), ValidationFailed
    )


@pytest.mark.parametrize("name", [name for name in BEYOND if name in MOVEMENT])
async def test_nothing_larger_of_a_movement_is_taken(send, name):
    body = MOVEMENT | {name: BEYOND[name]}
    response = await send(
        "/api/inventory/movements", kind="receipt", item="A1", location="Main", **body
    )

    assert_problem(response, ValidationFailed)


def test_every_bound_is_tried_from_both_sides():
    assert set(BEYOND) == set(ITEM) | set(MOVEMENT)
