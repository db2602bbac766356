import json
import logging
import signal

import asyncpg
import pytest
import structlog
from fastapi.exceptions import ResponseValidationError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError

from shared.log import REDACTED, SENSITIVE, configure_logging, redact

CANARY = "canary-7f3a"


@pytest.fixture
def logged(capsys):
    """Configure logging as a process does and return a function that gives the lines written."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()

    def configure(level: str = "INFO", fmt: str = "json"):
        configure_logging("inventory", level, fmt)
        return structlog.get_logger()

    configure.lines = lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    configure.text = lambda: capsys.readouterr().out
    structlog.contextvars.clear_contextvars()  # What a request in another test has bound.
    yield configure
    structlog.contextvars.clear_contextvars()
    root.handlers, root.level = before[:2]
    structlog.configure(**before[2])


def test_a_line_is_one_json_object_with_time_level_service_and_context(logged):
    log = logged()
    structlog.contextvars.bind_contextvars(request_id="r-1")

    log.info("stock reserved", item="A\n1", quantity=3)

    (line,) = logged.lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "message": "stock reserved", "level": "info", "service": "inventory",
        "request_id": "r-1", "item": "A\n1", "quantity": 3,
    }  # fmt: skip


def test_a_line_of_a_traced_request_names_its_trace(logged):
    log = logged()
    structlog.contextvars.bind_contextvars(traceparent="00-" + "ab" * 16 + "-" + "cd" * 8 + "-01")

    log.info("stock reserved")
    structlog.contextvars.bind_contextvars(traceparent="")
    log.info("stock released")

    reserved, released = logged.lines()
    assert reserved["trace_id"] == "ab" * 16
    assert "trace_id" not in released
    assert "traceparent" not in reserved | released


def test_the_level_is_changed_by_a_signal_and_back_by_another(logged):
    log = logged("WARNING")

    log.debug("before")
    signal.raise_signal(signal.SIGUSR1)
    log.debug("between")
    signal.raise_signal(signal.SIGUSR1)
    log.debug("after")

    assert [(line["message"], line.get("log_level")) for line in logged.lines()] == [
        ("log level changed", "DEBUG"), ("between", None), ("log level changed", "WARNING"),
    ]  # fmt: skip


def test_lines_below_the_level_are_not_written(logged):
    log = logged("WARNING")

    log.info("quiet")
    log.warning("loud")

    assert [line["message"] for line in logged.lines()] == ["loud"]


@pytest.mark.parametrize("fmt", ["json", "console"])
@pytest.mark.parametrize(
    "fields",
    [
        {"password": CANARY},
        {"Authorization": f"Bearer {CANARY}"},
        {"set-cookie": CANARY, "api-key": CANARY},
        {"client_secret": CANARY, "inventory_client_secret": CANARY},
        {"refresh_token": CANARY, "price_encryption_key": CANARY, "journal_signing_key": CANARY},
        {"body": {"password": CANARY}},
        {"body": {"users": [{"name": "x", "new_password": CANARY}]}},
        {"requests": [({"headers": {"authorization": CANARY}},)]},
        {"body": {"lines": [{"unit_cost": CANARY}, {"price": CANARY}]}},
        {"token": {"inner": CANARY}},
        {"deep": [[[[[[[[[[[[{"password": CANARY}]]]]]]]]]]]]},
    ],
)
def test_a_secret_is_not_written_at_any_depth(logged, fmt, fields):
    log = logged(fmt=fmt)

    log.info("request", **fields)

    text = logged.text()
    assert "request" in text
    assert CANARY not in text


def test_what_is_bound_to_the_context_is_redacted_too(logged):
    log = logged()
    structlog.contextvars.bind_contextvars(token=CANARY)

    log.info("request")

    assert logged.lines()[0]["token"] == REDACTED


def test_what_is_no_secret_stays(logged):
    log = logged()

    log.info("saved", item={"name": "Pasta", "tags": ("a", "b")}, sizes=[1, {"kg": 2}], key="k-1")

    (line,) = logged.lines()
    assert line["item"] == {"name": "Pasta", "tags": ["a", "b"]}
    assert line["sizes"] == [1, {"kg": 2}]
    assert line["key"] == "k-1"


def test_the_caller_keeps_his_own_object():
    body = {"password": CANARY, "inner": [{"token": CANARY}]}

    redact(None, "info", {"body": body})

    assert body == {"password": CANARY, "inner": [{"token": CANARY}]}


def test_an_exception_is_written_with_its_place_in_the_same_line(logged):
    log = logged()

    try:
        [].pop()
    except IndexError:
        log.exception("failed")

    (line,) = logged.lines()
    assert "pop from empty list" in line["exception"]
    assert "test_log.py" in line["exception"]


def test_libraries_write_the_same_lines_and_only_from_warnings_on(logged):
    logged()

    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("careful %s", "there")

    (line,) = logged.lines()
    assert (line["message"], line["level"], line["service"]) == (
        "careful there", "warning", "inventory",
    )  # fmt: skip


nested = st.recursive(
    st.just(CANARY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@given(st.sampled_from(sorted(SENSITIVE)), nested)
def test_whatever_a_secret_field_holds_is_gone(name, value):
    event = redact(None, "info", {name.upper(): value, "outer": {name.replace("_", "-"): value}})

    assert event == {name.upper(): REDACTED, "outer": {name.replace("_", "-"): REDACTED}}


def refused_by_the_database() -> Exception:
    """As asyncpg raises it: the message is harmless, the detail is the row."""
    return asyncpg.PostgresError.new(
        {"C": "23505", "M": "duplicate key value", "D": f"Key (name)=({CANARY}\n{CANARY}) exists."}
    )


def wrapped_by_sqlalchemy() -> Exception:
    inner = refused_by_the_database()
    outer = IntegrityError("INSERT", {}, inner, hide_parameters=True)
    outer.__cause__ = inner
    return outer


def not_sendable() -> Exception:
    return asyncpg.DataError(f"invalid input for query argument $1: {CANARY!r} (expected int)")


def not_readable() -> Exception:
    """As asyncpg raises what PostgreSQL cannot read: here the message itself is the value."""
    return asyncpg.PostgresError.new(
        {"C": "22P02", "M": f'invalid input syntax for type uuid: "{CANARY}"'}
    )


def not_valid() -> Exception:
    try:
        TypeAdapter(list[int]).validate_python([CANARY])
    except ValueError as error:
        return error
    raise AssertionError


def not_answerable() -> Exception:
    """As FastAPI says that an answer of ours breaks its own model."""
    wrong = {"type": "int_type", "loc": ("response",), "msg": "no", "input": CANARY, "ctx": {}}
    return ResponseValidationError([wrong])


@pytest.mark.parametrize(
    "error",
    [
        refused_by_the_database(),
        wrapped_by_sqlalchemy(),
        ExceptionGroup("several", [LookupError("x"), wrapped_by_sqlalchemy()]),
        not_sendable(),
        not_readable(),
        not_valid(),
        not_answerable(),
    ],
    ids=["asyncpg", "sqlalchemy", "group", "argument", "syntax", "pydantic", "fastapi"],
)
def test_an_error_is_logged_without_the_values_that_it_was_about(logged, error):
    log = logged()
    try:
        raise error  # noqa: TRY301 - an error has a traceback once it was raised.
    except Exception:
        log.exception("failed")
        log.exception("failed", exc_info=error)
        logging.getLogger("a.library").exception("failed")

    text = logged.text()
    assert text.count("Traceback") == 3
    assert type(error).__name__ in text
    assert CANARY not in text


@pytest.mark.parametrize(
    "error",
    [wrapped_by_sqlalchemy(), not_sendable(), not_valid()],
    ids=["detail", "argument", "input"],
)
def test_an_error_told_in_words_loses_its_values_too(logged, error):
    log = logged()

    log.warning("dependency away", reason=repr(error))
    log.warning("not done", reasons=[str(error)])
    logging.getLogger("asyncio").error("Task exception was never retrieved: exception=%r", error)

    text = logged.text()
    assert text.count("\n") == text.count(REDACTED) == 3
    assert CANARY not in text


@pytest.mark.stack
async def test_what_a_database_refuses_is_logged_without_its_values(logged, databases):
    """The real errors, of the real driver, by both ways to it."""
    log = logged()
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        "CREATE TEMP TABLE people (name text UNIQUE, age int CHECK (age > 0), id uuid)"
    )
    await connection.execute("INSERT INTO people VALUES ($1)", CANARY)
    refused = [
        ("INSERT INTO people VALUES ($1)", CANARY),
        ("INSERT INTO people VALUES ($1, -1)", CANARY),
        ("INSERT INTO people (age) VALUES ($1)", CANARY),
        ("SELECT ($1::text)::uuid", CANARY),
        ("SELECT ($1::text)::timestamptz", CANARY),
        ("SELECT ($1::text)::jsonb", CANARY),
        ("SELECT ($1::text)::int", "99999999999999"),
        ("SELECT ($1::text)::date", "2026-99-99"),
    ]

    for statement, value in refused:
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as raised:
            await connection.execute(statement, value)
        log.error("failed", exc_info=raised.value)
        log.error("failed", reason=repr(raised.value))

    text = logged.text()
    assert [value for _, value in refused if value in text] == []
    await connection.close()
