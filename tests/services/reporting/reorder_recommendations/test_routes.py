from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.contracts.forecasting.recommendations import BY_CODE
from shared.errors import MissingScope, Unavailable
from shared.pagination import InvalidCursor
from tests.services.reporting.conftest import InProcessServices
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

BOUNDS = ("expected", "lower_80", "upper_80", "lower_95", "upper_95")
URL = "/api/reports/reorder-recommendations"
MOVE = "/api/inventory/movements"


def recommendation(code, **more):
    return {
        "item_code": code,
        "name": code,
        "unit": "each",
        "on_hand": "1",
        "reserved": "0",
        "available": "1",
        "lead_time_days": 2,
        "demand": dict.fromkeys(BOUNDS, "5") | {"days": 2},
        "reorder_point": "6.25",
        "safety_stock": "2.5",
        "order_quantity": "24",
        "packs": 1,
        "pack_size": "24",
        "pack_unit": None,
        "order_by": "2026-11-23",
        "stock_out_date": "2026-11-25",
        "reason_code": "stock_out_before_delivery",
        "reason": "Runs out before delivery.",
        "model_type": "naive",
        "beats_baseline": True,
    } | more


def page(*items, at_rest=(), upto=None, **more):
    """A page of forecasting's: what to order, codes looked at that need nothing, its last code."""
    return {
        "items": list(items),
        "without_order": list(at_rest),
        "expired": 0,
        "as_of": "2026-11-20T12:00:00Z",
        "incomplete": False,
        "next_cursor": BY_CODE.cursor((upto,)) if upto else None,
    } | more


class WithForecasts(InProcessServices):
    """Forecasting answers with these pages, by the code that they begin after."""

    def __init__(self, apps, pages):
        super().__init__(apps)
        self.pages = pages
        self.asked = []

    async def get_json(self, service, path, params=None):
        if service != "forecasting":
            return await super().get_json(service, path, params)
        self.asked.append((path, dict(params)))
        after = BY_CODE.after(params.get("cursor"))
        return self.pages[after[0] if after else None]


@pytest.fixture
async def shop(post, follow):
    """A and C are at or below their reorder points, B is not, D has none."""
    await post("/api/locations", name="Main", type="warehouse")
    for code, more in {
        "A": {"reorder_point": "10", "par_level": "20"},
        "B": {"reorder_point": "3"},
        "C": {"reorder_point": "5", "reorder_quantity": "7", "pack_size": "6", "pack_unit": "box"},
        "D": {},
    }.items():
        await post(
            "/api/inventory/add-item", code=code, name={"en": code, "fr": f"{code}é"}, **more
        )
    for code, quantity in {"A": "8.5", "B": "4"}.items():
        await post(MOVE, kind="receipt", item=code, location="Main", quantity=quantity)
    await follow()


@pytest.fixture
def forecasting(reporting_app, client, inventory):
    def answer(pages):
        services = WithForecasts({"inventory": inventory}, pages)
        reporting_app.state.resources.client = services
        return services

    return answer


async def test_without_forecasting_reorder_points_decide(shop, get):
    found = await get(URL)

    assert found["source"] == "reorder_point"
    assert [(r["item_code"], r["on_hand"], r["order_quantity"]) for r in found["items"]] == [
        ("A", "8.5", "12"),
        ("C", "0", "12"),
    ]
    assert found["items"][0]["reason"] == "8.5 on hand, not above the reorder point of 10."


async def test_reasons_and_names_come_in_french(shop, get):
    found = await get(URL, lang="fr")

    assert found["items"][0]["name"] == "Aé"
    assert found["items"][0]["reason"].startswith("8,5 en stock")


async def test_pages_by_reorder_point_hold_every_item_once(shop, get):
    first = await get(URL, limit=1)
    second = await get(URL, limit=1, cursor=first["next_cursor"])

    assert [r["item_code"] for page in (first, second) for r in page["items"]] == ["A", "C"]
    assert second["next_cursor"] is None


async def test_forecasting_is_asked_for_the_tenant_and_its_answer_shown(
    shop, get, forecasting, caller
):
    recommended = recommendation("B", name="Bé", on_hand="4", more_than_asked={"days": 3})
    services = forecasting({None: page(recommended, at_rest=["A", "C"])})

    found = await get(URL, limit=5, lang="fr")

    assert services.asked == [
        (
            "/internal/recommendations",
            {"tenant": str(caller.tenant_id), "limit": 5, "lang": "fr"},
        )
    ]
    assert found["source"] == "forecast"
    assert found["items"] == [
        {
            "item_code": "B",
            "name": "Bé",
            "unit": "each",
            "on_hand": "4",
            "available": "1",
            "reorder_point": "6.25",
            "safety_stock": "2.5",
            "order_quantity": "24",
            "order_by": "2026-11-23",
            "stock_out_date": "2026-11-25",
            "reason": "Runs out before delivery.",
            "source": "forecast",
        }
    ]


async def test_an_item_without_a_forecast_is_listed_beside_those_with_one(shop, get, forecasting):
    """A and C are at or below their own reorder points; only B has a forecast."""
    forecasting({None: page(recommendation("B"))})

    found = await get(URL)

    assert [(r["item_code"], r["source"], r["order_quantity"]) for r in found["items"]] == [
        ("A", "reorder_point", "12"), ("B", "forecast", "24"), ("C", "reorder_point", "12")
    ]  # fmt: skip
    assert found["source"] == "forecast"


async def test_an_items_forecast_decides_against_its_own_reorder_point(shop, get, forecasting):
    forecasting({None: page(recommendation("C", order_quantity="6"), at_rest=["A"])})

    found = await get(URL)

    assert [(r["item_code"], r["order_quantity"]) for r in found["items"]] == [("C", "6")]


async def test_pages_of_both_hold_every_item_once_and_in_order(shop, get, forecasting):
    forecasting(
        {
            None: page(recommendation("B"), recommendation("BB"), upto="BB"),
            "A": page(recommendation("B"), recommendation("BB"), upto="BB"),
            "B": page(recommendation("BB"), recommendation("D"), upto="D"),
            "BB": page(recommendation("D"), at_rest=["E"]),
            "C": page(recommendation("D")),
        }
    )

    for limit in (1, 2, 3, 10):
        found, cursor = [], None
        while True:
            each = await get(URL, limit=limit, **({"cursor": cursor} if cursor else {}))
            assert len(each["items"]) <= limit
            found += [r["item_code"] for r in each["items"]]
            cursor = each["next_cursor"]
            if cursor is None:
                break
        assert found == ["A", "B", "BB", "C", "D"], limit


async def test_a_page_in_which_nothing_is_to_be_ordered_is_gone_on_from(shop, get, forecasting):
    forecasting(
        {
            None: page(at_rest=["A", "AB"], upto="AB"),
            "AB": page(recommendation("B"), at_rest=["C"]),
        }
    )

    first = await get(URL)
    second = await get(URL, cursor=first["next_cursor"])

    assert (first["source"], first["items"]) == ("forecast", [])
    assert [r["item_code"] for r in second["items"]] == ["B"]


async def test_forecasting_going_away_in_the_middle_is_said(
    shop, get, forecasting, client, caller, reporting_app
):
    forecasting({None: page(recommendation("A"), upto="A")})
    first = await get(URL)
    reporting_app.state.resources.client = InProcessServices()

    response = await client.get(
        URL, params={"cursor": first["next_cursor"]}, headers=caller.headers()
    )

    assert_problem(response, Unavailable)


async def test_a_list_is_as_old_and_as_incomplete_as_its_older_half(shop, get, forecasting):
    forecasting({None: page(recommendation("B"), as_of="2020-01-01T00:00:00Z", incomplete=True)})

    found = await get(URL)

    assert (found["as_of"], found["incomplete"]) == ("2020-01-01T00:00:00Z", True)


@pytest.mark.parametrize(
    "answer",
    [
        page(),
        page({"code": "A"}),
        {"items": [], "next_cursor": None},
        {"unexpected": True},
        [],
        None,
    ],
)
async def test_no_or_strange_forecasts_leave_it_to_reorder_points(shop, get, forecasting, answer):
    forecasting({None: answer})

    found = await get(URL)

    assert found["source"] == "reorder_point"
    assert [r["item_code"] for r in found["items"]] == ["A", "C"]


async def test_a_strange_cursor_is_refused(client, caller):
    response = await client.get(URL, params={"cursor": "abc"}, headers=caller.headers())

    assert_problem(response, InvalidCursor)


async def test_another_tenant_sees_nothing(shop, get):
    assert (await get(URL, reader=Caller()))["items"] == []


async def test_recommendations_need_the_scope(client, caller):
    clerk = Caller(tenant_id=caller.tenant_id, scopes={"inventory:read"})

    assert_problem(await client.get(URL, headers=clerk.headers()), MissingScope)


@pytest.fixture
def on_day(monkeypatch):
    """Let requests come so many days later; nothing happens meanwhile."""

    def later(days):
        now = utc_now() + timedelta(days=days)
        monkeypatch.setattr("shared.web.requests.utc_now", lambda: now)

    return later


@pytest.fixture
def correct_lot(inventory, caller):
    """Let the lot of an item that expires first not expire."""

    async def patch(item_id):
        path = f"/api/inventory/{item_id}/lots"
        [lot, *_] = (await inventory.get(path, headers=caller.headers())).json()["items"]
        body, path = {"expires_on": None}, f"{path}/{lot['id']}"
        changed = await inventory.patch(path, json=body, headers=caller.headers())
        assert changed.status_code == 200, changed.text

    return patch


async def test_what_expires_counts_for_nothing_from_the_day_after_on(
    shop, post, get, follow, on_day, correct_lot
):
    made = await post(
        "/api/inventory/add-item", code="L", name="L", tracking="lot", reorder_point="10"
    )
    today = utc_now().date()
    for lot, days in {"OLD": 1, "NEW": 9, "EVER": None}.items():
        expires = {} if days is None else {"expires_on": str(today + timedelta(days=days))}
        lot_of = {"item": "L", "lot": lot, "location": "Main"}
        await post(MOVE, kind="receipt", quantity="6", **lot_of, **expires)
    await follow()

    async def listed():
        rows = (await get(URL))["items"]
        return [
            (row["on_hand"], row["available"], row["order_quantity"])
            for row in rows
            if row["item_code"] == "L"
        ]

    for days, found in ((0, []), (1, []), (2, []), (9, []), (10, [("18", "6", "4")])):
        on_day(days)
        assert await listed() == found, days
    [row] = [row for row in (await get(URL))["items"] if row["item_code"] == "L"]
    assert row["reason"].startswith("6 available, since the rest of 18 on hand has expired")
    await correct_lot(made["id"])
    await follow()
    assert await listed() == []


async def test_what_has_expired_is_low_on_the_dashboard_too(shop, post, get, follow, on_day):
    await post("/api/inventory/add-item", code="L", name="L", tracking="lot", reorder_point="1")
    tomorrow = str(utc_now().date() + timedelta(days=1))
    lot = {"item": "L", "lot": "OLD", "expires_on": tomorrow}
    await post(MOVE, kind="receipt", location="Main", quantity="6", **lot)
    await follow()

    on_day(2)
    found = await get("/api/dashboard/stats")

    assert (found["low_stock"], found["out_of_stock"]) == (3, 3)  # With A and C, with C and D.
