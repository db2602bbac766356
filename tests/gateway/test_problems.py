"""Where the `type` of a problem leads."""

import json

import pytest

from deploy import problems
from gateway.problems import CATALOGUE
from tests.support.gateway import House

STOCK = "/problems/insufficient-stock"


def test_the_catalogue_is_that_of_all_problems():
    assert json.loads(problems.PATH.read_text()) == problems.catalogue(), "make messages"


async def test_the_type_of_every_refusal_leads_to_what_it_means(house: House):
    refused = (await house.client.get("/api/inventory")).json()

    explained = await house.client.get(refused["type"])

    assert explained.status_code == 200
    assert explained.json() == {
        "type": refused["type"],
        "title": refused["title"],
        "status": 401,
        "code": "unauthorized",
        "details": [refused["detail"]],
    }
    assert len(CATALOGUE) > 100


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_problem_has_a_page_in_both_languages(house: House, language):
    headers = {"Accept": "text/html", "Accept-Language": language}

    for slug in CATALOGUE:
        page = await house.client.get(f"/problems/{slug}", headers=headers)

        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-language"] == language
        assert page.headers["vary"].startswith("accept, accept-language")
        assert "{" not in page.text


async def test_a_page_names_what_is_filled_in_and_what_to_do(house: House):
    page = await house.client.get(f"{STOCK}?lang=fr", headers={"Accept": "text/html"})

    assert "<h1>Stock insuffisant</h1>" in page.text
    assert "stock disponible de <var>available</var>" in page.text
    assert "<code>insufficient_stock</code>" in page.text
    assert "approvisionnez" in page.text


async def test_what_is_no_problem_is_not_found(house: House):
    assert (await house.client.get("/problems/none-such")).status_code == 404
