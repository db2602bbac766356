from uuid import UUID

import pytest

from tests.services.inventory.migrations.before import migrated_to

pytestmark = pytest.mark.stack

TENANT, STRANGER = UUID(int=1), UUID(int=2)
AN_ID = "0190b6f0-5a3c-7000-8000-2f1c4d5e6f70"


@pytest.fixture
async def before(tmp_path):
    async with migrated_to("0005", tmp_path) as opened:
        yield opened


async def add_item(connection, number, category, *, name="N", tenant=TENANT):
    await connection.execute(
        "INSERT INTO inventory.items (id, tenant_id, code, name_en, category, unit, search_text,"
        " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 'each', 'old', now(), now())",
        *(UUID(int=number), tenant, f"I{number}", name, category),
    )


async def test_texts_become_categories_at_the_top_one_for_each_key(before):
    connection, finish = before
    await add_item(connection, 10, "Food")
    await add_item(connection, 11, "food")
    await add_item(connection, 12, "Food")
    await add_item(connection, 13, AN_ID)
    await add_item(connection, 14, None)
    await add_item(connection, 15, "FOOD", tenant=STRANGER)

    await finish()

    rows = await connection.fetch(
        "SELECT i.code, c.name_en, c.name_fr, c.key_en, c.parent_id, c.tenant_id = i.tenant_id"
        " FROM inventory.items i LEFT JOIN inventory.categories c ON c.id = i.category_id"
        " ORDER BY i.code"
    )
    assert [tuple(row) for row in rows] == [
        ("I10", "Food", "Food", "food", None, True),
        ("I11", "Food", "Food", "food", None, True),
        ("I12", "Food", "Food", "food", None, True),
        ("I13", AN_ID, AN_ID, f"{AN_ID}\x1f", None, True),
        ("I14", None, None, None, None, None),
        ("I15", "FOOD", "FOOD", "food", None, True),
    ]
    assert await connection.fetchval("SELECT count(*) FROM inventory.categories") == 3


async def test_searches_are_written_anew(before):
    connection, finish = before
    await add_item(connection, 10, "Œufs", name="Cœurs")
    await add_item(connection, 11, None)
    await connection.execute(
        "INSERT INTO inventory.identifiers VALUES ($1, 'ab', $2, false, 'Ab')", TENANT, UUID(int=10)
    )

    await finish()

    texts = await connection.fetch("SELECT search_text FROM inventory.items ORDER BY code")
    assert [row[0] for row in texts] == [
        "i10\x1fcoeurs\x1f\x1foeufs oeufs\x1f",
        "i11\x1fn\x1f\x1f\x1f",
    ]
