"""What the service says of itself, and what somebody else's program says of the service."""

import time
from collections import Counter

import pytest
from fastapi import FastAPI

from benchmarks.bodies import worst_bodies
from tests.services.auth.scim.directory import GROUPS, SCIM, USERS, Directory, assert_refused

pytestmark = pytest.mark.stack

BASE = "/api/scim/v2"
CPU_MAX_S = 1.0
# Where we are not as that program would have it, and why.
DIFFERENT = (
    "search_with_attributes: This address does not answer",  # Queries come by GET; POST is a MAY.
    "check_remove_attribute: PATCH modify() did not remove attribute 'active'",  # It is or is not.
)


async def test_it_says_what_it_does(directory: Directory):
    config = (await directory.send("GET", f"{BASE}/ServiceProviderConfig")).json()
    types = (await directory.send("GET", f"{BASE}/ResourceTypes")).json()
    schemas = (await directory.send("GET", f"{BASE}/Schemas")).json()

    assert config["patch"] == config["etag"] == {"supported": True}
    assert config["bulk"]["supported"] is config["sort"]["supported"] is False
    assert [one["endpoint"] for one in types["Resources"]] == ["/Users", "/Groups"]
    for one in (*types["Resources"], *schemas["Resources"]):
        assert (await directory.send("GET", one["meta"]["location"])).json() == one


async def test_what_is_not_there_is_refused_in_scims_form(directory: Directory):
    for method, path, status in (
        ("GET", f"{BASE}/Printers", 404),
        ("GET", f"{BASE}/Schemas/none", 404),
        ("GET", f"{BASE}/ResourceTypes/none", 404),
        ("POST", f"{BASE}/Schemas", 405),
        ("GET", f"{USERS}?sortBy=userName", 400),
        ("GET", f"{GROUPS}?startIndex=x", 400),
    ):
        answer = await directory.send(method, path)
        assert_refused(answer, status, "invalidValue" if status == 400 else None)


async def test_an_independent_program_finds_what_the_rfc_asks_for(directory: Directory):
    from tests.services.auth.scim.outsider import findings  # noqa: PLC0415 - see there.

    found = await findings(directory, BASE)

    told = Counter(result.status.name for result in found)
    wrong = {
        f"{result.title}: {result.reason}"
        for result in found
        if result.status.name in {"DEVIATION", "ERROR", "CRITICAL"}
    }
    assert {one for one in wrong if not one.startswith(DIFFERENT)} == set()
    assert told["SUCCESS"] > 30


async def test_the_worst_bodies_are_refused_in_little_time_and_words(
    app: FastAPI, directory: Directory
):
    headers = {"Authorization": f"Bearer {directory.token}", "Content-Type": SCIM}
    wrong = []

    for method, path, kind, body in worst_bodies(app.openapi()):
        if not path.startswith(BASE):
            continue
        started = time.process_time()
        answer = await directory.client.request(method, path, content=body, headers=headers)
        cpu_s = time.process_time() - started
        if answer.status_code not in {400, 404, 413} or len(answer.content) > 16_384:
            wrong.append((method, path, kind, answer.status_code, len(answer.content)))
        if cpu_s > CPU_MAX_S:
            wrong.append((method, path, kind, cpu_s))

    assert wrong == []
