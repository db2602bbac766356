"""Clients made from the document by common generators, at work on the whole system.

The Python client is that of openapi-python-client, the TypeScript one that of openapi-typescript
with openapi-fetch, type-checked by tsc. What each does is in tests/clients/tour.*.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.authenticator import Authenticators
from tests.support.node import FOLDER, node, output_of
from tests.support.stack import sign_in

pytestmark = [pytest.mark.stack, pytest.mark.slow]

SEEN = {"asked": "two_factor_required", "par_level": "12.5", "refused": "item_code_taken"}


@pytest.fixture
async def document(client, tmp_path) -> Path:
    """The merged document as the gateway gives it, in a file."""
    path = tmp_path / "openapi.json"
    path.write_bytes((await client.get("/openapi.json")).content)
    return path


@pytest.fixture
async def told(stack, client) -> Callable[[], dict[str, str]]:
    """What a tour that begins now is told: where the system is, and how to sign in."""
    credentials, authenticators = await stack.add_tenant(client), Authenticators()
    await sign_in(client, credentials, authenticators)  # Enrols.
    named = {name.upper(): value for name, value in credentials.items()}
    return lambda: {
        **os.environ,
        **named,
        "CODE": authenticators.code_of(credentials),
        "API_URL": stack.url,
    }


def python(*arguments: str, **more: object) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(  # noqa: S603 - our own command.
        command, capture_output=True, text=True, check=False, **more
    )
    return output_of(done)


def test_the_document_of_the_running_system_is_valid(document):
    assert list(OpenAPIV31SpecValidator(json.loads(document.read_text())).iter_errors()) == []


def test_a_python_client_signs_in_adds_reads_and_is_refused(document, told, tmp_path):
    made, settings = tmp_path / "made", tmp_path / "settings.yaml"
    settings.write_text("post_hooks: []\n")
    where = {**os.environ, "MYPYPATH": str(made)}

    said = python(
        *("-m", "openapi_python_client", "generate", "--path", str(document)),
        *("--config", str(settings), "--output-path", str(made), "--fail-on-warning"),
    )
    python(
        *("-m", "mypy", "--strict", "--follow-imports=silent", "--config-file="),
        *("--cache-dir", str(tmp_path / "mypy"), str(FOLDER / "tour.py")),
        env=where,
    )
    seen = python(str(FOLDER / "tour.py"), env={**told(), "PYTHONPATH": str(made)})

    assert "Warning" not in said
    assert json.loads(seen) == SEEN


def test_a_typescript_client_signs_in_adds_reads_and_is_refused(document, told, project):
    """With its types checked: the generator's default takes fields with a default for required."""
    node(
        project,
        *("node_modules/openapi-typescript/bin/cli.js", str(document)),
        *("--output", "schema.d.ts", "--default-non-nullable=false"),
    )
    node(project, "node_modules/typescript/bin/tsc", "--project", ".")
    seen = node(project, "tour.ts", env=told())

    assert json.loads(seen) == SEEN
