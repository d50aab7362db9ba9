"""The standard library's logging to OTLP, with the trace of each record, beside the application's own handlers."""

import logging
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry._logs import LoggerProvider, LogRecord
from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from infersight import _attributes as names
from infersight._config import Console
from infersight._console import console_handler, extras_of, message_of
from infersight._context import context_of, request_of, span_context_of
from infersight._faults import report
from infersight._redact import Redactor
from infersight._severity import OWN_TRANSPORT, severity_number, severity_text
from infersight._structured import event_of, parts_of
from infersight._values import AttributeValue, carriable, exception_attributes, text

_FOR_ITS_HANDLERS: Final = "torch.__trace"
"""PyTorch's logger of what `torch.compile` does, always at DEBUG: as long as it has a handler, each compilation writes
hundreds of records into it."""


class OtlpHandler(logging.Handler):
    """Hands each log record to an OpenTelemetry logger of the same name."""

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; never raises."""
        if record.name.startswith(OWN_TRANSPORT) or otel_context.get_value(
            otel_context._SUPPRESS_INSTRUMENTATION_KEY  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - set by exporters, has no public name
        ):
            return
        try:
            self._provider.get_logger(record.name).emit(_translate(record))
        except Exception:  # noqa: BLE001 - a log call must not fail for its telemetry
            report("send a log record")


def _translate(record: logging.LogRecord) -> LogRecord:
    event = event_of(vars(record), record.msg)
    if event is not None:
        body, attributes = parts_of(event)
    else:
        of_text = isinstance(record.msg, str) or record.args
        body = message_of(record) if of_text else carriable(record.msg)
        attributes = {key: carriable(value) for key, value in extras_of(record).items()}
    attributes[names.CODE_FILE_PATH] = text(record.pathname)
    attributes[names.CODE_FUNCTION_NAME] = record.funcName
    attributes[names.CODE_LINE_NUMBER] = record.lineno
    if record.stack_info:
        attributes[names.CODE_STACKTRACE] = text(record.stack_info)
    if record.exc_info and record.exc_info[1] is not None:
        attributes.update(exception_attributes(record.exc_info[1]))
    request = request_of(record)
    if request is not None and request.id:
        attributes[names.REQUEST_ID] = request.id
    in_span = get_current_span().get_span_context().is_valid
    return log_record(
        int(record.created * 1e9),
        record.levelno,
        record.levelname,
        body,
        attributes,
        None if in_span else context_of(span_context_of(record)),
    )


def log_record(  # noqa: PLR0917 - one call for each way in, all of them with all
    time_ns: int,
    level: int,
    level_name: str,
    body: AttributeValue,
    attributes: dict[str, AttributeValue],
    context: Context | None = None,
) -> LogRecord:
    """A log record of OpenTelemetry, from what every logging library has; in the current context without another."""
    return LogRecord(
        timestamp=time_ns,
        context=context,
        severity_number=severity_number(level),
        severity_text=severity_text(level_name),
        body=body,
        attributes=attributes,
    )


class LogBridge:
    """Our handlers on the loggers, put there and taken away again."""

    def __init__(
        self,
        provider: LoggerProvider,
        console: Console,
        level: int | None,
        service: str,
        redactor: Redactor | None = None,
    ) -> None:
        root = logging.getLogger()
        configured_before = bool(root.handlers)
        self._otlp = OtlpHandler(provider)
        # An application with handlers of its own has its console; a second one only doubles each line.
        self._console = None if console == "auto" and configured_before else console_handler(console, service, redactor)
        self._level_before: int | None = None
        if level is None and not configured_before:
            level = logging.INFO  # nobody configured logging: WARNING is only Python's default
        if level is not None:
            self._level_before = root.level
            root.setLevel(level)
        self.attach()

    def attach(self) -> None:
        """Put the handlers where records end up: on the root, and on each logger that keeps its records to itself.

        Servers and frameworks (uvicorn, gunicorn) configure such loggers themselves, sometimes after `configure`;
        so this is called again when an application starts. Only OTLP goes there: they have consoles of their own. One
        without any is muted, as uvicorn's access log by `--no-access-log`, and stays so.
        """
        root = logging.getLogger()
        if self._console is not None:
            root.addHandler(self._console)
        for logger in (root, *_named_loggers()):
            keeps_to_itself = logger.handlers and not logger.propagate and logger.name != _FOR_ITS_HANDLERS
            if logger is root or keeps_to_itself:
                logger.addHandler(self._otlp)  # once, however often it is added
            else:
                logger.removeHandler(self._otlp)

    def stop_sending(self) -> None:
        """Leave only the console, for what the end of the process has to say."""
        for logger in (logging.getLogger(), *_named_loggers()):
            logger.removeHandler(self._otlp)

    def detach(self) -> None:
        """Take the handlers away and restore the root's level."""
        self.stop_sending()
        root = logging.getLogger()
        if self._console is not None:
            root.removeHandler(self._console)
        if self._level_before is not None:
            root.setLevel(self._level_before)


def _named_loggers() -> list[logging.Logger]:
    loggers = list(logging.root.manager.loggerDict.values())
    return [logger for logger in loggers if isinstance(logger, logging.Logger)]  # others are placeholders
