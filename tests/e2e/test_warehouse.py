"""docs/warehouse.md does what it says: it is run as it stands there, from top to bottom."""

import asyncio
import os
import re
import subprocess

import pytest

from tests.support.documents import blocks_of
from tests.support.stack import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.slow]

STEP_ENDS = "-- the step ends --"


async def test_each_step_of_the_day_prints_what_the_page_shows(stack, tenant):
    """All that is printed is compared; an answer that is an error where none is shown ends it."""
    steps = blocks_of(ROOT / "docs" / "warehouse.md")
    script = "".join(f"{commands}echo '{STEP_ENDS}'\n" for commands in steps)
    token = tenant["Authorization"].removeprefix("Bearer ")

    done = await asyncio.to_thread(
        subprocess.run,
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT, env=os.environ | {"URL": stack.url, "TOKEN": token},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    functions, *printed, rest = done.stdout.split(f"{STEP_ENDS}\n")
    assert (functions, rest) == ("", "")
    shown = [re.findall(r"(?:^|  )# (.+)$", step, re.MULTILINE) for step in steps[1:]]
    assert [each.splitlines() for each in printed] == shown
    assert all(shown)
