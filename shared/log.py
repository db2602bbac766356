"""Logs: one JSON object a line on stdout, with whatever the request bound to its context."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

log = structlog.get_logger()

SENSITIVE = frozenset(
    {
        "access_token", "authorization", "client_secret", "code", "cookie", "password",
        "new_password", "current_password", "refresh_token", "secret", "token", "totp",
        "unit_cost", "price", "cost", "iban", "contact",
    }
)  # fmt: skip
REDACTED = "[redacted]"


def configure_logging(service: str, level: str, fmt: str) -> None:
    """Send structlog and the standard library's logging to stdout, as JSON or for a console."""
    shared_steps: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.EventRenamer("message"),
        _named(service),
        redact,
        structlog.processors.format_exc_info,
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
        cache_logger_on_first_use=True,
    )
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


def redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the value of every field whose name says that it is secret."""
    for name in event:
        if name.lower() in SENSITIVE:
            event[name] = REDACTED
    return event


def _named(service: str) -> structlog.types.Processor:
    def add_service(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    return add_service
