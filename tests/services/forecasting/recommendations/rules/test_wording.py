from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import services.forecasting
from services.forecasting.recommendations.rules.policy import order_policy
from services.forecasting.recommendations.rules.replenishment import (
    Recommendation,
    StockPosition,
)
from services.forecasting.recommendations.rules.wording import PACKS, SENTENCES, Wording, sentence
from shared.contracts.forecasting.recommendations import ReasonCode
from shared.i18n import load_catalogues

TODAY = date(2026, 11, 26)
POLICY = order_policy(7, Decimal(24), None)
POSITION = StockPosition(Decimal("30.0000"))
PLAN = Recommendation(
    expected_demand=Decimal("70.1234"),
    safety_stock=Decimal(20),
    reorder_point=Decimal("91.0000"),
    order_up_to=Decimal(300),
    order_quantity=Decimal(288),
    order_by=TODAY,
    stock_out_on=TODAY + timedelta(days=3),
)


@pytest.fixture(autouse=True, scope="module")
def french():
    load_catalogues([Path(services.forecasting.__file__).parent / "locales"])


def say(code, language="en", *, packs=12, pack_unit="case", plan=PLAN, policy=POLICY):
    return sentence(plan, POSITION, policy, Wording(code, packs, pack_unit, TODAY, language))


def test_a_planner_reads_what_to_do_by_when_and_why():
    assert say(ReasonCode.STOCK_OUT_BEFORE_DELIVERY) == (
        "On hand covers 3 days of expected sales, the supplier needs 7 days: "
        "order 12 cases by Thursday 26 November."
    )
    assert say(ReasonCode.STOCK_OUT_BEFORE_DELIVERY, "fr") == (
        "Le stock couvre 3 jours de ventes prévues et le fournisseur livre en 7 jours\u00a0: "
        "commandez 12 caisses d\u2019ici le jeudi 26 novembre."
    )


def test_one_is_not_many():
    plan = replace(PLAN, stock_out_on=TODAY + timedelta(days=1))
    policy = order_policy(1, Decimal(24), None)

    found = say(ReasonCode.STOCK_OUT_BEFORE_DELIVERY, packs=1, plan=plan, policy=policy)

    assert "covers 1 day of" in found
    assert "needs 1 day: order 1 case by" in found


def test_quantities_have_no_idle_zeros():
    assert say(ReasonCode.BELOW_REORDER_POINT).startswith(
        "30 available, at or below the reorder point of 91: order 12 cases"
    )


def test_items_without_packs_are_ordered_in_units_and_odd_packs_as_they_are_called():
    assert "order 288 units by" in say(ReasonCode.OUT_OF_STOCK, pack_unit=None)
    times = "\N{MULTIPLICATION SIGN}"
    assert f"order 12 {times} Fass by" in say(ReasonCode.OUT_OF_STOCK, pack_unit="Fass")


def test_a_later_order_names_its_day():
    plan = replace(PLAN, order_quantity=Decimal(0), order_by=TODAY + timedelta(days=6))

    assert "on Wednesday 2 December" in say(ReasonCode.REORDER_LATER, plan=plan)
    assert "le mercredi 2 décembre" in say(ReasonCode.REORDER_LATER, "fr", plan=plan)


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_has_words_in_both_languages(code):
    english, french = say(code), say(code, "fr")

    assert english != french
    assert "{" not in english + french
    assert code in SENTENCES


@pytest.mark.parametrize("pack_unit", PACKS)
def test_every_known_pack_is_translated_or_the_same_word(pack_unit):
    found = say(ReasonCode.OUT_OF_STOCK, "fr", packs=2, pack_unit=pack_unit)

    assert pack_unit == "carton" or f"{pack_unit} " not in found
