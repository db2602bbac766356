from collections import Counter
from pathlib import Path

import pytest

from demo.data import prepare

DATA = Path(prepare.__file__).parent


def series(name):
    return prepare._by_item(prepare._read(DATA / f"{name}.csv.gz"))


def classes(name):
    return Counter(
        prepare.demand_class([float(row["quantity"]) for row in rows])
        for rows in series(name).values()
    )


def test_shipped_sales_hold_every_class_of_demand():
    assert classes("pasta_daily") == prepare.PASTA_PER_CLASS
    assert classes("online_retail_daily") == prepare.RETAIL_PER_CLASS


@pytest.mark.parametrize("name", ["pasta_daily", "online_retail_daily"])
def test_days_are_in_order_and_quantities_whole(name):
    for rows in series(name).values():
        days = [row["date"] for row in rows]
        assert days == sorted(set(days))
        assert all(float(row["quantity"]) >= 0 for row in rows)
        assert all(float(row["quantity"]).is_integer() for row in rows)


def test_gifts_have_descriptions_and_prices():
    for rows in series("online_retail_daily").values():
        assert len({row["description"] for row in rows}) == 1
        assert rows[0]["description"].strip()
        assert all(float(row["price"]) > 0 for row in rows)


@pytest.mark.parametrize(
    ("quantities", "expected"),
    [
        ([5, 5, 6, 5], "smooth"),
        ([1, 1, 20, 1], "erratic"),
        ([0, 0, 3, 0, 0, 3], "intermittent"),
        ([0, 0, 1, 0, 0, 30], "lumpy"),
    ],
)
def test_class_follows_interval_and_variation(quantities, expected):
    assert prepare.demand_class(quantities) == expected


def test_item_given_up_or_ruled_by_one_order_is_not_chosen():
    def rows(quantities):
        return [{"quantity": str(quantity)} for quantity in quantities]

    found = prepare.choose(
        {
            "steady": rows([5] * 100),
            "given up": rows([9] * 70 + [0] * 30),
            "one order": rows([5] * 99 + [9000]),
        },
        {"smooth": 5, "erratic": 5},
    )

    assert found == ["steady"]
