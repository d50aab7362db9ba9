"""Log records on standard error: a line for people on a terminal, else one JSON object a line."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from infersight._config import Console
from infersight._context import request_of, span_context_of, trace_fields
from infersight._redact import Redactor
from infersight._structured import STRUCTURED
from infersight._values import carriable, exception_attributes, safe_str

STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every log record has; anything else on one was given as `extra`."""


def message_of(record: logging.LogRecord) -> str:
    """The formatted message; the unformatted one where its arguments do not fit."""
    try:
        return safe_str(record.getMessage())
    except Exception:  # noqa: BLE001 - a wrong log call is no reason to lose the record
        return safe_str(record.msg)


def extras_of(record: logging.LogRecord) -> dict[str, object]:
    """What was given as `extra`."""
    return {key: value for key, value in vars(record).items() if key not in STANDARD_FIELDS and key != STRUCTURED}


def _trace_fields(record: logging.LogRecord) -> dict[str, str]:
    return trace_fields(span_context_of(record), request_of(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a record.

    Its keys: time (ISO 8601, UTC), level, logger, message, trace_id and span_id where a span is current, request_id
    where the request has one, service, attributes (what was given as `extra`), exception.
    """

    def __init__(self, service: str, redactor: Redactor | None = None) -> None:
        super().__init__()
        self._service = service
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line."""
        said: dict[str, object] = {"message": message_of(record)}
        if extras := extras_of(record):
            said["attributes"] = carriable(extras)
        if record.exc_info and record.exc_info[1] is not None:
            said["exception"] = exception_attributes(record.exc_info[1])
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            **_trace_fields(record),
            "service": self._service,
            **(said if self._redactor is None else self._redactor.attributes(said)),
        }
        return json.dumps(line, ensure_ascii=False, default=safe_str)


class HumanFormatter(logging.Formatter):
    """Time of day, level, logger, message, extras and the trace id; an exception's traceback below."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record for reading."""
        time = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
        facts = extras_of(record)
        if self._redactor is not None:
            facts = dict(self._redactor.attributes(facts))
        facts.update(_trace_fields(record))
        facts.pop("span_id", None)
        words = [f"{time} {record.levelname:<8} {record.name} {message_of(record)}"]
        words += [f"{key}={safe_str(value)}" for key, value in facts.items()]
        line = "  ".join(words)
        if record.exc_info and record.exc_info[1] is not None:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line if self._redactor is None else self._redactor.text(line)


def console_handler(console: Console, service: str, redactor: Redactor | None) -> logging.Handler | None:
    """The handler for a console mode; None for `off`."""
    if console == "off":
        return None
    handler = logging.StreamHandler(sys.stderr)
    human = console == "human" or (console == "auto" and sys.stderr.isatty())
    handler.setFormatter(HumanFormatter(redactor) if human else JsonFormatter(service, redactor))
    return handler
