import json
from decimal import Decimal
from uuid import UUID

import pytest

from tests.services.inventory.migrations.before import migrated_to

pytestmark = pytest.mark.stack

TENANT = UUID(int=1)


@pytest.fixture
async def before(tmp_path):
    async with migrated_to("0009", tmp_path) as opened:
        yield opened


async def add_item(connection, number, pack_unit, pack_size):
    await connection.execute(
        "INSERT INTO inventory.items (id, tenant_id, code, name_en, unit, pack_unit, pack_size,"
        " search_text, created_at, updated_at)"
        " VALUES ($1, $2, $3, 'N', 'Each', $4, $5, '', now(), now())",
        *(UUID(int=number), TENANT, f"I{number}", pack_unit, Decimal(pack_size)),
    )


async def test_the_pack_that_an_item_is_ordered_in_is_the_first_of_its_packs(before):
    connection, finish = before
    await add_item(connection, 10, "Case", "12.5000")
    await add_item(connection, 11, "each", "6")
    await add_item(connection, 12, None, "6")

    await finish()

    rows = await connection.fetch(
        "SELECT packs, pack_unit, pack_size FROM inventory.items ORDER BY code"
    )
    case = {"unit": "Case", "key": "case", "quantity": "12.5"}
    assert [(json.loads(row["packs"]), row["pack_unit"], row["pack_size"]) for row in rows] == [
        ([case], "Case", Decimal("12.5")), ([], "each", 6), ([], None, 6),
    ]  # fmt: skip
