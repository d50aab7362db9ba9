"""structlog over OTLP: with its structure, its trace, once, and in whichever way it writes."""

import io
import json
import logging
from collections.abc import Generator, Mapping
from typing import Any

import pytest
import structlog
from opentelemetry._logs import SeverityNumber

import infersight
from infersight import testing


@pytest.fixture(autouse=True)
def defaults() -> Generator[None]:
    yield
    structlog.reset_defaults()


def attributes(captured: testing.Captured) -> Mapping[str, Any]:
    (record,) = captured.logs
    return dict(record.log_record.attributes or {})


def test_an_event_has_its_name_values_severity_and_trace_and_its_output_too() -> None:
    output = io.StringIO()
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(output),
    )
    with testing.capture() as captured:
        infersight.instrument_structlog()
        infersight.instrument_structlog()
        with infersight.stage("preprocess"):
            structlog.get_logger().bind(user="u1").warning("no row", row=7)
    (record,) = captured.logs
    assert record.log_record.body == "no row"
    assert record.log_record.severity_number is SeverityNumber.WARN
    assert (record.log_record.trace_id, record.log_record.span_id) == (1, 1)
    assert attributes(captured) == {"user": "u1", "row": 7}
    assert json.loads(output.getvalue()) == {
        "event": "no row", "level": "warning", "user": "u1", "row": 7,
        "trace_id": f"{1:032x}", "span_id": f"{1:016x}", "service": "captured",
    }  # fmt: skip


def test_an_exception_is_on_its_event() -> None:
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(io.StringIO()),
    )
    with testing.capture() as captured:
        infersight.instrument_structlog()
        try:
            int("weights")
        except ValueError:
            structlog.get_logger().exception("failed")
    found = attributes(captured)
    assert captured.logs[0].log_record.severity_number is SeverityNumber.ERROR
    assert found["exception.type"] == "ValueError"
    assert "invalid literal" in found["exception.message"]
    assert "test_structlog.py" in found["exception.stacktrace"]


RENDERERS = [structlog.processors.JSONRenderer(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter]


@pytest.mark.parametrize("renderer", RENDERERS, ids=["rendered", "for a formatter"])
def test_through_the_standard_library_an_event_is_sent_once_with_its_structure_if_its_level_says_so(
    renderer: Any,
) -> None:
    structlog.configure(
        processors=[structlog.stdlib.add_logger_name, renderer],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    log = logging.getLogger("tests.structlog")
    log.setLevel(logging.INFO)
    with testing.capture() as captured:
        infersight.instrument_structlog()
        structlog.get_logger("tests.structlog").debug("too fine")
        structlog.get_logger("tests.structlog").info("classified", label="positive")
    (record,) = captured.logs
    assert record.log_record.body == "classified"
    assert record.instrumentation_scope is not None
    assert record.instrumentation_scope.name == "tests.structlog"
    found = attributes(captured)
    assert found["label"] == "positive"
    assert not {key for key in found if key.startswith("_")}


def test_what_a_processor_drops_is_not_sent() -> None:
    def drop(_logger: object, _name: str, _event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        raise structlog.DropEvent

    structlog.configure(processors=[drop, structlog.processors.JSONRenderer()])
    with testing.capture() as captured:
        infersight.instrument_structlog()
        structlog.get_logger().info("dropped")
    assert captured.logs == ()
