"""The worst body that each route's document allows: refused, told in little, and soon.

`python -m benchmarks.bodies` times a neighbour; here the bound is CPU, ten times what it takes.
"""

import time

import httpx
import pytest

from benchmarks.bodies import SERVICES, app_of, worst_bodies

CPU_MAX_S = 1.0
ANSWER_MAX_BYTES = 16_384


@pytest.mark.parametrize("service", SERVICES)
async def test_the_worst_body_of_a_route_is_refused_in_little_time_and_words(service):
    app = app_of(service)
    headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    wrong = []

    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        await client.post("/api/nothing")  # What an app makes at its first request.
        for method, path, kind, body in worst_bodies(app.openapi()):
            started = time.process_time()
            response = await client.request(method, path, content=body, headers=headers)
            cpu_s = time.process_time() - started
            told = (response.status_code, len(response.content), round(cpu_s, 2))
            if told[0] not in {413, 422} or told[1] > ANSWER_MAX_BYTES or cpu_s > CPU_MAX_S:
                wrong.append((method, path, kind, *told))

    assert wrong == []


def test_every_way_to_send_a_list_is_tried():
    kinds = {(path, kind) for _, path, kind, _ in worst_bodies(app_of("inventory").openapi())}

    assert ("/api/inventory/movements/bulk", "lines: 10000 full") in kinds
    assert ("/api/inventory", "barcodes: 200 empty") in kinds
