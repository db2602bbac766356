from decimal import Decimal

from services.forecasting.recommendations.rules.policy import LEAD_TIME_DAYS_DEFAULT, order_policy


def test_what_the_item_says_counts():
    policy = order_policy(3, Decimal(12), Decimal(24))

    assert (policy.lead_time_days, policy.pack_size, policy.minimum_order) == (3, 12, 24)


def test_an_item_that_says_nothing_gets_defaults():
    policy = order_policy(None, Decimal(1), None)

    assert (policy.lead_time_days, policy.minimum_order) == (LEAD_TIME_DAYS_DEFAULT, 0)


def test_a_lead_time_of_no_days_is_not_one_unknown():
    assert order_policy(0, Decimal(1), None).lead_time_days == 0


def test_items_packed_in_fractions_are_stocked_in_fractions():
    assert order_policy(3, Decimal("0.25"), None).unit_step == Decimal("0.25")
    assert order_policy(3, Decimal(6), None).unit_step == 1
