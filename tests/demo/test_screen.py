import io

from rich.console import Console

from demo import screen


def shown(table):
    console = Console(width=screen.WIDTH, file=io.StringIO(), highlight=False)
    console.print(table)
    return console.file.getvalue()


def model(candidates, weights, *, demand_class="smooth", rmsse=0.8, beats=True):
    def errors(value):
        return {"wape": value, "weekly_mape": None, "rmsse": value, "coverage_80": 0.85}

    return {
        "candidates": candidates,
        "weights": weights,
        "demand_class": demand_class,
        "accuracy_metrics": errors(rmsse),
        "baseline": errors(1.0),
        "beats_baseline": beats,
    }


MODELS = [
    model({"prophet": 0.7, "seasonal_naive": 1.1}, {"prophet": 1.0}),
    model({"prophet": 1.2, "seasonal_naive": 0.9, "arima": 0.8}, {"arima": 0.6, "prophet": 0.4}),
]


def test_winners_are_counted_and_the_baseline_is_named():
    lines = {line.split()[0]: line.split()[1:] for line in shown(screen.winners_table(MODELS))
             .splitlines() if line.strip()}  # fmt: skip

    assert lines["prophet"] == ["2", "1", "2", "70%"]
    assert lines["arima"] == ["1", "1", "1", "60%"]
    assert lines["seasonal_naive"] == ["(baseline)", "2", "0", "0", "-"]


def test_accuracy_stands_beside_the_baseline_and_unknown_is_a_dash():
    lines = [line for line in shown(screen.accuracy_table(MODELS)).splitlines() if "all" in line]

    assert "0.80 | 1.00" in lines[-1]
    assert "- | -" in lines[-1]
    assert "2 of 2" in lines[-1]


def test_orders_fit_the_width_with_every_word_of_the_reason():
    reason = (
        "On hand covers 10 days of expected sales, the supplier needs 14 days: "
        "order 1,250 cartons by Wednesday 23 September."
    )
    order = {
        "item_code": "PASTA_B1_12",
        "on_hand": "12345",
        "demand": {"expected": "1406.31", "lower_80": "393.2", "upper_80": "12700"},
        "stock_out_date": None,
        "reorder_point": "13279",
        "packs": 1250,
        "pack_size": "48",
        "order_by": "2026-09-23",
        "reason": reason,
    }

    text = shown(screen.orders_table([order]))

    assert max(len(line) for line in text.splitlines()) <= screen.WIDTH
    assert [word for word in reason.split() if word not in text.split()] == []
    assert "1,406 (393-12,700)" in text
    assert "1250 x 48" in text
    assert "23 Sep" in text


def test_values_end_with_their_total():
    rows = [{"name": "Bags", "items": 2, "quantity": "1200", "value": "1234.5"}]

    lines = shown(screen.value_table(rows, {"total": "1234.5", "currency": "GBP"})).splitlines()

    assert [line.split() for line in lines if "Bags" in line] == [
        ["Bags", "2", "1,200", "1,234.50"]
    ]
    assert [line.split() for line in lines if "Total" in line] == [["Total", "1,234.50", "GBP"]]


def test_times_are_summed():
    assert "Total" in shown(screen.timing_table({"A": 1.2, "B": 2.4}))
    assert "3.6" in shown(screen.timing_table({"A": 1.2, "B": 2.4}))
