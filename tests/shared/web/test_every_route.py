"""What holds for every route of every service, asked of each; no database is needed to refuse.

`python -m benchmarks.bodies` times a neighbour of the worst bodies; here the bound is CPU, ten
times what it takes.
"""

import re
import time
from collections.abc import Iterator
from functools import cache

import pytest
from fastapi import FastAPI

from benchmarks import bodies
from benchmarks.bodies import ANY_ID, SERVICES, worst_bodies
from shared.errors import Unauthorized, ValidationFailed
from tests.support.services import assert_problem
from tests.support.through_gateway import client_of

CPU_MAX_S = 1.0
ANSWER_MAX_BYTES = 16_384
# 503: no fault of the whole, as a line that is refused alone; then there is no database here.
REFUSED = {413, 422, 503}
JSON = {"Content-Type": "application/json"}
SIGNED_IN = {"Authorization": "Bearer any"}

app_of = cache(bodies.app_of)


def operations(app: FastAPI) -> Iterator[tuple[str, str, bool]]:
    """Method and path of each operation, and whether it is open to all.

    What refuses in a form of its own has tests of its own: tests/services/auth/scim.
    """
    for path, methods in app.openapi()["paths"].items():
        if path.startswith("/api/scim/"):
            continue
        for method, operation in methods.items():
            yield method.upper(), re.sub(r"{\w+}", ANY_ID, path), operation["security"] == []


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_the_caller_is_judged_before_anything_he_sends(service):
    app = app_of(service)
    async with client_of(app) as client:
        for method, path, is_open in operations(app):
            if not is_open:
                response = await client.request(method, f"{path}?a=1", content=b"{", headers=JSON)
                assert_problem(response, Unauthorized)


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_an_unknown_parameter_is_refused(service):
    app = app_of(service)
    async with client_of(app) as client:
        for method, path, _ in operations(app):
            response = await client.request(method, f"{path}?a=1&lang=fr", headers=SIGNED_IN)
            assert_problem(response, ValidationFailed)
            assert response.json()["errors"][0]["path"] == "query.a"
            assert response.headers["content-language"] == "fr"


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_the_worst_body_of_a_route_is_refused_in_little_time_and_words(service):
    app = app_of(service)
    wrong = []

    async with client_of(app) as client:
        await client.post("/api/nothing")  # What an app makes at its first request.
        for method, path, kind, body in worst_bodies(app.openapi()):
            if path.startswith("/api/scim/"):
                continue
            started = time.process_time()
            response = await client.request(method, path, content=body, headers=JSON | SIGNED_IN)
            cpu_s = time.process_time() - started
            told = (response.status_code, len(response.content), round(cpu_s, 2))
            if told[0] not in REFUSED or told[1] > ANSWER_MAX_BYTES or cpu_s > CPU_MAX_S:
                wrong.append((method, path, kind, *told))

    assert wrong == []


@pytest.mark.slow
def test_every_way_to_send_a_list_is_tried():
    kinds = {(path, kind) for _, path, kind, _ in worst_bodies(app_of("inventory").openapi())}

    assert ("/api/inventory/movements/bulk", '{"mode": "each", "lines": [ 10000 numbers') in kinds
    assert ("/api/inventory", '{"tracking": "none", "barcodes": [ 200 empty') in kinds
