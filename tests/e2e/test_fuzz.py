"""Schemathesis over each service's document, through the gateway of the whole system."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow]

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,ignored_auth"
)


@pytest.mark.parametrize("service", ["auth", "inventory", "forecasting", "reporting"])
async def test_no_input_breaks_a_service_or_its_document(
    stack: Stack, client, tenant, service: str, tmp_path: Path
):
    # A tenant of its own: the fuzzer ends sessions and locks people, which must not touch others.
    command = [
        *(str(Path(sys.executable).parent / "st"), "run", f"{stack.url}/openapi/{service}.json"),
        *("--url", stack.url, "--header", f"Authorization: {tenant['Authorization']}"),
        *("--checks", CHECKS, "--continue-on-failure", "--mode", "all", "--seed", "1"),
        *("--max-examples", "10", "--phases", "examples,coverage,fuzzing", "--no-color"),
        *("--exclude-path", "/api/auth/logout", "--request-timeout", "120", "--no-shrink"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()[-8000:]
