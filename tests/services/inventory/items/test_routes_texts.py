"""No update erases what was not named."""

import pytest

pytestmark = pytest.mark.stack


@pytest.fixture
def change(client, caller):
    async def patch(item, **body):
        path = f"/api/inventory/{item['id']}"
        answer = await client.patch(path, json=body, headers=caller.headers())
        assert answer.status_code == 200, answer.text
        return answer.json()

    return patch


async def test_a_name_in_one_language_leaves_the_other(make_item, change):
    item = await make_item("A1", {"en": "Pasta", "fr": "Pâtes"})

    changed = await change(item, name={"fr": "Pâtes fraîches"})

    assert changed["names"] == {"en": "Pasta", "fr": "Pâtes fraîches"}


async def test_the_only_name_stands_for_both_until_the_other_is_given(make_item, change):
    item = await make_item("A1", "Pasta")

    renamed = await change(item, name={"en": "Noodles"})
    translated = await change(item, name={"fr": "Pâtes"})
    again = await change(item, name="Pasta")

    assert item["names"] == {"en": "Pasta", "fr": "Pasta"}
    assert renamed["names"] == {"en": "Noodles", "fr": "Noodles"}
    assert translated["names"] == {"en": "Noodles", "fr": "Pâtes"}
    assert again["names"] == {"en": "Pasta", "fr": "Pâtes"}


async def test_an_empty_description_is_not_an_unsaid_one(make_item, change):
    item = await make_item("A1", description={"en": "Durum"})

    cleared = await change(item, description={"fr": ""})
    unsaid = await change(item, description={"fr": None})
    gone = await change(item, description=None)

    assert item["descriptions"] == {"en": "Durum", "fr": "Durum"}
    assert cleared["descriptions"] == {"en": "Durum", "fr": ""}
    assert unsaid["descriptions"] == {"en": "Durum", "fr": "Durum"}
    assert gone["descriptions"] == {"en": "", "fr": ""}


async def test_a_change_leaves_all_that_it_does_not_name(make_item, change):
    item = await make_item(
        "A1", {"en": "Pasta", "fr": "Pâtes"}, description={"en": "e", "fr": "f"}, category="Food",
        unit="kg", pack_size=12, pack_unit="case", barcodes=["111"], par_level=5, reorder_point=3,
        reorder_quantity=12, lead_time_days=4, unit_cost="1.5", price="2.5",
    )  # fmt: skip

    changed = await change(item, par_level=None)

    moving = {"par_level", "version", "updated_at"}
    assert changed["par_level"] is None
    assert {k: v for k, v in changed.items() if k not in moving} == {
        k: v for k, v in item.items() if k not in moving
    }


async def test_a_change_of_nothing_changes_nothing(make_item, change):
    item = await make_item("A1", "Pasta")

    assert await change(item) == item


async def test_a_whole_replacement_sets_what_is_left_out_to_its_default(client, caller, make_item):
    item = await make_item(
        "A1", {"en": "Pasta", "fr": "Pâtes"}, description="Durum", category="Food", unit="kg",
        pack_size=12, pack_unit="case", barcodes=["111"], par_level=5, reorder_point=3,
        reorder_quantity=12, lead_time_days=4, unit_cost="1.5", price="2.5",
    )  # fmt: skip
    fresh = await make_item("A2", {"fr": "Riz"})

    replaced = await client.put(
        f"/api/inventory/{item['id']}",
        json={"code": "A1", "name": {"fr": "Riz"}},
        headers=caller.headers(**{"If-Match": '"1"'}),
    )

    own = {"id", "code", "version", "created_at", "updated_at", "unit_cost", "price"}
    assert {k: v for k, v in replaced.json().items() if k not in own} == {
        k: v for k, v in fresh.items() if k not in own
    }
    assert (replaced.json()["unit_cost"], replaced.json()["price"]) == ("1.5", "2.5")
    assert replaced.json()["version"] == 2
