"""A receiver that keeps what OTLP clients send, over gRPC and HTTP, and uvicorn servers that send to it."""
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
# grpc and the generated OTLP services publish no types.

import gzip
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as traces_grpc

DEADLINE_SECONDS = 30


@dataclass(frozen=True)
class Row:
    """One span, log record or exemplar, with the resource that sent it."""

    resource: dict[str, Any]
    name: str  # of the span, of the log record's event, of the exemplar's metric
    trace_id: str
    span_id: str
    attributes: dict[str, Any]
    record: Any


def plain(pairs: Any) -> dict[str, Any]:
    """OTLP key-value pairs as a dictionary; arrays as lists."""
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None


class Receiver:
    """An OTLP receiver on two free ports of loopback; it keeps everything in the order of its arrival."""

    def __init__(self) -> None:
        self.spans: list[Row] = []
        self.thread_waits: list[Row] = []  # spans that a busy machine may add to any request
        self.logs: list[Row] = []
        self.exemplars: list[Row] = []
        self.metric_names: set[str] = set()
        self.requests: list[bytes] = []  # all of them, whole
        self._points: dict[tuple[str, str], Any] = {}
        self._pool = ThreadPoolExecutor(4)
        self._grpc = grpc.server(self._pool)
        traces_grpc.add_TraceServiceServicer_to_server(_Service(self._traces), self._grpc)
        metrics_grpc.add_MetricsServiceServicer_to_server(_Service(self._metrics), self._grpc)
        logs_grpc.add_LogsServiceServicer_to_server(_Service(self._logs), self._grpc)
        self.grpc_endpoint = f"http://127.0.0.1:{self._grpc.add_insecure_port('127.0.0.1:0')}"
        self._grpc.start()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http_thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._http_thread.start()
        self.http_endpoint = f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        self._grpc.stop(None).wait()
        self._pool.shutdown()
        self._http.shutdown()
        self._http_thread.join()
        self._http.server_close()

    def last_points(self, metric: str) -> list[Any]:
        """The newest data point of each series of each process: all that was counted, as points are cumulative."""
        return [point for (name, _), point in self._points.items() if name == metric]

    def _traces(self, request: Any) -> Any:
        self.requests.append(request.SerializeToString())
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for row in (_row(resource, span, span.name) for span in scope.spans):
                    waited = row.attributes.get("infersight.operation") == "thread_pool"
                    (self.thread_waits if waited else self.spans).append(row)
        return traces.ExportTraceServiceResponse()

    def _logs(self, request: Any) -> Any:
        self.requests.append(request.SerializeToString())
        for resource in request.resource_logs:
            for scope in resource.scope_logs:
                self.logs += [_row(resource, record, record.event_name) for record in scope.log_records]
        return logs.ExportLogsServiceResponse()

    def _metrics(self, request: Any) -> Any:
        self.requests.append(request.SerializeToString())
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    self.metric_names.add(metric.name)
                    for point in getattr(metric, metric.WhichOneof("data")).data_points:
                        instance = plain(resource.resource.attributes).get("service.instance.id", "")
                        self._points[metric.name, f"{instance} {sorted(plain(point.attributes).items())}"] = point
                        self.exemplars += [_row(resource, exemplar, metric.name) for exemplar in point.exemplars]
        return metrics.ExportMetricsServiceResponse()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        routes: dict[str, tuple[Any, Callable[[Any], Any]]] = {
            "/v1/traces": (traces.ExportTraceServiceRequest, self._traces),
            "/v1/metrics": (metrics.ExportMetricsServiceRequest, self._metrics),
            "/v1/logs": (logs.ExportLogsServiceRequest, self._logs),
        }

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                kind, take = routes[self.path]
                answer = take(kind.FromString(body)).SerializeToString()
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        return Handler


class _Service:
    """The one method that each of the three OTLP services has."""

    def __init__(self, take: Callable[[Any], Any]) -> None:
        self._take = take

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - the protocol's name and arguments
        return self._take(request)


def _row(resource: Any, record: Any, name: str) -> Row:
    pairs = record.filtered_attributes if hasattr(record, "filtered_attributes") else record.attributes
    return Row(
        plain(resource.resource.attributes), name, record.trace_id.hex(), record.span_id.hex(), plain(pairs), record
    )


@pytest.fixture
def receiver() -> Generator[Receiver]:
    started = Receiver()
    yield started
    started.stop()


@dataclass(frozen=True)
class Served:
    """A running uvicorn server."""

    process: subprocess.Popen[bytes]
    base_url: str
    output: Path

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of a GET request."""
        request = urllib.request.Request(self.base_url + path, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as response:
                return int(response.status), response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def stop(self) -> None:
        """End it as a supervisor does, by SIGTERM, and wait for it."""
        self.process.terminate()
        self.process.wait(DEADLINE_SECONDS)


Serve = Callable[..., AbstractContextManager[Served]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """`with serve(workers=2, OTEL_...="...")`: a module of this folder under uvicorn, ready when the block begins."""

    @contextmanager
    def running(workers: int = 1, module: str = "served_application", **environment: str) -> Generator[Served]:
        # Port 0 is taken by uvicorn's first worker only, so the port is chosen here.
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--app-dir", str(Path(__file__).parent)]
        command += ["--port", str(port), "--workers", str(workers)]
        with served_by(command, port, tmp_path / "server.log", environment) as served:
            yield served

    return running


@contextmanager
def served_by(command: list[str], port: int, output: Path, environment: Mapping[str, str]) -> Generator[Served]:
    """The server that this command starts on the port, ready when the block begins and ended by SIGTERM after it."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "INFERSIGHT_"))}
    with output.open("wb") as stream:
        process = subprocess.Popen(command, env=inherited | dict(environment), stdout=stream, stderr=stream)
    served = Served(process, f"http://127.0.0.1:{port}", output)
    try:
        _wait_until_ready(served)
        yield served
    finally:
        if process.poll() is None:
            served.stop()


def free_port() -> int:
    """A TCP port of loopback that is free at this moment."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return server.server_port


def _wait_until_ready(served: Served) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and served.process.poll() is None:
        try:
            served.get("/health")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the server did not start: {served.output.read_text()}")


Script = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def script() -> Script:
    """`script(code, OTEL_...="...")`: run Python code in a process of its own, warnings as errors."""

    def run(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "INFERSIGHT_"))}
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env=inherited | environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    return run
