import re

import pytest

from services.auth.tenants.rules import (
    SLUG_PATTERN,
    is_known_country,
    is_known_currency,
    is_known_time_zone,
)


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


@pytest.mark.parametrize(("code", "is_one"), [
    ("FR", True), ("US", True), ("ZW", True), ("fr", False), ("EU", False), ("ZZ", False),
    ("001", False), ("", False),
])  # fmt: skip
def test_countries_are_those_of_iso_3166(code: str, *, is_one: bool):
    assert is_known_country(code) == is_one


@pytest.mark.parametrize(("name", "is_one"), [
    ("UTC", True), ("Europe/Paris", True), ("America/Argentina/Ushuaia", True),
    ("europe/paris", False), ("Factory", False), ("localtime", False), ("/etc/localtime", False),
])  # fmt: skip
def test_time_zones_are_those_of_iana(name: str, *, is_one: bool):
    assert is_known_time_zone(name) == is_one
