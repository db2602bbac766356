"""What finding costs among 100,000 items: searches of many kinds, and lists of what is low.

One run starts the system as `make up` does in a folder of its own, fills a tenant with items of
invented but likely names in both languages and a million issues, and asks through the gateway, one
request at a time.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx

from services.inventory.items.rules import search_text
from shared.gtin import check_digit
from shared.i18n.folding import folded
from tests.support.stack import Stack, running_stack

ITEMS, PLACES, ROUNDS = 100_000, 5, 8
MOVEMENTS, DAYS = 1_000_000, 56  # Issues, of some items far more than of most.
_KINDS = [
    ("Fresh", "Frais"), ("Dried", "Séché"), ("Smoked", "Fumé"), ("Sweet", "Sucré"),
    ("Red", "Rouge"), ("Black", "Noir"), ("Large", "Grand"), ("Galvanised", "Galvanisé"),
    ("Organic", "Biologique"), ("Stainless", "Inoxydable"),
]  # fmt: skip
_THINGS = [
    ("Spaghetti", "Spaghettis"), ("Eggs", "Œufs"), ("Cheese", "Fromage"), ("Bolt", "Boulon"),
    ("Screw", "Vis"), ("Washer", "Rondelle"), ("Cable", "Câble"), ("Pipe", "Tuyau"),
    ("Coffee", "Café"), ("Rice", "Riz"), ("Salmon", "Saumon"), ("Lamp", "Lampe"),
    ("Drill", "Perceuse"), ("Filter", "Filtre"), ("Pump", "Pompe"), ("Valve", "Vanne"),
]  # fmt: skip
_SIZES = ["250 g", "500 g", "1 kg", "M8 x 40", "M10 x 60", "2 m", "10 mm", "230 V", "5 L"]
_QUERIES = {
    "a code, a barcode": ["SPA-000016", "spa-0000", "3000000000007", "30000000001"],
    "a word": ["spaghetti", "spag", "oeufs", "café", "230", "M8", "x"],
    "several words": ["organic spaghetti 500 g", "œufs frais", "boulon m8", "salmon smoked"],
    "mistyped": ["spagetti", "galvanized wahser", "cofee", "perceuse biologque"],
    "in nothing": ["zzzqqq", "SPA-999999", "galvanised washer m99"],
}
_LOW = {
    "low, in all": {},
    "low, 200 of them": {"limit": "200"},
    "low, none of them": {"below": "par_level"},
    "low, at a location": {"location": "Place 0"},
}


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder) / "stack") as stack:
        asyncio.run(_measure(stack))


async def _measure(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.url, timeout=120) as client:
        headers = await stack.new_tenant(client)
        me = (await client.get("/api/auth/me", headers=headers)).json()
        await _fill(stack.superuser_dsn, UUID(me["tenant"]["id"]))
        print(f"\nFinding among {ITEMS} items, one request at a time, through the gateway")
        print(f"{'':24}{'p50 ms':>8}{'p95 ms':>8}{'most':>8}")
        every: list[float] = []
        for name, queries in _QUERIES.items():
            times = [
                await _time(client, "/api/inventory/search", {"q": query}, headers)
                for query in queries
                for _ in range(ROUNDS)
            ]
            every += times
            _print(name, times)
        _print("all searches", every)
        for name, query in _LOW.items():
            path = "/api/inventory/low-stock"
            times = [await _time(client, path, query, headers) for _ in range(ROUNDS)]
            _print(name, times)


async def _time(
    client: httpx.AsyncClient, path: str, query: dict[str, str], headers: dict[str, str]
) -> float:
    started = time.perf_counter()
    response = await client.get(path, params=query, headers=headers)
    response.raise_for_status()
    return (time.perf_counter() - started) * 1000


def _print(name: str, times: Sequence[float]) -> None:
    ordered = sorted(times)
    p50, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    print(f"{name:24}{p50:8.1f}{p95:8.1f}{ordered[-1]:8.1f}")


async def _fill(dsn: str, tenant_id: UUID) -> None:
    """Make the items, with a code, a barcode and stock at two places each, as a superuser."""
    chance = random.Random(1)
    items: list[tuple[object, ...]] = []
    named: list[tuple[object, ...]] = []
    levels: list[tuple[object, ...]] = []
    places = [uuid4() for _ in range(PLACES)]
    for number in range(ITEMS):
        kind, thing = chance.choice(_KINDS), chance.choice(_THINGS)
        size, detail = chance.choice(_SIZES), chance.randrange(1000)
        english = f"{kind[0]} {thing[0]} {size} {detail}"
        french = f"{thing[1]} {kind[1]} {size} {detail}"
        code, item_id = f"{folded(thing[0])[:3].upper()}-{number:06}", uuid4()
        barcode = f"{300_000_000_000 + number}"
        barcode += check_digit(barcode)
        words = search_text(code, (english, french))
        low = chance.choice([None, 5, 20])
        items.append((item_id, tenant_id, code, english, french, words, low))
        named.append((tenant_id, code.lower(), item_id, True, None))
        named.append((tenant_id, barcode.zfill(14), item_id, False, barcode))
        levels += [
            (tenant_id, item_id, place, chance.randrange(3, 60))
            for place in chance.sample(places, 2)
        ]
    connection = await asyncpg.connect(dsn)
    await connection.executemany(
        "INSERT INTO inventory.locations (id, tenant_id, name, name_key, type, created_at,"
        " updated_at) VALUES ($1, $2, $3, lower($3), 'warehouse', now(), now())",
        [(place, tenant_id, f"Place {number}") for number, place in enumerate(places)],
    )
    await connection.executemany(
        "INSERT INTO inventory.items (id, tenant_id, code, name_en, name_fr, search_text,"
        " reorder_point, unit, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 'each', now(), now())",
        items,
    )
    for table, columns, rows in (
        ("identifiers", ["tenant_id", "key", "item_id", "is_code", "barcode"], named),
        ("levels", ["tenant_id", "item_id", "location_id", "on_hand"], levels),
    ):
        await connection.copy_records_to_table(
            table, schema_name="inventory", columns=columns, records=rows
        )
    await connection.execute(_ISSUES, tenant_id, [item[0] for item in items], places)
    await connection.execute("VACUUM ANALYZE inventory.items, inventory.identifiers")
    await connection.execute("VACUUM ANALYZE inventory.movements")
    await connection.execute("ANALYZE inventory.levels, inventory.search_words")
    await connection.close()


_ISSUES = f"""
    INSERT INTO inventory.movements (tenant_id, id, leg, kind, item_id, location_id, quantity,
                                     balance_after, actor, occurred_at, recorded_at)
    SELECT $1, gen_random_uuid(), 0, 'issue', ($2::uuid[])[1 + floor({ITEMS} * random() ^ 3)::int],
           ($3::uuid[])[1 + floor({PLACES} * random())::int], -1, 0, 'benchmark', n.at, n.at
    FROM (SELECT now() - {DAYS} * random() * interval '1 day' AS at
          FROM generate_series(1, {MOVEMENTS})) n"""  # noqa: S608 - of constants alone.


if __name__ == "__main__":
    main()
