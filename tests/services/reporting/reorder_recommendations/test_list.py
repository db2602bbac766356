import httpx
import pytest

from shared.errors import Forbidden, Unavailable
from shared.pagination import InvalidCursor, Keyset
from tests.services.reporting.conftest import InProcessServices
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

URL = "/api/reports/reorder-recommendations"
MOVE = "/api/inventory/movements"


def recommendation(code, **more):
    return {
        "item_code": code,
        "name": code,
        "unit": "each",
        "on_hand": "1",
        "reorder_point": "6.25",
        "safety_stock": "2.5",
        "order_quantity": "24",
        "order_by": "2026-11-23",
        "stock_out_date": "2026-11-25",
        "reason": "Runs out before delivery.",
    } | more


class WithForecasts(InProcessServices):
    """Forecasting answers with these pages, by cursor."""

    def __init__(self, apps, pages):
        super().__init__(apps)
        self.pages = pages
        self.asked = []

    async def get_json(self, service, path, params=None):
        if service != "forecasting":
            return await super().get_json(service, path, params)
        self.asked.append((path, dict(params)))
        return self.pages[params.get("cursor")]


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
    services = forecasting({None: {"items": [recommended], "next_cursor": None, "expired": 1}})

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
            "reorder_point": "6.25",
            "safety_stock": "2.5",
            "order_quantity": "24",
            "order_by": "2026-11-23",
            "stock_out_date": "2026-11-25",
            "reason": "Runs out before delivery.",
        }
    ]


async def test_items_that_need_no_order_are_left_out(shop, get, forecasting):
    items = [recommendation("A", order_quantity="0"), recommendation("B", order_quantity="3")]
    forecasting({None: {"items": items, "next_cursor": None}})

    found = await get(URL)

    assert [(r["item_code"], r["order_quantity"]) for r in found["items"]] == [("B", "3")]


async def test_pages_of_forecasts_are_read_to_their_end(shop, get, forecasting, client, caller):
    forecasting(
        {
            None: {"items": [recommendation("A")], "next_cursor": "inner"},
            "inner": {"items": [recommendation("B")], "next_cursor": None},
        }
    )

    first = await get(URL)
    second = await get(URL, cursor=first["next_cursor"])

    assert [r["item_code"] for page in (first, second) for r in page["items"]] == ["A", "B"]
    assert second["next_cursor"] is None


async def test_a_first_page_without_items_is_gone_on_from(shop, get, forecasting):
    forecasting(
        {
            None: {"items": [], "next_cursor": "inner"},
            "inner": {"items": [recommendation("B")], "next_cursor": None},
        }
    )

    first = await get(URL)
    second = await get(URL, cursor=first["next_cursor"])

    assert (first["source"], first["items"]) == ("forecast", [])
    assert [r["item_code"] for r in second["items"]] == ["B"]


async def test_forecasting_going_away_in_the_middle_is_said(
    shop, get, forecasting, client, caller, reporting_app
):
    forecasting({None: {"items": [recommendation("A")], "next_cursor": "inner"}})
    first = await get(URL)
    reporting_app.state.resources.client = InProcessServices()

    response = await client.get(
        URL, params={"cursor": first["next_cursor"]}, headers=caller.headers()
    )

    assert_problem(response, Unavailable)


@pytest.mark.parametrize(
    "page",
    [
        {"items": [], "next_cursor": None},
        {"items": [{"code": "A"}]},
        {"unexpected": True},
        [],
        None,
    ],
)
async def test_no_or_strange_forecasts_leave_it_to_reorder_points(shop, get, forecasting, page):
    forecasting({None: page})

    found = await get(URL)

    assert found["source"] == "reorder_point"
    assert [r["item_code"] for r in found["items"]] == ["A", "C"]


async def test_a_cursor_that_forecasting_refuses_is_refused(client, caller, reporting_app):
    """The caller's fault, as it is with every other list, and not a part of the system away."""

    class Refusing(WithForecasts):
        async def get_json(self, _service, path, _params=None):
            request = httpx.Request("GET", "http://forecasting" + path)
            response = httpx.Response(InvalidCursor.status, request=request)
            raise httpx.HTTPStatusError("refused", request=request, response=response)

    reporting_app.state.resources.client = Refusing({}, {})
    tampered = Keyset("forecast", str).cursor(("no cursor of forecasting",))

    response = await client.get(URL, params={"cursor": tampered}, headers=caller.headers())

    assert_problem(response, InvalidCursor)


async def test_a_strange_cursor_is_refused(client, caller):
    response = await client.get(URL, params={"cursor": "abc"}, headers=caller.headers())

    assert_problem(response, InvalidCursor)


async def test_another_tenant_sees_nothing(shop, get):
    assert (await get(URL, reader=Caller()))["items"] == []


async def test_recommendations_need_the_scope(client, caller):
    clerk = Caller(tenant_id=caller.tenant_id, scopes={"inventory:read"})

    assert_problem(await client.get(URL, headers=clerk.headers()), Forbidden)
