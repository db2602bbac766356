"""Logs: one JSON object a line on stdout, with whatever the request bound to its context."""

import logging
import re
import signal
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

import structlog

from shared.tracing import trace_id_of

log = structlog.get_logger()

SENSITIVE = frozenset(
    {
        "api_key", "authorization", "code", "cookie", "password", "private_key", "secret",
        "set_cookie", "token", "totp", "unit_cost",
        "price", "cost", "iban", "contact",
    }
)  # fmt: skip
_SENSITIVE_ENDINGS = ("_password", "_secret", "_token", "_encryption_key", "_signing_key")
REDACTED = "[redacted]"
_DEPTH_MAX = 8
# asyncpg names the value that it cannot send, pydantic and FastAPI the one that is not valid,
# PostgreSQL the one that it cannot read.
_VALUES = (
    re.compile(r"(?<=invalid input for query argument \$)\d+: .*"),
    re.compile(r"(?<=input_value=).*?(?=, input_type=)", re.DOTALL),
    re.compile(r"(?<='input': ).*"),
    re.compile(r"(?<=invalid input syntax for type )[^\"]*\".*"),
    re.compile(r"(?<=invalid input value for enum )[^\"]*\".*"),
    re.compile(r"(?<=field value out of range: )\".*"),
    re.compile(r"(?<=value )\"[^\"]*\"(?= is out of range)"),
)
# The same in an error that stands within a text, as asyncio writes it: with all that follows.
_DETAIL = re.compile(r"(?<=DETAIL:).*", re.DOTALL)
_DATA_EXCEPTION = "22"  # SQLSTATE: a value that PostgreSQL cannot take; its message repeats it.


def configure_logging(service: str, level: str, fmt: str) -> None:
    """Send structlog and the standard library's logging to stdout, as JSON or for a console."""
    shared_steps: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        name_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.EventRenamer("message"),
        _named(service),
        tell_exception,
        redact,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False)
        if fmt == "json"
        else structlog.dev.ConsoleRenderer(event_key="message")
    )
    structlog.configure(
        processors=[*shared_steps, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,  # The level may change.
    )
    signal.signal(signal.SIGUSR1, lambda *_: _change_level(level))
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared_steps,
        )
    )
    logging.basicConfig(
        handlers=[handler], level=max(logging.getLevelName(level), logging.WARNING), force=True
    )


def _change_level(usual: str) -> None:
    """Log everything from now on, or what is usual again if everything is logged already."""
    everything = structlog.make_filtering_bound_logger(logging.DEBUG)
    now = structlog.get_config()["wrapper_class"]
    level = usual if now is everything else "DEBUG"
    chosen = structlog.make_filtering_bound_logger(logging.getLevelName(level))
    structlog.configure(**structlog.get_config() | {"wrapper_class": chosen})
    log.warning("log level changed", log_level=level)


def name_trace(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Write the id of the trace in place of the whole traceparent."""
    trace_id = trace_id_of(event.pop("traceparent", ""))
    if trace_id:
        event["trace_id"] = trace_id
    return event


def tell_exception(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Write the exception's traceback, without the values that libraries put into their errors."""
    error = _error_of(event.get("exc_info"))
    event = structlog.processors.format_exc_info(logger, method, event)
    if "exception" in event:
        text = str(event["exception"])
        # Line by line, since the traceback of a group indents each.
        for line in (line for detail in _details(error) for line in detail.splitlines() if line):
            text = text.replace(line, REDACTED)
        for value in _VALUES:
            text = value.sub(REDACTED, text)
        event["exception"] = text
    return event


def _error_of(exc_info: object) -> BaseException | None:
    """Return the error that is being logged, in whichever way it was given."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return _error_of(exc_info[1])
    return sys.exc_info()[1] if exc_info else None


def _details(error: BaseException | None) -> Iterator[str]:
    """Give what PostgreSQL says beside its messages: keys and rows, with their values."""
    while error is not None:
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from _details(one)
        state = getattr(error, "sqlstate", None) or ""
        if state and getattr(error, "detail", None):
            yield str(error.detail)  # type: ignore[attr-defined]  # The line above has looked.
        if state.startswith(_DATA_EXCEPTION) and error.args:
            yield str(error.args[0])
        error = error.__cause__ or error.__context__


def redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the value of every field whose name says that it is secret, at any depth.

    Texts lose the values that an error within them names.
    """
    for name, value in event.items():
        if _is_sensitive(name):
            event[name] = REDACTED
        elif name != "exception":  # tell_exception knows that one better.
            event[name] = _redacted(value, _DEPTH_MAX)
    return event


def _redacted(value: object, depth: int) -> object:
    """Return nested mappings and lists without secrets; what lies too deep is left out."""
    if isinstance(value, str):
        return _without_values(value)
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return value
    if depth == 0:
        return REDACTED
    if isinstance(value, Mapping):
        return {
            name: REDACTED if _is_sensitive(str(name)) else _redacted(inner, depth - 1)
            for name, inner in value.items()
        }
    return [_redacted(inner, depth - 1) for inner in value]


def _without_values(text: str) -> str:
    if "DETAIL:" in text:
        text = _DETAIL.sub(REDACTED, text)
    if "input" in text or "out of range" in text:
        for value in _VALUES:
            text = value.sub(REDACTED, text)
    return text


@lru_cache(maxsize=1024)
def _is_sensitive(name: str) -> bool:
    known = name.lower().replace("-", "_")
    return known in SENSITIVE or known.endswith(_SENSITIVE_ENDINGS)


def _named(service: str) -> structlog.types.Processor:
    def add_service(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    return add_service
