import pytest

from deploy.local.postgres import reason_in

FULL = """
creating configuration files ... ok
2026-11-22 01:00:00.000 UTC [1] FATAL:  could not write to file "pg_wal/1": No space left on device
child process exited with exit code 1
initdb: removing contents of data directory "/x/postgres.new"
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (FULL, 'FATAL:  could not write to file "pg_wal/1": No space left on device'),
        ("initdb: error: could not look up effective user ID 1234\n\n", "effective user ID 1234"),
        ("something unforeseen\n", "something unforeseen"),
        ("", "no message"),
    ],
)
def test_reason_is_the_first_complaint(output, reason):
    assert reason_in(output).endswith(reason)
