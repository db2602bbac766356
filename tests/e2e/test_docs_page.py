"""The page at /docs as a reader uses it, in Chromium: tests/clients/browse.mjs."""

import json
import os
import platform

import pytest

from tests.support.node import node

pytestmark = [
    pytest.mark.stack,
    pytest.mark.slow,
    pytest.mark.skipif(
        (platform.system(), platform.machine()) != ("Linux", "x86_64"),
        reason="the Chromium of its npm package is built for Linux on x86-64",
    ),
]

# The package's own names a fixed folder for its fonts; without any font Chromium ends.
FONTS = """<?xml version="1.0"?>
<fontconfig><dir>{unpacked}/fonts</dir><cachedir>{unpacked}/font-cache</cachedir></fontconfig>
"""


@pytest.fixture
async def environment(stack, client, project) -> dict[str, str]:
    """What the reader is told, and where Chromium is unpacked with the libraries that it needs."""
    told = await stack.add_tenant(client, password_change_required=True)
    unpacked = project / "unpacked"
    unpacked.mkdir()
    fonts = unpacked / "fonts.conf"
    fonts.write_text(FONTS.format(unpacked=unpacked))
    return {
        **os.environ,
        **{name.upper(): value for name, value in told.items()},
        "API_URL": stack.url,
        "NEW_PASSWORD": "gravel umbrella sonnet 7",
        "TMPDIR": str(unpacked),
        "FONTCONFIG_FILE": str(fonts),
        "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs24.x",  # By this the package unpacks libraries too.
    }


def test_an_administrator_enrols_tries_an_operation_and_signs_in_again(project, environment):
    """All by the page, which loads nothing from elsewhere and breaks none of its own rules."""
    seen = json.loads(node(project, "browse.mjs", env=environment))

    assert seen == {
        "enrolled": "boss@example.com",
        "recoveryCodes": 10,
        "samples": ["curl", "import", "const"],
        "tried": "201",
        "again": "boss@example.com",
        "byPasskey": "boss@example.com",
        "outside": [],
        "refused": [],
        "faults": [],
    }
