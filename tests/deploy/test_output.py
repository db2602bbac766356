import json
from errno import ENOSPC

import pytest

from deploy.local import output


def line(**fields):
    return json.dumps(fields)


@pytest.mark.parametrize("level", ["debug", "info"])
def test_everyday_line_is_not_shown(level):
    assert output.application_shows(line(level=level, message="request served")) is None


def test_warning_is_shown_with_its_fields():
    shown = output.application_shows(
        line(level="warning", message="slow", time="2026-01-01", service="auth", took_s=3)
    )

    assert shown == "warning: slow took_s=3"


def test_warning_may_be_left_out_while_errors_may_not():
    assert output.application_shows(line(level="warning", message="w"), output.ERRORS) is None
    assert output.application_shows(line(level="error", message="e"), output.ERRORS) == "error: e"


def test_error_is_shown_with_its_traceback():
    shown = output.application_shows(line(level="error", message="failed", exception="Trace\nEnd"))

    assert shown == "error: failed\nTrace\nEnd"


@pytest.mark.parametrize(
    ("text", "shown"), [("Traceback:  ", "Traceback:"), ("[1]", "[1]"), ("", None)]
)
def test_line_without_structure_is_shown_as_it_is(text, shown):
    assert output.application_shows(text) == shown


@pytest.mark.parametrize(
    ("text", "is_shown"),
    [
        ("2026 [1] x@y FATAL:  could not write: No space left on device", True),
        ("2026 [1] x@y ERROR:  duplicate key value", False),
        ("2026 [1] x@y FATAL:  terminating connection due to administrator command", False),
        ("2026 [1] LOG:  checkpoint complete", False),
    ],
)
def test_postgres_shows_what_stops_it(text, is_shown):
    assert (output.postgres_shows(text) is not None) is is_shown


def test_log_keeps_everything_and_shows_what_matters(tmp_path, capsys):
    log = output.ProcessLog("auth", tmp_path, output.application_shows)

    log.write(line(level="info", message="quiet"))
    log.write(line(level="error", message="loud"))
    log.close()

    assert capsys.readouterr().out == "auth               error: loud\n"
    assert len((tmp_path / "auth.log").read_text().splitlines()) == 2
    assert log.last == "error: loud"


def test_log_file_has_a_bounded_size(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "LOG_SIZE_MAX", 1000)
    log = output.ProcessLog("auth", tmp_path, lambda _: None)

    for _ in range(100):
        log.write("x" * 100)
    log.close()

    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 1000


def test_a_log_that_a_full_disk_does_not_take_is_closed_all_the_same(tmp_path, monkeypatch):
    log = output.ProcessLog("auth", tmp_path, lambda _: None)
    monkeypatch.setattr(output.PrivateFileHandler, "close", refuse)

    log.close()


def refuse(_handler):
    raise OSError(ENOSPC, "No space left on device")
