from uuid import UUID

import pytest
from structlog.testing import capture_logs

from tests.services.inventory.migrations.before import migrated_to

pytestmark = pytest.mark.stack

TENANT, STRANGER = UUID(int=1), UUID(int=2)
AN_ID = "0190b6f0-5a3c-7000-8000-2f1c4d5e6f70"


@pytest.fixture
async def before(tmp_path):
    async with migrated_to("0003", tmp_path) as opened:
        yield opened


async def add_item(connection, number, code, *barcodes, tenant=TENANT, name_fr="N", description=""):
    item_id = UUID(int=number)
    await connection.execute(
        "INSERT INTO inventory.items (id, tenant_id, code, name_en, name_fr, description_en,"
        " description_fr, unit, search_text, created_at, updated_at) VALUES"
        " ($1, $2, $3, 'N', $4, $5, '', 'each', '', now(), now())",
        *(item_id, tenant, code, name_fr, description),
    )
    for barcode in barcodes:
        await connection.execute(
            "INSERT INTO inventory.barcodes (tenant_id, barcode, item_id) VALUES ($1, $2, $3)",
            *(tenant, barcode, item_id),
        )


async def add_location(connection, number, name):
    await connection.execute(
        "INSERT INTO inventory.locations (id, tenant_id, name, type, created_at, updated_at)"
        " VALUES ($1, $2, $3, 'warehouse', now(), now())",
        *(UUID(int=number), TENANT, name),
    )


async def test_codes_barcodes_and_names_get_their_keys_and_nothing_is_lost(before):
    connection, finish = before
    await add_item(connection, 10, "Abc", "111", "ABC")
    await add_item(connection, 11, "abc", "112", "\uff11\uff11\uff11")
    await add_item(connection, 12, AN_ID)
    await add_item(connection, 13, "Abc", tenant=STRANGER, description="Long")
    await add_location(connection, 20, "Main")
    await add_location(connection, 21, "MAIN")
    await add_location(connection, 22, AN_ID.upper())

    with capture_logs() as told:
        await finish()

    rows = await connection.fetch(
        "SELECT item_id, key, is_code, barcode FROM inventory.identifiers"
        " WHERE tenant_id = $1 ORDER BY item_id, key",
        TENANT,
    )
    ten, eleven, twelve = (UUID(int=n) for n in (10, 11, 12))
    assert [tuple(row) for row in rows] == [
        (ten, "111", False, "111"),
        (ten, "abc", True, "ABC"),
        (eleven, "111\x1f\uff11\uff11\uff11\x1f" + str(eleven), False, "\uff11\uff11\uff11"),
        (eleven, "112", False, "112"),
        (eleven, f"abc\x1f{eleven}", True, None),
        (twelve, f"{AN_ID}\x1f", True, None),
    ]
    keys = await connection.fetch("SELECT name, name_key FROM inventory.locations ORDER BY id")
    assert [tuple(row) for row in keys] == [
        ("Main", "main"),
        ("MAIN", f"main\x1f{UUID(int=21)}"),
        (AN_ID.upper(), f"{AN_ID}\x1f"),
    ]
    assert [(line["kind"], line["name"]) for line in told] == [
        ("code", "abc"),
        ("barcode", "\uff11\uff11\uff11"),
        ("location", "MAIN"),
    ]


async def test_what_was_never_described_is_unsaid_and_what_was_said_stays(before):
    connection, finish = before
    await add_item(connection, 10, "A")
    await add_item(connection, 11, "B", name_fr="Nom", description="Long")

    await finish()

    rows = await connection.fetch(
        "SELECT name_en, name_fr, description_en, description_fr FROM inventory.items ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [("N", "N", None, None), ("N", "Nom", "Long", "")]
