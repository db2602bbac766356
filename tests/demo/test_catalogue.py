from datetime import date
from decimal import Decimal

import pytest

from demo.catalogue import COST_SHARE, PENNY, articles


@pytest.fixture(scope="module")
def everything():
    return articles(date(2026, 3, 12))


def test_forty_items_with_codes_of_their_own(everything):
    assert len({article.product.code for article in everything}) == len(everything) == 40


def test_names_exist_in_both_languages(everything):
    for article in everything:
        assert article.product.name_en
        assert article.product.name_fr
        assert article.product.name_en != article.product.name_fr


def test_gift_costs_the_stated_share_of_its_real_price(everything):
    gifts = [article for article in everything if article.sales.price is not None]

    assert len(gifts) == 16
    for gift in gifts:
        assert gift.product.price == gift.sales.price
        assert gift.product.unit_cost == (gift.product.price * COST_SHARE).quantize(PENNY)


def test_pasta_sells_above_its_list_cost(everything):
    pasta = [article.product for article in everything if article.sales.price is None]

    assert all(Decimal("0.4") < product.unit_cost < product.price for product in pasta)
