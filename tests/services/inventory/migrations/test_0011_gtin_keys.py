from uuid import UUID

import pytest

from tests.services.inventory.migrations.before import migrated_to

pytestmark = pytest.mark.stack

TENANT, STRANGER = UUID(int=1), UUID(int=2)
UPC, EAN, GTIN = "614141999996", "0614141999996", "00614141999996"


@pytest.fixture
async def before(tmp_path):
    async with migrated_to("0010", tmp_path) as opened:
        yield opened


async def add_item(connection, number, code, barcodes=(), tenant=TENANT):
    item_id = UUID(int=number)
    await connection.execute(
        "INSERT INTO inventory.items (id, tenant_id, code, name_en, unit, search_text, created_at,"
        " updated_at) VALUES ($1, $2, $3, 'N', 'each', '', now() + $4 * interval '1 s', now())",
        *(item_id, tenant, code, number),
    )
    rows = [(tenant, code, item_id, True, None)]
    rows += [(tenant, barcode, item_id, False, barcode) for barcode in barcodes]
    await connection.executemany(
        "INSERT INTO inventory.identifiers (tenant_id, key, item_id, is_code, barcode)"
        " VALUES ($1, $2, $3, $4, $5)",
        rows,
    )


async def test_a_number_has_one_key_in_all_its_forms_and_names_one_item(before):
    connection, finish = before
    await add_item(connection, 10, UPC, [EAN])
    await add_item(connection, 11, "b", [GTIN, "8076800195057", "08076800195057", "12345678"])
    await add_item(connection, 12, EAN, tenant=STRANGER)

    await finish()

    rows = await connection.fetch(
        "SELECT i.code, n.key, n.is_code, n.barcode FROM inventory.identifiers n"
        " JOIN inventory.items i ON i.id = n.item_id ORDER BY i.id, n.key"
    )
    assert [tuple(row) for row in rows] == [
        (UPC, GTIN, True, EAN),
        ("b", f"{GTIN}\x1f{GTIN}\x1f{UUID(int=11)}", False, GTIN),
        ("b", "08076800195057", False, "08076800195057"),
        ("b", "12345678", False, "12345678"),
        ("b", "b", True, None),
        (EAN, GTIN, True, None),
    ]
