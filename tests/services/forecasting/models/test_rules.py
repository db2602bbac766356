from services.forecasting.models.rules import ASSUMPTIONS, AssumptionCode, assumption_text


def test_every_assumption_has_its_words():
    assert set(ASSUMPTIONS) == set(AssumptionCode)


def test_an_outlier_is_told_with_its_day_and_what_it_counts_for():
    figures = {"day": "2026-06-03", "quantity": 10000.0, "counted": 12.5}

    told = assumption_text(AssumptionCode.OUTLIER_LIMITED, figures, "en")

    assert told == (
        "The 10,000 of June 3, 2026 are far beyond every other day. The forecast counts 12.5."
    )
