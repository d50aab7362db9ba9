"""loguru over OTLP: with its bound values, its trace, and its detail for the flight recorder."""

import asyncio
import io
from collections.abc import Generator

import httpx
import pytest
from fastapi import FastAPI
from loguru import logger
from opentelemetry._logs import SeverityNumber

import infersight
from infersight import testing


@pytest.fixture(autouse=True)
def output() -> Generator[io.StringIO]:
    """What a sink of the application writes, on a logger that is otherwise silent."""
    written = io.StringIO()
    logger.remove()
    logger.configure(patcher=lambda record: record["extra"].update(patched=True))
    logger.add(written, format="{level} {extra[trace_id]} {message}", level="INFO")
    yield written
    logger.remove()
    logger.configure(patcher=lambda _record: None)


def test_a_record_has_its_bound_values_severity_and_trace_and_the_output_too(output: io.StringIO) -> None:
    with testing.capture() as captured:
        infersight.instrument_loguru()
        with infersight.stage("preprocess"):
            logger.bind(user="u1").success("done with {}", 7)
            logger.debug("too fine")
    (record,) = captured.logs
    assert record.log_record.body == "done with 7"
    assert record.log_record.severity_number is SeverityNumber.INFO4
    assert (record.log_record.trace_id, record.log_record.span_id) == (1, 1)
    found = dict(record.log_record.attributes or {})
    assert found.pop("code.line.number")
    assert found == {
        "user": "u1",
        "patched": True,
        "code.file.path": __file__,
        "code.function.name": "test_a_record_has_its_bound_values_severity_and_trace_and_the_output_too",
    }
    assert record.instrumentation_scope is not None
    assert record.instrumentation_scope.name == __name__
    assert output.getvalue() == f"SUCCESS {1:032x} done with 7\n"


def test_an_exception_is_on_its_record() -> None:
    with testing.capture() as captured, infersight.stage("preprocess"):
        infersight.instrument_loguru()
        try:
            int("weights")
        except ValueError:
            logger.exception("failed")
    found = captured.logs[0].log_record.attributes or {}
    assert found["exception.type"] == "ValueError"
    assert "test_loguru.py" in str(found["exception.stacktrace"])


def test_records_below_the_level_go_to_the_flight_recorder(output: io.StringIO) -> None:
    app = FastAPI()

    @app.get("/fail")
    async def fail() -> None:
        logger.debug("the last thing before")
        raise LookupError

    async def get() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/fail")

    with testing.capture() as captured:
        infersight.instrument_loguru()
        infersight.instrument_fastapi(app)
        asyncio.run(get())
        infersight.force_flush()
    (record,) = [record.log_record for record in captured.logs if record.log_record.severity_text == "DEBUG"]
    assert record.body == "the last thing before"
    assert record.attributes is not None
    assert record.attributes["infersight.recorder.reason"] == "failed"
    assert output.getvalue() == ""


def test_an_unknown_level_is_refused() -> None:
    with testing.capture(), pytest.raises(ValueError, match="FINE"):
        infersight.instrument_loguru("FINE")
