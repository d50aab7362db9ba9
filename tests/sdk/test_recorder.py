"""The flight recorder under a real server: what it keeps, what it sends, what it leaves in a file."""

import asyncio
import logging
import signal
import textwrap
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import torch
from fastapi import FastAPI
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import infersight
from infersight import testing
from infersight._latency import RouteLatency
from infersight._recording import ENTRIES
from infersight_collector.decode import read_requests
from infersight_collector.signals import Signal

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Row, Script, Serve, Served

SERVED = {"module": "recorded_application", "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "health"}
log = logging.getLogger("tests.recorder")


def of_tag(rows: "list[Row]", tag: str) -> "list[Row]":
    """The rows of the request that had this tag."""
    traces = {row.trace_id for row in rows if row.attributes.get("url.query", "").startswith(f"tag={tag}")}
    return [row for row in rows if row.trace_id in traces]


def work(server: "Served", tag: str, headers: dict[str, str] | None = None, seconds: float = 0.0) -> None:
    assert server.get(f"/work?tag={tag}&seconds={seconds}", headers)[0] == 200


def test_only_requests_worth_it_send_their_detail(receiver: "Receiver", serve: "Serve") -> None:
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint, "INFERSIGHT_SLOW_SECONDS": "0.5"}
    with serve(**SERVED, **exporting, INFERSIGHT_LOG_LEVEL="INFO") as server:
        work(server, "quick")
        work(server, "slow", {"x-request-id": "order-17"}, seconds=0.6)
        assert server.get("/fail?tag=failed")[0] == 500
        server.stop()

    assert sorted(row.name for row in of_tag(receiver.spans, "quick")) == ["GET /work", "preprocess"]
    for tag, reason in (("slow", "slow"), ("failed", "failed")):
        spans = {row.name: row for row in of_tag(receiver.spans, tag)}
        parent = spans["preprocess" if tag == "slow" else "GET /fail"]
        assert spans["outer"].record.parent_span_id.hex() == parent.span_id
        assert spans["inner"].record.parent_span_id.hex() == spans["outer"].span_id
        assert spans["outer"].attributes == {
            "tag": tag,
            "done": True,
            "infersight.operation": "detail",
            "infersight.recorder.reason": reason,
            "infersight.sample.weight": 0.0,
        }
        assert 2e6 < spans["inner"].record.end_time_unix_nano - spans["inner"].record.start_time_unix_nano < 2e9
        assert spans[f"GET /{'work' if tag == 'slow' else 'fail'}"].attributes["infersight.recorder.reason"] == reason
        (record,) = [row for row in receiver.logs if row.record.body.string_value == f"inner begins, {tag}"]
        assert (record.trace_id, record.span_id) == (parent.trace_id, parent.span_id)
        assert record.record.severity_text == "DEBUG"
        assert record.attributes["code.function.name"] == "step"
        assert record.attributes["tag"] == tag
    said = {row.record.body.string_value: row for row in receiver.logs}
    assert "inner begins, quick" not in said
    assert "worked, quick" in said
    for body in ("inner begins, slow", "worked, slow"):
        assert said[body].attributes["infersight.request.id"] == "order-17"
    assert "inner begins" not in server.output.read_text()


def test_executors_and_threads_belong_to_the_request_that_uses_them(receiver: "Receiver", serve: "Serve") -> None:
    with serve(**SERVED, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint) as server:
        assert server.get("/threads?tag=t", {"x-request-id": "order-18"})[0] == 500
        server.stop()
    assert sorted(row.name for row in of_tag(receiver.spans, "t")) == ["GET /threads", "inner", "outer"]
    said = {row.record.body.string_value: row.attributes for row in receiver.logs}
    for body in ("inner begins, t", "in a thread, t"):
        assert said[body]["infersight.request.id"] == "order-18"


def test_a_request_is_forced_by_the_secret_or_from_an_allowed_address(receiver: "Receiver", serve: "Serve") -> None:
    """Also where sampling would leave it out, and the caller decided not to sample."""
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint, "INFERSIGHT_SAMPLE_RATIO": "0"}
    force, unsampled = {"x-infersight-trace": "1"}, {"traceparent": f"00-{7:032x}-{7:016x}-00"}
    with serve(**SERVED, **exporting, INFERSIGHT_TRACE_SECRET="s3cret", INFERSIGHT_TRACE_ALLOW="10.0.0.0/8") as server:
        work(server, "plain")
        work(server, "without", force)
        work(server, "wrong", force | {"x-infersight-trace-secret": "s3creT"})
        work(server, "right", force | {"x-infersight-trace-secret": "s3cret"})
        work(server, "child", force | unsampled | {"x-infersight-trace-secret": "s3cret"})
        server.stop()
    with serve(**SERVED, **exporting, INFERSIGHT_TRACE_ALLOW="127.0.0.0/8") as server:
        work(server, "local", force)
        server.stop()
    for tag in ("plain", "without", "wrong"):
        assert of_tag(receiver.spans, tag) == []
    for tag in ("right", "child", "local"):
        names = sorted(row.name for row in of_tag(receiver.spans, tag))
        assert names == ["GET /work", "inner", "outer", "preprocess"]
        (server_span,) = [row for row in of_tag(receiver.spans, tag) if row.name == "GET /work"]
        assert server_span.attributes["infersight.recorder.reason"] == "forced"


def read(path: Path) -> tuple[list[Any], list[Any]]:
    """Resource spans and resource logs of a file, as `infersight import` reads it."""
    spans: list[Any] = []
    logs: list[Any] = []
    for found, request in read_requests(path):
        if found is Signal.TRACES:
            spans += ExportTraceServiceRequest.FromString(request).resource_spans
        else:
            logs += ExportLogsServiceRequest.FromString(request).resource_logs
    return spans, logs


def names(resources: Sequence[Any]) -> list[str]:
    return sorted(span.name for resource in resources for scope in resource.scope_spans for span in scope.spans)


def bodies(resources: Sequence[Any]) -> list[str]:
    records = [record for resource in resources for scope in resource.scope_logs for record in scope.log_records]
    return sorted(record.body.string_value for record in records)


def test_sigterm_leaves_the_last_requests_whole_in_a_redacted_file(serve: "Serve", tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    limits = {"INFERSIGHT_RECORDER_DIR": str(folder), "INFERSIGHT_RECORDER_REQUESTS": "3"}
    with serve(**SERVED, **limits, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as server:
        work(server, "first")
        server.get("/batch?tag=dropped")
        work(server, "second")
        server.get("/batch?tag=kept")
        server.get("/leak?secret=hunter22")
        server.stop()
    (path,) = folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"hunter22" not in path.read_bytes()
    spans, logs = read(path)
    assert names(spans) == sorted(
        ["GET /work", "preprocess", "outer", "inner", "GET /batch", "queue", "batched m", "GET /leak", "leak"]
    )
    assert {"worked, second", "inner begins, second", "the password=[redacted:secret] is out"} <= set(bodies(logs))
    for resource in (*spans, *logs):
        attributes = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        assert attributes["infersight.recorder.dump"] == "terminated"
        assert attributes["service.name"] == "recorded"


FATAL = """
import asyncio, httpx, infersight, os, signal, sys
from fastapi import FastAPI
infersight.configure(service_name="fatal", console="off")
app = FastAPI()
infersight.instrument_fastapi(app)
@app.get("/open")
async def open_request():
    with infersight.detail("half"):
        pass
    {end}
async def main():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/open")
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("end", "reason", "code"),
    [
        ("raise SystemError('fatal')", "exception", 1),
        ("os.kill(os.getpid(), signal.SIGTERM)", "terminated", -signal.SIGTERM),
    ],
)
def test_a_process_that_dies_leaves_the_request_that_was_open(
    script: "Script", tmp_path: Path, end: str, reason: str, code: int
) -> None:
    environment = {"INFERSIGHT_RECORDER_DIR": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    result = script(FATAL.format(end=end), **environment, INFERSIGHT_SHUTDOWN_SECONDS="0.1")
    assert result.returncode == code, result.stderr
    (path,) = tmp_path.iterdir()
    spans, _ = read(path)
    assert names(spans) == ["GET /open", "half"]
    assert {pair.value.string_value for pair in spans[0].resource.attributes} >= {reason, "fatal"}


OUT_OF_MEMORY = """
import pathlib, time, torch
folder = pathlib.Path(os.environ["INFERSIGHT_RECORDER_DIR"])
class Hungry(torch.nn.Module):
    def forward(self, batch):
        raise torch.OutOfMemoryError("out of memory")
model = Hungry()
infersight.instrument_torch(model, name="hungry")
for _ in range(2):
    try:
        model(torch.ones(1))
    except torch.OutOfMemoryError:
        pass
deadline = time.monotonic() + 20
while not list(folder.glob("*.pb")) and time.monotonic() < deadline:
    time.sleep(0.01)
"""


def test_a_process_out_of_gpu_memory_leaves_one_file_and_goes_on(script: "Script", tmp_path: Path) -> None:
    code = FATAL.format(end=textwrap.indent(OUT_OF_MEMORY, "    ").strip())
    environment = {"INFERSIGHT_RECORDER_DIR": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    result = script(code, **environment, INFERSIGHT_SHUTDOWN_SECONDS="0.1")
    assert result.returncode == 0, result.stderr
    (path,) = tmp_path.iterdir()
    assert "out_of_memory" in path.name
    spans, logs = read(path)
    assert {"GET /open", "half"} <= set(names(spans))  # written while the request goes on
    events = {record.event_name for scope in logs[0].scope_logs for record in scope.log_records}
    assert "infersight.device.out_of_memory" in events


def serve_once(handler: Callable[[], Awaitable[None]], times: int = 1) -> None:
    """Requests to an application with this one handler, inside a `capture` block."""
    app = FastAPI()
    app.get("/once")(handler)
    infersight.instrument_fastapi(app)

    async def get() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            for _ in range(times):
                await client.get("/once")

    asyncio.run(get())
    infersight.force_flush()


def test_the_newest_details_are_kept_and_the_others_counted() -> None:
    async def many() -> None:
        for number in range(ENTRIES + 10):
            log.debug("number %d", number)

    with testing.capture(slow_seconds=1e-9) as captured:
        serve_once(many)
    kept = [record.log_record.body for record in captured.logs if record.log_record.severity_text == "DEBUG"]
    assert len(kept) == ENTRIES
    assert kept[-1] == f"number {ENTRIES + 9}"
    dropped = (captured.span("GET /once").attributes or {})["infersight.recorder.dropped"]
    assert isinstance(dropped, int)
    assert dropped >= 10


class Array:
    """Stands for a tensor on a GPU: printing it would wait for the device."""

    shape = (8, 128)
    dtype = "float32"

    def __str__(self) -> str:
        raise AssertionError("printed")

    __repr__ = __str__


def test_a_kept_log_call_never_prints_an_array() -> None:
    async def arrays() -> None:
        log.debug("%s and %r of %d", Array(), [Array()], 3, extra={"batch": Array()})
        log.debug("%d", Array())

    with testing.capture(slow_seconds=1e-9) as captured:
        serve_once(arrays)
    first, second = [record.log_record for record in captured.logs if record.log_record.severity_text == "DEBUG"][-2:]
    assert first.body == "<Array [8, 128] float32> and [<Array [8, 128] float32>] of 3"
    assert first.attributes is not None
    assert first.attributes["batch"] == "<Array [8, 128] float32>"
    assert second.body == "%d (<Array [8, 128] float32>,)"


def test_a_compiler_is_not_asked_for_its_detail() -> None:
    """PyTorch prints whole graphs where DEBUG is on, and writes hundreds of records into any handler of its trace."""
    enabled: list[bool] = []

    async def compiles() -> None:
        enabled.extend(logging.getLogger(name).isEnabledFor(logging.DEBUG) for name in ("torch._dynamo", "numba.core"))
        compiled: Any = torch.compile(torch.nn.ReLU(), backend="eager")  # pyright: ignore[reportUnknownMemberType]
        compiled(torch.ones(2))

    torch.compiler.reset()
    with testing.capture(slow_seconds=1e-9) as captured:
        serve_once(compiles)
    assert enabled == [False, False]
    sources = {record.instrumentation_scope.name for record in captured.logs if record.instrumentation_scope}
    assert not any(name.startswith("torch.") for name in sources)


def test_levels_decide_as_ever_outside_of_requests_and_for_what_they_let_through(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log.setLevel(logging.INFO)
    enabled: list[bool] = []

    async def logs() -> None:
        enabled.append(log.isEnabledFor(logging.DEBUG))
        log.debug("kept")
        log.info("passed on")
        disabled = logging.getLogger("tests.recorder.disabled")
        disabled.disabled = True
        disabled.debug("never")

    try:
        with testing.capture(slow_seconds=1e-9) as captured:
            log.debug("before")
            assert not log.isEnabledFor(logging.DEBUG)
            serve_once(logs)
    finally:
        log.setLevel(logging.NOTSET)
    assert enabled == [True]
    assert [record.message for record in caplog.records if record.name == log.name] == ["passed on"]
    assert caplog.records[-1].funcName == "logs"
    said = [record.log_record.body for record in captured.logs]
    assert {"kept", "passed on"} <= set(said)
    assert not {"before", "never"} & set(said)
    assert not log.isEnabledFor(logging.DEBUG) or logging.getLogger().level <= logging.DEBUG


def test_an_exception_in_a_detail_is_on_its_span() -> None:
    async def fails() -> None:
        with infersight.detail("parse"):
            raise ValueError("not a number")

    with testing.capture() as captured:
        serve_once(fails)
    span = captured.span("parse")
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"
    assert span.status.description == "not a number"
    assert [event.name for event in span.events] == ["exception"]


def test_outside_of_a_request_a_detail_is_nothing() -> None:
    with testing.capture() as captured, infersight.detail("alone") as alone:
        alone.set(more=1)
    assert captured.spans == ()


def test_a_request_is_slow_beyond_the_99th_percentile_of_its_own_route() -> None:
    latency = RouteLatency(None)
    assert not any(latency.is_slow("GET /fast", 0.001 * (1 + number / 1000)) for number in range(100))
    assert not any(latency.is_slow("GET /long", 1.0) for _ in range(99))
    assert latency.is_slow("GET /fast", 0.01)
    assert not latency.is_slow("GET /fast", 0.001)
    assert not latency.is_slow("GET /long", 5.0), "99 requests have no 99th percentile yet"


def test_routes_beyond_the_bound_share_one() -> None:
    latency = RouteLatency(None)
    for number in range(1_000):
        latency.is_slow(f"GET /{number}", 1.0)
    assert latency.is_slow("GET /another", 2.0), "judged by the routes that share"
