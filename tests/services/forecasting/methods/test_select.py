import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.forecasting.methods.metrics import Accuracy
from services.forecasting.methods.select import beats, candidate_methods, scores, weigh
from services.forecasting.methods.series import DemandProfile


def item(demand_class="smooth", zero_share=0.0):
    return DemandProfile(demand_class, 1.0, 0.1, zero_share, is_dead=False)


def errors(mase, rmsse):
    return Accuracy(None, None, mase, rmsse, None)


def test_smooth_items_try_everything_but_intermittent_methods():
    assert set(candidate_methods(item())) == {
        "seasonal_naive",
        "window_average",
        "regression",
        "imapa",
        "prophet",
        "arima",
    }


def test_intermittent_items_try_tsb():
    assert "tsb" in candidate_methods(item("intermittent", 0.5))


@pytest.mark.parametrize("excluded", ["prophet", "arima"])
def test_mostly_zero_demand_excludes_models_of_noise(excluded):
    assert excluded in candidate_methods(item("lumpy", 0.60))
    assert excluded not in candidate_methods(item("lumpy", 0.61))


def test_score_is_half_mase_and_half_rmsse_relative_to_the_median():
    found = scores({"a": errors(1, 2), "b": errors(2, 4), "c": errors(4, 2)}, item())

    assert found == {"a": 0.75, "b": 1.5, "c": 1.5}


def test_intermittent_demand_is_scored_by_rmsse_alone():
    found = scores({"zero": errors(0.1, 2), "level": errors(9, 1)}, item("intermittent"))

    assert found["level"] < found["zero"]


def test_what_cannot_be_scored_is_ordinary():
    assert scores({"a": errors(None, None)}, item()) == {"a": 1.0}


def test_a_clear_winner_stands_alone():
    assert weigh({"a": 0.5, "b": 1.0, "c": 1.0}) == {"a": 1.0}


def test_equals_share():
    assert weigh({"a": 1.0, "b": 1.0}) == {"a": 0.5, "b": 0.5}


def test_only_the_best_four_take_part():
    assert set(weigh({"e": 1.04, "a": 1.0, "b": 1.01, "c": 1.02, "d": 1.03})) == set("abcd")


def test_the_baseline_takes_part_only_alone():
    assert set(weigh({"seasonal_naive": 0.9, "a": 1.0})) == {"a"}
    assert set(weigh({"seasonal_naive": 0.9})) == {"seasonal_naive"}


@given(score=st.dictionaries(st.text(max_size=5), st.floats(0.01, 100), min_size=1, max_size=9))
def test_weights_sum_to_one_and_follow_the_score(score):
    weights = weigh(score)

    assert sum(weights.values()) == pytest.approx(1.0)
    ranked = sorted(weights, key=lambda name: score[name])
    assert [weights[name] for name in ranked] == sorted(weights.values(), reverse=True)


@pytest.mark.parametrize(
    ("rmsse", "of_baseline", "expected"),
    [(0.9, 1.0, True), (1.0, 1.0, False), (None, 1.0, False), (0.9, None, False)],
)
def test_the_baseline_is_beaten_on_rmsse(rmsse, of_baseline, expected):
    assert beats(errors(1, rmsse), errors(1, of_baseline)) is expected
