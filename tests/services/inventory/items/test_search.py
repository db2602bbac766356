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


async def test_a_retired_item_is_not_found(client, caller, make_item, found):
    item = await make_item("M8")

    await client.delete(f"/api/inventory/{item['id']}", headers=caller.headers())

    assert await found("M8") == []
