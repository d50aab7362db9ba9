"""structlog: its events over OTLP with their structure, and the trace on its own output."""

import logging
import time
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import get_current_span

from infersight._configure import is_off, state
from infersight._context import trace_fields
from infersight._errors import MissingExtraError
from infersight._faults import report
from infersight._logs import log_record
from infersight._request import current_request
from infersight._structured import STRUCTURED, parts_of

if TYPE_CHECKING:
    from structlog.typing import Processor

_LEVELS: Final = {**logging.getLevelNamesMapping(), "EXCEPTION": logging.ERROR, "MSG": logging.INFO}


def instrument_structlog() -> None:
    """Send structlog's events over OTLP, and add the trace to them; call it after `structlog.configure`.

    The last processor, the renderer, is wrapped. What comes before it has run: what a processor drops is not sent, what
    one adds is. Where structlog writes to the standard library's loggers, their levels decide and each event is sent
    once. Events get `trace_id`, `span_id`, `request_id` and `service` for the renderer.

    Raises:
        MissingExtraError: structlog is not installed.
    """
    if is_off():
        return
    try:
        import structlog  # noqa: PLC0415 - only when used
    except ImportError:
        raise MissingExtraError("instrument_structlog", "structlog") from None
    try:
        processors = structlog.get_config()["processors"]
        if not processors or isinstance(processors[-1], Sender):
            return
        wrapped = Sender(processors[-1])
        if structlog.is_configured() and isinstance(processors, list):
            processors[-1] = wrapped  # loggers that are in use already share this list
        else:
            structlog.configure(processors=[*processors[:-1], wrapped])
    except Exception:  # noqa: BLE001 - the application starts in any case
        report("instrument structlog")


class Sender:
    """A processor: sends the event, then renders it as before.

    Args:
        render: the processor in whose place it stands.
    """

    def __init__(self, render: "Processor") -> None:
        self._render = render

    def __call__(self, logger: Any, name: str, event_dict: MutableMapping[str, Any]) -> Any:
        """Process one event."""
        event: dict[str, Any] | None = None
        try:
            if state.running is not None:
                event = dict(event_dict)
                if not isinstance(logger, logging.Logger):
                    _send(event, name)
                _add_trace(event_dict)
        except Exception:  # noqa: BLE001 - a log call must not fail for its telemetry
            report("send a log record")
        rendered: Any = self._render(logger, name, event_dict)
        if event is not None and isinstance(logger, logging.Logger) and isinstance(rendered, str | bytes):
            # Whether this event is logged is decided by the standard library: the event goes there with its text.
            return (rendered,), {"extra": {STRUCTURED: event}}
        return rendered


def _send(event: dict[str, Any], method: str) -> None:
    running = state.running
    if running is None:
        return
    body, attributes = parts_of(event)
    level = _LEVELS.get(method.upper(), logging.INFO)
    record = log_record(time.time_ns(), level, logging.getLevelName(level), body, attributes)
    running.providers.logger.get_logger(str(event.get("logger", "structlog"))).emit(record)


def _add_trace(event: MutableMapping[str, Any]) -> None:
    for key, value in trace_fields(get_current_span().get_span_context(), current_request.get()).items():
        event.setdefault(key, value)
    if state.running is not None:
        event.setdefault("service", state.running.providers.service_name)
