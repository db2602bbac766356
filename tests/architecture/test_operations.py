"""What the documents say of operations is written for people: summaries, parameters, tags."""

import json
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.openapi import merge, public_part
from tests.architecture.test_openapi import document_of, each_service, operations
from tests.support.tree import services

SUMMARY_LENGTH_MAX = 50  # What a list beside the operations shows whole.


def merged_document() -> dict[str, Any]:
    return merge({service.name: public_part(document_of(service.name)) for service in services()})


@each_service
def test_the_document_is_valid_openapi(name):
    assert list(OpenAPIV31SpecValidator(document_of(name)).iter_errors()) == []


def test_the_merged_document_is_valid_openapi():
    assert list(OpenAPIV31SpecValidator(merged_document()).iter_errors()) == []


@pytest.mark.slow
def test_a_client_can_be_made_of_the_merged_document(tmp_path):
    """What a generator leaves out, it warns of; what clients do is in tests/e2e/test_clients.py."""
    document, settings = tmp_path / "openapi.json", tmp_path / "settings.yaml"
    document.write_text(json.dumps(merged_document()))
    settings.write_text("post_hooks: []\n")

    done = subprocess.run(  # noqa: S603 - our own command.
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--path", str(document)),
            *("--config", str(settings), "--output-path", str(tmp_path / "made")),
            "--fail-on-warning",
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@each_service
def test_every_operation_has_a_short_summary_of_its_own(name):
    """The first line of its docstring; never its function's name in capitals."""
    summaries = {where: operation["summary"] for where, operation in operations(name)}
    from_names = {
        operation["operationId"].replace("_", " ").title() for _, operation in operations(name)
    }
    bad = {
        where: summary
        for where, summary in summaries.items()
        if summary in from_names
        or len(summary.split()) < 2
        or not summary[0].isupper()
        or summary.endswith(".")
        or len(summary) > SUMMARY_LENGTH_MAX
    }

    assert bad == {}
    assert [text for text, times in Counter(summaries.values()).items() if times > 1] == []


@each_service
def test_a_description_says_more_than_the_summary(name):
    described = [operation for _, operation in operations(name) if "description" in operation]

    assert [one for one in described if one["summary"] in one["description"]] == []
    assert all(one["description"].strip() for one in described)


@each_service
def test_every_parameter_is_described(name):
    bare = [
        f"{where}: {parameter['name']}"
        for where, operation in operations(name)
        for parameter in operation["parameters"]
        if not parameter.get("description")
    ]

    assert bare == []


@each_service
def test_no_parameter_can_be_null(name):
    nullable = [
        f"{where}: {parameter['name']}"
        for where, operation in operations(name)
        for parameter in operation["parameters"]
        if {"type": "null"} in parameter["schema"].get("anyOf", ())
    ]

    assert nullable == []


@each_service
def test_every_form_of_an_answer_has_a_name(name):
    """Clients are made with a class for each form; what has no name they get once an answer."""
    nameless = [
        f"{where}: {status}"
        for where, operation in operations(name)
        for status, response in operation["responses"].items()
        for media in response.get("content", {}).values()
        if "properties" in media.get("schema", {})
    ]

    assert nameless == []


@each_service
def test_every_success_says_what_it_is(name):
    said = {
        response["description"]
        for _, operation in operations(name)
        for response in operation["responses"].values()
    }

    assert "Successful Response" not in said


@each_service
def test_a_past_moment_says_what_the_future_is(name):
    silent = [
        where
        for where, operation in operations(name)
        for parameter in operation["parameters"]
        if parameter["name"] in {"as_of", "known_at"}
        and parameter["schema"].get("const") != "now"
        and "in the future" not in parameter["description"]
    ]

    assert silent == []


@each_service
def test_every_tag_is_described_and_used(name):
    """Each operation has one, and the document names them in an order that was chosen."""
    used = [operation["tags"] for _, operation in operations(name)]
    described = {tag["name"]: tag["description"] for tag in document_of(name)["tags"]}

    assert {len(tags) for tags in used} == {1}
    assert {tag for (tag,) in used} == described.keys()
    assert all(described.values())


def test_the_merged_document_keeps_the_tags_in_their_order():
    assert [tag["name"] for tag in merged_document()["tags"]] == [
        tag["name"] for service in services() for tag in document_of(service.name)["tags"]
    ]


def test_no_two_services_have_an_operation_of_one_name():
    """It would be renamed in the merged document, and then in the clients made from it."""
    names = Counter(
        operation["operationId"]
        for service in services()
        for _, operation in operations(service.name)
    )

    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("part", ["info", "tags"])
def test_texts_of_documents_are_sentences(part):
    for service in services():
        found = document_of(service.name)[part]
        for each in found if isinstance(found, list) else [found]:
            assert each["description"].endswith(".")
