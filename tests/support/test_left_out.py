"""What a run leaves out is told at its end, a line for each reason."""

import pytest

from tests.support.left_out import left_out

NEEDED = "Skipped: needs Debian's redis-server, which speaks TLS"


def skipped(nodeid, reason):
    return pytest.TestReport(
        nodeid, ("f", 1, "t"), {}, "skipped", ("tests/f.py", 1, reason), "setup"
    )


def passed(nodeid):
    return pytest.TestReport(nodeid, ("f", 1, "t"), {}, "passed", None, "call")


def test_tests_are_counted_by_what_they_lack():
    reports = [
        skipped("tests/shared/test_tls.py::test_one", NEEDED),
        skipped("tests/shared/test_tls.py::test_two[1]", NEEDED),
        skipped("tests/deploy/test_alerts.py::test_three", "Skipped: promtool is not installed"),
        passed("tests/shared/test_clock.py::test_four"),
    ]

    assert left_out(reports) == [
        "left out: 2, needs Debian's redis-server, which speaks TLS (test_tls.py)",
        "left out: 1, promtool is not installed (test_alerts.py)",
    ]


def test_many_files_are_told_in_short():
    reports = [skipped(f"tests/test_{number}.py::test", NEEDED) for number in range(6)]

    [line] = left_out(reports)

    assert line.endswith("(test_0.py, test_1.py, test_2.py, test_3.py, 2 more)")


def test_a_module_that_was_left_out_whole_is_told():
    report = pytest.CollectReport("tests/test_all.py", "skipped", ("f", 1, "Skipped: why"), [])

    assert left_out([report]) == ["left out: 1, why (test_all.py)"]


def test_a_run_of_everything_tells_nothing():
    assert left_out([passed("tests/test_a.py::test")]) == []
