"""What the demo sends is what the services take."""

from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest

from demo.catalogue import articles
from demo.chapters import forecasts, shop
from demo.client import Client
from demo.screen import make_console, make_progress
from demo.supply import Kind
from services.auth.tenants.schemas import TenantCreate
from services.forecasting.training.schemas import TrainingCreate
from services.inventory.items.schemas import ItemCreate
from services.inventory.movements.schemas import BulkCreate

NOW = datetime(2026, 3, 13, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def goods():
    return articles(date(2026, 3, 12))


@pytest.fixture(scope="module")
def movements(goods):
    return shop.movements_of(goods[-3:])


@pytest.fixture
def progress():
    with make_progress(make_console()) as bars:
        yield bars


def test_tenant(goods):
    tenant = shop.Tenant("demo-20260313-093000", shop.ADMIN_EMAIL, "some long password")

    found = TenantCreate.model_validate(shop.tenant_body(tenant, NOW))

    assert found.slug == tenant.slug
    assert found.name == "Demo of 13 March 2026, 09:30"


def test_every_item(goods):
    for article in goods:
        found = ItemCreate.model_validate(shop.item_body(article))

        assert found.unit_cost == article.product.unit_cost
        assert found.reorder_point > 0


def test_every_movement(movements):
    found = BulkCreate.model_validate(shop.bulk_body(movements[:9000]))

    assert found.mode == "atomic"
    assert {line.kind for line in found.lines} == {kind.value for kind in Kind}
    receipts = [line for line in found.lines if line.kind == "receipt"]
    assert all(line.unit_cost > Decimal(0) for line in receipts)


def test_training(goods):
    found = TrainingCreate.model_validate(forecasts.training_body([a.product.code for a in goods]))

    assert len(found.codes) == 40
    assert found.country is None


def server(handle):
    return Client("http://gateway", "token", httpx.MockTransport(handle))


def test_all_movements_are_sent_in_calls_of_limited_size(movements, progress, monkeypatch):
    monkeypatch.setattr(shop, "LINES_A_CALL", 500)
    sizes = []

    def take(request):
        sizes.append(len(BulkCreate.model_validate_json(request.content).lines))
        return httpx.Response(201, json={"applied": sizes[-1], "refused": 0, "results": []})

    kinds = shop.send_movements(server(take), movements, progress)

    assert sum(sizes) == len(movements) == sum(kinds.values())
    assert max(sizes) == 500


def test_a_refused_line_stops_the_demo_and_is_named(movements, progress):
    refused = {"line": 2, "message": "4 available, 5 asked.", "status": "refused"}

    def refuse(_request):
        return httpx.Response(
            409, json={"code": "bulk_refused", "detail": "1 line.", "results": [refused]}
        )

    with pytest.raises(shop.LinesRefused, match=r"4 available, 5 asked") as raised:
        shop.send_movements(server(refuse), movements, progress)

    assert movements[2].code in str(raised.value)


def test_lines_that_were_not_applied_stop_the_demo(movements, progress):
    def lose_one(request):
        lines = len(BulkCreate.model_validate_json(request.content).lines)
        return httpx.Response(201, json={"applied": lines - 1, "refused": 1, "results": []})

    with pytest.raises(shop.LinesRefused, match=r"1 of \d+ lines"):
        shop.send_movements(server(lose_one), movements, progress)


def test_consumption_that_differs_from_the_sales_stops_the_demo(goods, progress):
    def derive(_request):
        record = {"item_code": goods[0].product.code, "date": "2026-03-01", "quantity": "7777"}
        return httpx.Response(200, json={"derived": 1, "records": [record], "next_cursor": None})

    with pytest.raises(forecasts.NotFollowed, match="not what was sold"):
        forecasts.derive_consumption(server(derive), goods, progress)
