"""The calls that pages tell a reader to make, made as they stand there on the whole system."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.support.node import output_of
from tests.support.stack import Stack
from tests.support.tree import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.slow]

# An authenticator that waits less than the page's: a code counts half a minute before its time.
CODE = """code() { "$PYTHON" -c 'import pathlib, pyotp, sys, time
last = pathlib.Path(sys.argv[2])
step = max(int(last.read_text()) + 1 if last.exists() else 0, int(time.time()) // 30)
last.write_text(str(step))
time.sleep(max(0, (step - 1) * 30 - time.time()))
print(pyotp.TOTP(sys.argv[1]).generate_otp(step))' "$SECRET" "$LAST_STEP"; }
"""


def blocks(page: str) -> list[str]:
    """Return what stands in the shell blocks of a page, one after the other."""
    found = re.findall(
        r"^( *)```sh\n(.*?)^\1```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL
    )
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def run(calls: list[str], **told: str) -> list[str]:
    """Run calls in one shell, and return the lines of what they print."""
    script = "set -eu -o pipefail\n" + "\n".join(calls)
    done = subprocess.run(  # noqa: S603 - our own pages.
        ["/bin/bash", "-c", script],
        cwd=ROOT,
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=False,
    )
    return output_of(done).splitlines()


def of(stack: Stack, block: str) -> str:
    return block.replace("http://127.0.0.1:8083", stack.url).replace(".local", str(stack.folder))


async def test_a_person_signs_in_by_hand_as_the_page_says(stack, client, tmp_path):
    told = await stack.add_tenant(client, password_change_required=True)
    who = "".join(f"{name.upper()}={value}\n" for name, value in told.items())
    helpers, *calls = blocks("docs/signing-in.md")

    said = run(
        [of(stack, helpers), who, CODE, *calls],
        PYTHON=sys.executable,
        LAST_STEP=str(tmp_path / "last_step"),
    )

    account, refused, items = said[0], said[1], said[2]
    assert json.loads(account)["email"] == told["email"]
    assert refused == "two_factor_required"
    assert json.loads(items) == {"items": [], "next_cursor": None}
    assert len(said) == 3  # Signing out says nothing.


async def test_the_first_calls_do_what_the_page_says(stack, client):
    headers = await stack.new_tenant(client)
    token = headers["Authorization"].removeprefix("Bearer ")
    beginning, *calls = blocks("README.md")

    said = run([of(stack, beginning).replace("$(make -s token)", token), *calls])

    answers = [json.loads(line) for line in said if line]
    assert [answer.get("code") for answer in answers[1:5]] == [
        "SPAGHETTI-500", None, "SPAGHETTI-500", "insufficient_stock",
    ]  # fmt: skip
    assert answers[3]["on_hand"] == "144"
    assert answers[4]["title"] == "Stock insuffisant"
    assert [answer["ok"] for answer in answers[5:]] == [True, True], answers[5:]
