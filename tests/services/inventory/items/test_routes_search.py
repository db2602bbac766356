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
