"""Log records: to OTLP with their trace, and to the console for people or for machines."""

import io
import json
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord

import infersight
from infersight import testing
from infersight._config import Console
from infersight._configure import state
from infersight._console import HumanFormatter, JsonFormatter
from infersight._logs import LogBridge, OtlpHandler
from infersight._severity import severity_number

log = logging.getLogger("tests.logs")


def attributes(record: ReadableLogRecord) -> dict[str, Any]:
    return dict(record.log_record.attributes or {})


def test_a_record_belongs_to_the_span_in_which_it_was_logged() -> None:
    with testing.capture() as captured:
        log.warning("before")
        with infersight.stage("preprocess"):
            log.warning("inside")
    before, inside = captured.logs
    context = captured.span("preprocess").context
    assert context is not None
    assert (inside.log_record.trace_id, inside.log_record.span_id) == (context.trace_id, context.span_id)
    assert not before.log_record.trace_id


def test_a_record_has_message_severity_extras_source_and_logger() -> None:
    with testing.capture() as captured:
        log.error("%s of %d", "three", 5, extra={"user": "u1", "sizes": [1, 2], "big": 2**70, "kind": int})
    (record,) = captured.logs
    assert record.log_record.body == "three of 5"
    assert record.log_record.severity_number is SeverityNumber.ERROR
    assert record.log_record.severity_text == "ERROR"
    assert record.instrumentation_scope is not None
    assert record.instrumentation_scope.name == "tests.logs"
    found = attributes(record)
    assert (found["user"], found["sizes"], found["big"]) == ("u1", (1, 2), str(2**70))
    assert found["kind"] == "<class 'int'>"
    assert found["code.function.name"] == "test_a_record_has_message_severity_extras_source_and_logger"
    assert found["code.file.path"] == __file__


def test_an_exception_is_on_its_record_with_its_causes() -> None:
    with testing.capture() as captured:
        try:
            try:
                int("weights")
            except ValueError as error:
                raise infersight.InfersightError("no model") from error
        except infersight.InfersightError:
            log.exception("failed")
    found = attributes(captured.logs[0])
    assert found["exception.type"] == "infersight._errors.InfersightError"
    assert found["exception.message"] == "no model"
    assert "ValueError: invalid literal for int() with base 10: 'weights'" in found["exception.stacktrace"]


@pytest.mark.parametrize(
    ("message", "arguments", "body"),
    [
        ({"event": "loaded", "layers": [1, 2]}, (), {"event": "loaded", "layers": [1, 2]}),
        ("%d and %d", (1,), "%d and %d"),
        ("caf\u00e9 \ud800", (), "caf\u00e9 ?"),
        (None, (), None),
    ],
    ids=["mapping", "too few arguments", "lone surrogate", "none"],
)
def test_any_message_arrives(message: Any, arguments: tuple[Any, ...], body: Any) -> None:
    with testing.capture() as captured:
        record = log.makeRecord(log.name, logging.WARNING, __file__, 1, message, arguments, None)
        OtlpHandler(captured.logger_provider).emit(record)
    assert captured.logs[0].log_record.body == body


@pytest.mark.parametrize(
    ("level", "severity"),
    [(5, 1), (10, 5), (15, 8), (20, 9), (25, 12), (30, 13), (40, 17), (50, 21), (53, 24), (99, 24), (0, 0)],
)
def test_levels_map_to_the_severity_numbers_of_the_log_data_model(level: int, severity: int) -> None:
    assert severity_number(level).value == severity


def test_records_of_the_exporting_machinery_are_not_sent() -> None:
    with testing.capture() as captured:
        logging.getLogger("opentelemetry.exporter").warning("retrying")
        logging.getLogger("opentelemetry.sdk.trace").warning("queue full")
    assert captured.logs == ()


@contextmanager
def root_with(*handlers: logging.Handler) -> Generator[None]:
    """The root logger at Python's default level with these handlers only, pytest's own put aside."""
    root = logging.getLogger()
    handlers_before, level_before = root.handlers[:], root.level
    root.handlers[:] = handlers
    root.setLevel(logging.WARNING)
    try:
        yield
        assert (root.handlers, root.level) == (list(handlers), logging.WARNING)
    finally:
        root.handlers[:] = handlers_before
        root.setLevel(level_before)


def console_lines(monkeypatch: pytest.MonkeyPatch, console: Console, *handlers: logging.Handler) -> list[str]:
    """What an INFO record in a span puts on standard error of a program with these handlers of its own."""
    output = io.StringIO()
    monkeypatch.setattr(sys, "stderr", output)
    with testing.capture() as captured, root_with(*handlers):
        bridge = LogBridge(captured.logger_provider, console, None, "sentiment")
        with infersight.stage("preprocess"):
            log.info("hello", extra={"user": "u1"})
        bridge.detach()
    return output.getvalue().splitlines()


def test_without_a_terminal_the_console_has_one_json_object_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = console_lines(monkeypatch, "auto")
    assert {key: value for key, value in json.loads(line).items() if key != "time"} == {
        "level": "INFO",
        "logger": "tests.logs",
        "message": "hello",
        "trace_id": f"{1:032x}",
        "span_id": f"{1:016x}",
        "service": "sentiment",
        "attributes": {"user": "u1"},
    }


def test_on_a_terminal_the_console_is_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = console_lines(monkeypatch, "human")
    assert line.split(maxsplit=1)[1] == f"INFO     tests.logs hello  user=u1  trace_id={1:032x}"


def test_an_application_with_handlers_of_its_own_keeps_its_console_and_level(monkeypatch: pytest.MonkeyPatch) -> None:
    assert console_lines(monkeypatch, "auto", logging.NullHandler()) == []


def fail(message: str) -> None:
    raise ValueError(message)


def test_json_lines_hold_any_extra_and_an_exception() -> None:
    with pytest.raises(ValueError, match="bad") as caught:
        fail("bad\nline")
    raised = (caught.type, caught.value, caught.tb)
    record = log.makeRecord(log.name, 40, "f.py", 1, "a\nb", (), raised, extra={"x": {b"k": {1, 2}}})
    line = JsonFormatter("s").format(record)
    assert "\n" not in line
    assert json.loads(line)["exception"]["exception.message"] == "bad\nline"
    assert json.loads(line)["message"] == "a\nb"
    assert "ValueError: bad" in HumanFormatter().format(record)


def test_a_logger_that_keeps_its_records_to_itself_is_heard_as_well() -> None:
    separate, own = logging.getLogger("tests.separate"), logging.NullHandler()
    separate.addHandler(own)
    separate.propagate = False
    with testing.capture() as captured:
        separate.warning("heard")
        separate.propagate = True
        assert state.running is not None
        state.running.logs.attach()
        separate.warning("and not twice")
    assert [record.log_record.body for record in captured.logs] == ["heard", "and not twice"]
    assert separate.handlers == [own]
    separate.removeHandler(own)


def test_a_logger_without_any_handler_that_keeps_its_records_to_itself_is_muted_and_stays_so() -> None:
    muted = logging.getLogger("tests.muted")
    muted.propagate = False
    with testing.capture() as captured:
        muted.warning("unheard")
        assert not muted.hasHandlers()  # by which uvicorn tells whether to write an access log at all
    assert captured.logs == ()


@pytest.mark.parametrize(("signals", "events", "logs"), [("", 2, 0), ("logs", 0, 1), ("logs/dup", 2, 1)])
def test_an_exception_is_an_event_of_its_spans_or_one_log_record_or_both(
    monkeypatch: pytest.MonkeyPatch, signals: str, events: int, logs: int
) -> None:
    """By OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN."""
    monkeypatch.setenv("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", signals)
    with testing.capture() as captured, pytest.raises(ValueError, match="bad"):  # noqa: SIM117 - the spans end inside
        with infersight.stage("outer"), infersight.stage("inner"):
            fail("bad")
    assert sum(len(span.events) for span in captured.spans) == events
    assert len(captured.logs) == logs
    for record in captured.logs:
        assert record.log_record.event_name == "infersight.exception"
        assert record.log_record.severity_number is SeverityNumber.ERROR
        assert attributes(record)["exception.message"] == "bad"
        inner = captured.span("inner").context
        assert inner is not None
        assert record.log_record.span_id == inner.span_id


def test_an_exception_that_fails_several_requests_has_a_log_event_in_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs")
    shared = ValueError("batch")
    with testing.capture() as captured:
        for _ in range(2):
            with pytest.raises(ValueError, match="batch"), infersight.stage("request"):
                raise shared
    assert [record.log_record.trace_id for record in captured.logs] == [1, 2]
