"""loguru: its records over OTLP, and the trace on its own output."""

import logging
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from infersight import _attributes as names
from infersight._configure import is_off, state
from infersight._context import trace_fields
from infersight._errors import MissingExtraError
from infersight._faults import report
from infersight._logs import log_record
from infersight._recording import KeptLog
from infersight._request import current_request
from infersight._structured import TRACE_FIELDS
from infersight._values import AttributeValue, carriable, exception_attributes, safe_str, text

if TYPE_CHECKING:
    from loguru import Message, Record


def instrument_loguru(level: str = "INFO") -> None:
    """Send loguru's records over OTLP, and add the trace to them; call it after `logger.remove` and `logger.add`.

    `extra` (bound values too) becomes attributes, and gets `trace_id`, `span_id`, `request_id` and `service` for the
    formats of other sinks. Do not pass records from loguru to the standard library, or back, besides: they would be
    sent twice.

    Args:
        level: the lowest level that is sent; what is below it, from DEBUG, goes to the flight recorder.

    Raises:
        MissingExtraError: loguru is not installed.
        ValueError: loguru knows no such level.
    """
    if is_off():
        return
    try:
        from loguru import logger  # noqa: PLC0415 - only when used
    except ImportError:
        raise MissingExtraError("instrument_loguru", "loguru") from None
    lowest = logger.level(level).no
    # loguru has one patcher for all loggers and no public way to ask for it.
    before: Any = getattr(getattr(logger, "_core", None), "patcher", None)

    def patch(record: "Record") -> None:
        if before is not None:
            before(record)
        try:
            _add_trace(record)
        except Exception:  # noqa: BLE001 - a log call must not fail for its telemetry
            report("add the trace to a log record")

    def sink(message: "Message") -> None:
        try:
            _take(message.record, lowest)
        except Exception:  # noqa: BLE001 - a log call must not fail for its telemetry
            report("send a log record")

    logger.configure(patcher=patch)
    logger.add(sink, level=min(lowest, logging.DEBUG), format="{message}")


def _take(record: "Record", lowest: int) -> None:
    running, request = state.running, current_request.get()
    if running is None:
        return
    name, level = record["name"] or "loguru", record["level"]
    time_ns = int(record["time"].timestamp() * 1e6) * 1_000
    if level.no >= lowest:
        otlp = log_record(time_ns, level.no, level.name, safe_str(record["message"]), _attributes(record))
        running.providers.logger.get_logger(name).emit(otlp)
    elif request is not None and request.recording is not None:
        context = get_current_span().get_span_context()
        body = safe_str(record["message"])
        request.recording.keep(KeptLog(name, time_ns, level.no, body, _attributes(record), context))


def _attributes(record: "Record") -> dict[str, AttributeValue]:
    extra = {safe_str(key): carriable(value) for key, value in record["extra"].items() if key not in TRACE_FIELDS}
    extra[names.CODE_FILE_PATH] = text(record["file"].path)
    extra[names.CODE_FUNCTION_NAME] = record["function"]
    extra[names.CODE_LINE_NUMBER] = record["line"]
    exception = record["exception"]
    if exception is not None and exception.value is not None:
        extra.update(exception_attributes(exception.value))
    return extra


def _add_trace(record: "Record") -> None:
    record["extra"].update(trace_fields(get_current_span().get_span_context(), current_request.get()))
    if state.running is not None:
        record["extra"].setdefault("service", state.running.providers.service_name)
