from prometheus_client import REGISTRY

from services.forecasting.models.metrics import ITEMS_MAX, show_active


def mape(item, model_type="arima"):
    labels = {"item": item, "model_type": model_type}
    return REGISTRY.get_sample_value("ai_model_accuracy_mape", labels)


def row(item, mape, model_type="arima"):
    return {"item": item, "model_type": model_type, "mape": mape}


def test_gauges_show_what_is_active_now_and_forget_the_rest():
    show_active([row("A1", 0.4), row("B1", 0.2, "prophet"), row("C1", None)])
    show_active([row("A1", 0.3)])

    assert mape("A1") == 0.3
    assert mape("B1", "prophet") is None
    assert REGISTRY.get_sample_value("ai_models_active_total", {"model_type": "arima"}) == 1
    assert REGISTRY.get_sample_value("ai_models_active_total", {"model_type": "prophet"}) is None


def test_a_code_of_several_tenants_shows_the_worst_of_them():
    show_active([row("A1", 0.9), row("A1", 0.1)])

    assert mape("A1") == 0.9


def test_only_the_worst_items_have_a_series():
    show_active([row(f"I{number}", 1 - number / 10_000) for number in range(ITEMS_MAX + 1)])

    assert mape("I0") == 1
    assert mape(f"I{ITEMS_MAX}") is None
