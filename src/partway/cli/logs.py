"""Log lines of the server: for people on a terminal, JSON otherwise; always on standard error."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """Set up structlog, and the standard library's logging beneath libraries, at ``level``."""
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if not sys.stderr.isatty() else _untouched,
            structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_on_standard_error,
    )
    logging.basicConfig(
        stream=sys.stderr, level=max(number, logging.WARNING), format="%(levelname)s %(name)s %(message)s"
    )


def _on_standard_error(*_: object) -> structlog.PrintLogger:
    """As it is at this moment: whoever has put another in its place has closed the one before."""
    return structlog.PrintLogger(sys.stderr)


def _untouched(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event
