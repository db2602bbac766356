"""What the gateway answers itself: health, status, metrics, documents, documentation."""

import asyncio
import re
from pathlib import Path

import pytest

from gateway import health, metrics
from gateway.health import combine
from gateway.openapi import merge, public_part
from tests.support.gateway import House, make_token, ok, ok_json
from tests.support.through_gateway import SCRAPER
from tests.support.waiting import eventually

STATIC = Path(metrics.__file__).parent / "static"
GOOD = {"status": "ok", "database": "connected", "cache": "connected"}


def reports(**changes):
    return dict.fromkeys(("auth", "inventory", "forecasting", "reporting"), GOOD) | changes


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (reports(), "ok"),
        (reports(reporting=None), "degraded"),
        (reports(forecasting={"status": "down"}), "degraded"),
        (reports(inventory=GOOD | {"status": "degraded", "cache": "away"}), "degraded"),
        (reports(auth=None), "down"),
        (reports(inventory=GOOD | {"status": "down", "database": "away"}), "down"),
        ({}, "down"),
    ],
)
def test_health_is_that_of_the_essential_services(given, status):
    assert combine(given)["status"] == status


def test_health_names_what_is_not_well():
    whole = combine(reports(inventory=GOOD | {"cache": "away"}, forecasting=None))

    assert (whole["database"], whole["cache"], whole["ai"]) == ("connected", "away", "away")
    assert whole["services"]["forecasting"] == "down"
    assert combine(reports(forecasting=GOOD | {"ai": "training"}))["ai"] == "training"
    assert combine(reports())["ai"] == "ready"
    still = GOOD | {"status": "degraded", "standing_still": ["inventory"]}
    assert combine(reports(reporting=still))["standing_still"] == {"reporting": ["inventory"]}
    assert whole["standing_still"] == {}
    late = GOOD | {"status": "degraded", "backup": "late"}
    assert (whole["backup"], combine(reports(auth=late))["backup"]) == ("unknown", "late")


@pytest.fixture
def unasked(house: House, monkeypatch):
    """Nobody has asked the gateway for health yet; what it learns, it keeps."""
    monkeypatch.setattr(health, "KEPT_S", 3_600)
    house.health._asking = None


async def test_health_is_aggregated(house: House, unasked):
    for service in (house.auth, house.inventory, house.reporting):
        service.respond = lambda _: ok_json(GOOD)

    answers = await asyncio.gather(*(house.client.get("/health") for _ in range(20)))

    for answer in answers:
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    asked = [request for request in house.inventory.received if "/health" in request.line]
    assert len(asked) == 1


async def test_health_is_503_when_the_whole_is_down(house: House, unasked):
    house.inventory.respond = lambda _: ok(b"", status="500 Oops")

    answer = await house.client.get("/health")

    assert (answer.status_code, answer.json()["status"]) == (503, "down")


async def test_probes_of_the_gateway_itself(house: House):
    assert (await house.client.get("/health/live")).json() == {"status": "ok"}
    assert (await house.client.get("/health/ready")).json() == {"status": "ok"}


@pytest.mark.asvs("F14")
async def test_status_is_for_administrators_of_the_platform(house: House):
    assert (await house.client.get("/status")).status_code == 401
    assert (await house.get("/status")).status_code == 403
    house.token = make_token(scopes=frozenset({"ops:read"}))  # A tenant's administrator.
    assert (await house.get("/status")).status_code == 403
    await eventually(lambda: len(house.auth.denials) == 2)
    assert [each["needed"] for each in house.auth.denials] == ["ops:read", "tenant:manage"]
    assert house.auth.denials[0]["route"] == "GET /status"
    house.inventory.respond = lambda request: ok_json(
        {"uptime_s": 5, "seen": request.all("authorization")}
    )
    house.token = make_token(scopes=frozenset({"ops:read", "tenant:manage"}))

    answer = (await house.get("/status")).json()

    assert answer["services"]["inventory"] == {"uptime_s": 5, "seen": [f"Bearer {house.token}"]}
    assert answer["services"]["forecasting"] is None
    assert answer["latencies_s"].keys() >= {"inventory"}
    assert "forecasting" not in answer["latencies_s"]
    assert answer["backups"] is None


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs", "/metrics", "/status"])
async def test_these_pages_can_only_be_read(house: House, path):
    answer = await house.call("POST", path)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_head_is_get_without_the_body(house: House):
    answer = await house.call("HEAD", "/docs")

    assert answer.content == b""
    assert answer.headers["content-length"] == str((STATIC / "docs.html").stat().st_size)


@pytest.mark.asvs("F14")
@pytest.mark.parametrize("given", [None, "Bearer", "Bearer x", SCRAPER["Authorization"] + "x"])
async def test_metrics_are_for_who_has_their_token(house: House, given):
    headers = {} if given is None else {"Authorization": given}

    answer = await house.client.get("/metrics", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert (await house.get("/metrics")).status_code == 401  # A user's token is none.
    assert (await house.client.get("/metrics", headers=SCRAPER)).status_code == 200


async def test_metrics_count_by_route_never_by_path(house: House):
    for path in ("/api/inventory/secret-path-1", "/api/inventory/secret-path-2", "/secret-path-3"):
        await house.get(path)
    await house.raw(house.request("Connection: close", line="PROPFIND /x HTTP/1.1"))

    text = (await house.client.get("/metrics", headers=SCRAPER)).text

    assert "secret-path" not in text
    assert "PROPFIND" not in text
    for line in (
        r'http_requests_total\{method="GET",route="/api/inventory",status_code="200"\} [1-9]',
        r'http_requests_total\{method="GET",route="unmatched",status_code="404"\} [1-9]',
        r'http_requests_total\{method="other",route="unmatched",status_code="405"\} [1-9]',
        r'http_request_duration_seconds_bucket\{le="0.0025",method="GET",route="/api/inventory"\}',
        r'http_request_size_bytes_sum\{method="GET",route="/api/inventory"\}',
        r'http_response_size_bytes_count\{method="GET",route="/api/inventory"\}',
        r'http_requests_in_progress\{method="GET"\} 1',
        r'upstream_requests_total\{outcome="ok",service="inventory"\} [1-9]',
        r'upstream_circuit_state\{service="inventory"\} 0',
        r"process_resident_memory_bytes ",
        r"event_loop_lag_seconds ",
    ):
        assert re.search(line, text), line


async def test_openmetrics_names_a_trace_of_each_bucket(house: House):
    trace = "0af7651916cd43dd8448eb211c80319c"
    traced = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    await house.get("/api/inventory", headers=traced)
    asked = {**SCRAPER, "Accept": "application/openmetrics-text;version=1.0.0"}

    answer = await house.client.get("/metrics", headers=asked)

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert f'# {{trace_id="{trace}"}}' in answer.text
    assert answer.text.endswith("# EOF\n")


async def test_what_was_refused_before_it_began_is_not_in_progress(house: House):
    bad = house.request("Transfer-Encoding: chunked", line="POST /api/inventory HTTP/1.1")
    for _ in range(5):
        assert b" 400 " in await house.raw(bad + b"no size\r\n")

    assert all(count >= 0 for count in metrics.http.in_progress.values())


async def test_only_probes_are_not_counted(house: House):
    assert "ratelimit" not in (await house.get("/health/live")).headers
    assert "ratelimit" in (await house.get("/healthfoo")).headers


def test_a_distribution_counts_each_value_in_all_buckets_that_hold_it():
    counted = metrics.HttpMetrics()
    counted.observe("GET", "/a", 200, 0.0, (300, 5))
    counted.observe("GET", "/a", 0, 0.0, (1024, 99_999_999))

    samples = {
        (s.name, *sorted(s.labels.items())): s.value for m in counted.collect() for s in m.samples
    }

    def value(name, **labels):
        return samples[name, *sorted({"method": "GET", "route": "/a", **labels}.items())]

    assert value("http_requests_total", status_code="200") == 1
    assert value("http_requests_total", status_code="499") == 1
    assert value("http_request_size_bytes_bucket", le="256.0") == 0
    assert value("http_request_size_bytes_bucket", le="1024.0") == 2
    assert value("http_request_size_bytes_bucket", le="+Inf") == 2
    assert value("http_request_size_bytes_sum") == 1324
    assert value("http_response_size_bytes_bucket", le="16777216.0") == 1
    assert value("http_response_size_bytes_count") == 2


def document(**paths):
    return {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {path.replace("_", "/"): item for path, item in paths.items()},
    }


def test_only_public_paths_are_published():
    public = public_part(document(_api_a={}, _internal_b={}, _health={}, _metrics={}))

    assert public["paths"].keys() == {"/api/a"}


def operation(name: str, schema: str):
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"get": {"operationId": name, "responses": {"200": {"content": content}}}}


def ref_of(merged, path: str) -> str:
    answer = merged["paths"][path]["get"]["responses"]["200"]
    return answer["content"]["application/json"]["schema"]["$ref"]


def test_schemas_that_differ_under_one_name_are_kept_apart():
    one = document(_api_a=operation("read", "Item")) | {
        "components": {"schemas": {
            "Item": {"type": "object", "properties": {"x": {"$ref": "#/components/schemas/Part"}}},
            "Part": {"type": "string"}, "Problem": {"type": "object"},
        }},
    }  # fmt: skip
    two = document(_api_b=operation("read", "Item")) | {
        "components": {"schemas": {
            "Item": {"type": "integer"}, "Part": {"type": "boolean"}, "Problem": {"type": "object"},
        }},
    }  # fmt: skip

    merged = merge({"auth": one, "inventory": two})

    schemas = merged["components"]["schemas"]
    assert schemas.keys() == {
        "auth.Item", "auth.Part", "inventory.Item", "inventory.Part", "Problem",
    }  # fmt: skip
    assert ref_of(merged, "/api/a") == "#/components/schemas/auth.Item"
    assert ref_of(merged, "/api/b") == "#/components/schemas/inventory.Item"
    assert schemas["auth.Item"]["properties"]["x"] == {"$ref": "#/components/schemas/auth.Part"}
    assert schemas["inventory.Item"] == {"type": "integer"}
    ids = [item["get"]["operationId"] for item in merged["paths"].values()]
    assert sorted(ids) == ["inventory_read", "read"]


async def test_documents_are_served_one_by_one_and_merged(house: House):
    house.inventory.respond = lambda _: ok_json(document(_api_inventory={}, _internal_x={}))
    house.reporting.respond = lambda _: ok_json(document(_api_reports={}))

    one = await house.client.get("/openapi/inventory.json")
    merged = await house.client.get("/openapi.json")

    assert one.json()["paths"].keys() == {"/api/inventory"}
    assert {"/api/inventory", "/api/reports"} <= merged.json()["paths"].keys()
    house.inventory.respond = lambda _: ok(b"", status="500 Oops")
    assert (await house.client.get("/openapi/inventory.json")).status_code == 200
    assert (await house.client.get("/openapi/forecasting.json")).status_code == 503
    assert (await house.client.get("/openapi/unknown.json")).status_code == 404


async def test_the_documentation_needs_nothing_from_elsewhere(house: House):
    for path in ("/docs", "/docs/auth", "/docs/inventory", "/docs/forecasting", "/docs/reporting"):
        page = await house.client.get(path)
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "style=" not in page.text
        assert "<style" not in page.text
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert {"/docs/docs.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"} <= {*linked}
    for address in linked:
        assert address.startswith("/")
        assert (await house.client.get(address)).status_code in {200, 503}


def test_the_documentations_files_name_no_other_host():
    for path in STATIC.iterdir():
        outside = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text("utf-8")))
        assert outside <= {"http://www.w3.org/2000/svg"}
        assert "innerHTML" not in path.read_text("utf-8")
        assert "style=" not in path.read_text("utf-8")


def test_scripts_import_only_files_that_are_there():
    for path in STATIC.glob("*.js"):
        for name in re.findall(r'from "\./([^"]+)"', path.read_text("utf-8")):
            assert (STATIC / name).exists()


async def test_the_viewer_is_compressed_and_kept_for_a_while(house: House):
    viewer = await house.client.get("/docs/swagger-ui-bundle.js")

    assert len(viewer.content) > 1_000_000
    assert viewer.headers["content-encoding"] in {"gzip", "br", "zstd"}
    assert "max-age" in viewer.headers["cache-control"]


async def test_the_front_page_leads_to_the_documentation(house: House):
    answer = await house.client.get("/")

    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")


def test_words_of_the_documentation_are_in_both_languages():
    text = (STATIC / "text.js").read_text("utf-8")
    english, french = re.findall(r"\b(?:en|fr): \{(.*?)\n  \}", text, re.DOTALL)

    def names(words):
        return re.findall(r'(\w+): "', words)

    used = "".join(path.read_text("utf-8") for path in STATIC.glob("*.js"))
    assert names(english) == names(french)
    assert {*names(english)} == {*re.findall(r"\bwords\.(\w+)", used)}
