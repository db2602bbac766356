import pytest

pytestmark = pytest.mark.stack


@pytest.fixture
def found(client, caller):
    async def search(query, **more):
        answer = await client.get(
            "/api/inventory/search", params={"q": query, **more}, headers=caller.headers()
        )
        assert answer.status_code == 200, answer.text
        return [item["code"] for item in answer.json()["items"]]

    return search


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("\u0152ufs frais", ["oeuf", "oeufs", "\u0153ufs", "OEUFS"]),
        ("Pur c\u0153ur de palmier", ["coeur", "c\u0153ur"]),
        ("Sm\u00f8rrebr\u00f8d", ["smorrebrod"]),
        ("Gro\u00dfe Stra\u00dfe", ["grosse strasse"]),
        ("C\u00e6sar", ["caesar"]),
    ],
)
async def test_ligatures_are_found_as_they_are_typed(make_item, found, name, queries):
    await make_item("A1", name)
    await make_item("B1", "Something else")

    for query in queries:
        assert await found(query) == ["A1"], query


async def test_an_exact_code_or_barcode_is_the_first(client, caller, make_item, found):
    for number in range(25):
        await make_item(f"BOLT-{number}", f"Bolt M8 x {number}")
    await make_item("M8", "A washer with a name that is longer than those of all the bolts here")
    await make_item("Z9", "Rivet", barcodes=["8076800195057"])

    for query in ("M8", "m8", " m8 "):
        hits = await found(query)
        assert (hits[0], len(hits)) == ("M8", 20)
    assert (await found("8076800195057"))[0] == "Z9"
    assert await found("m8", limit=1) == ["M8"]


async def test_items_that_hold_every_word_come_first_and_alone_if_they_are_enough(make_item, found):
    for number in range(5):
        await make_item(f"P{number}", f"Penne {number} {'x' * number}")
    await make_item("Q1", "Pene")

    assert await found("penne") == ["P0", "P1", "P2", "P3", "P4"]
    assert await found("penne 3") == ["P3", *sorted(set(await found("penne 3")) - {"P3"})]
    assert "Q1" in await found("pene")


@pytest.mark.parametrize("query", ["%", "_", "50%", "\\", "a_b", "'", "%%%", "\u00b0"])
async def test_signs_of_patterns_are_signs(make_item, found, query):
    await make_item("A1", "Something")

    assert await found(query) == []
    await make_item("A2", f"x {query} y")
    assert "A1" not in await found(query)


async def test_a_retired_item_is_not_found(client, caller, make_item, found):
    item = await make_item("M8")

    await client.delete(f"/api/inventory/{item['id']}", headers=caller.headers())

    assert await found("M8") == []


async def test_codes_come_before_names_names_before_what_is_said_of_them(make_item, found):
    await make_item("Z1", "Something", description="Goes with a valve")
    await make_item("Y1", "Pump valve")
    await make_item("X1", "Other", category="Valves")
    await make_item("W1", "Valve 10 mm")
    await make_item("VALVE-7", "Tap")
    await make_item("VALVE", "Cock")
    await make_item("V1", "Bivalve")

    assert await found("valve") == ["VALVE", "VALVE-7", "W1", "Y1", "X1", "Z1"]
    assert await found("valve", limit=2) == ["VALVE", "VALVE-7"]
    assert await found("ivalv") == ["V1"]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("spagetti", ["P1"]),
        ("galvanized wahser", ["W1"]),
        ("galvanised washer m12", ["W1"]),
        ("perceuse biologque", []),
        ("rondele galvanise", ["W1"]),
        ("gal was", ["W1"]),
        ("40", ["W1"]),
        ("x40", []),
        ("w-1", []),
        ("80768", ["P1"]),
        ("807680", ["P1"]),
        ("076800", []),
    ],
)
async def test_what_is_mistyped_or_begun_is_found(make_item, found, query, codes):
    name = {"en": "Galvanised washer M10 x 40", "fr": "Rondelle galvanisée M10 x 40"}
    await make_item("W1", name)
    await make_item("P1", "Spaghetti 500 g", barcodes=["8076800195057"])

    assert await found(query) == codes


async def test_new_words_are_known_at_once(client, caller, make_item, found):
    item = await make_item("A1", "Screw")
    assert await found("driling") == []

    await client.patch(
        f"/api/inventory/{item['id']}", json={"name": "Drilling machine"}, headers=caller.headers()
    )

    assert await found("driling") == ["A1"]
    assert await found("drilling machnie") == ["A1"]
