"""Counts of somebody who is limited to some locations."""

import pytest

from services.inventory.locations.errors import LocationNotFound
from shared.errors import LocationNotAllowed
from tests.support.services import Caller, assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stock")]

SECRETS = ("Shop", "8765")


@pytest.fixture
async def limited(client, caller, move):
    """To Main, so to Bin as well; at Shop there is something to hide."""
    assert (await move("receipt", "8765", "B1", "Shop")).status_code == 201
    found = await client.get("/api/locations", headers=caller.headers())
    ids = {place["name"]: place["id"] for place in found.json()["items"]}
    return Caller(caller.tenant_id, locations=[ids["Main"]])


def assert_nothing_secret(answer):
    assert not [secret for secret in SECRETS if secret in answer.text], answer.text


async def test_he_sees_and_counts_his_own_lines_of_a_count_of_all_places(
    limited, open_count, enter, send, lines_of
):
    whole = await open_count(locations=[], items=["A1", "B1"])
    own = await open_count(limited, locations=[], items=["A1", "B1"])
    listed = (await send("GET", "", by=limited)).json()["items"]
    refused = await enter(
        whole, by=limited,
        lines=[{"item": "B1", "location": place, "quantity": "3"} for place in ("Main", "Shop")],
    )  # fmt: skip
    entered = await enter(whole, "3", item="B1", by=limited)
    mine = await lines_of(whole, limited)

    assert (whole["lines"], own["lines"]) == (5, 3)
    assert [(each["id"], each["lines"]) for each in listed] == [(own["id"], 3), (whole["id"], 3)]
    assert [each["code"] for each in refused.json()["results"]] == ["location_not_found"]
    assert entered.json()["entered"] == 1
    assert {line["location"] for line in mine} == {"Main", "Bin"}
    for path in ("", "/lines", "/lines?show=uncounted", "/lines?location=Shop"):
        assert_nothing_secret(await send("GET", f"/{whole['id']}{path}", by=limited))


async def test_he_closes_counts_of_his_own_places_alone(limited, open_count, send):
    whole = await open_count(locations=["Main", "Shop"])
    own = await open_count(limited, locations=["Main"])
    for act, body in (("post", {"uncounted": "keep"}), ("recount", {"lines": [1]}), ("cancel", {})):
        answer = await send("POST", f"/{whole['id']}/{act}", body, limited)
        assert_problem(answer, LocationNotAllowed)
        assert_nothing_secret(answer)
    posted = await send("POST", f"/{own['id']}/post", {"uncounted": "keep"}, limited)
    shown = await send("GET", f"/{whole['id']}", by=limited)

    assert posted.json()["state"] == "posted", posted.text
    assert [place["name"] for place in shown.json()["scope"]["locations"]] == ["Main"]


async def test_he_opens_none_of_another_place(limited, send):
    answer = await send("POST", "", {"locations": ["Shop"]}, limited)

    assert_problem(answer, LocationNotFound)


async def test_of_what_holds_stock_he_is_told_what_he_may_know_of_wholly(
    client, caller, limited, open_count, enter, send
):
    for reference, places in (("Own-1", ["Main"]), ("Shop-1", ["Main", "Shop"])):
        lines = [{"item": "B1", "location": place, "quantity": "2"} for place in places]
        body = {"lines": lines, "reference": reference}
        held = await client.post("/api/inventory/reservations", json=body, headers=caller.headers())
        assert held.status_code == 201, held.text
    count = await open_count(limited, items=["B1"])
    await enter(count, "1", item="B1", by=limited)

    refused = await send("POST", f"/{count['id']}/post", {}, limited)

    [result] = refused.json()["results"]
    assert result["reserved"] == "4"
    assert [each["reference"] for each in result["reservations"]] == ["Own-1"]
    assert_nothing_secret(refused)
