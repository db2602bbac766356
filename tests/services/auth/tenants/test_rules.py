import re

import pytest

from services.auth.tenants.rules import SLUG_PATTERN, is_known_currency


@pytest.mark.parametrize("slug", ["a", "acme", "acme-2", "0", "a" * 63])
def test_slugs(slug: str):
    assert re.search(SLUG_PATTERN, slug)


@pytest.mark.parametrize("slug", ["", "-a", "a-", "Acme", "a b", "a_b", "é", "a" * 64])
def test_no_slugs(slug: str):
    assert not re.search(SLUG_PATTERN, slug)


@pytest.mark.parametrize("code", ["EUR", "USD", "CHF", "JPY"])
def test_currencies(code: str):
    assert is_known_currency(code)


@pytest.mark.parametrize("code", ["", "eur", "ABC", "EURO", "€"])
def test_no_currencies(code: str):
    assert not is_known_currency(code)
