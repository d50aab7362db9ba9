"""Databases and HTTP clients: their calls are spans in the trace of whoever calls, and the SDK's own calls are not."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Row, Script

SERVER = """
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.headers.get("traceparent", "").encode()
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/answer"
"""


def span(receiver: "Receiver", name: str) -> "Row":
    (found,) = [row for row in receiver.spans if row.name == name]
    return found


@pytest.mark.parametrize("when", ["before", "after"])
def test_http_calls_are_client_spans_that_pass_the_trace_on(receiver: "Receiver", script: "Script", when: str) -> None:
    configure = "import infersight\ninfersight.configure(console='off')\n"
    libraries = "import httpx, requests\n"
    code = SERVER + (libraries + configure if when == "before" else configure + libraries)
    code += """
with infersight.stage("request"):
    with httpx.Client() as client:
        assert client.get(url).text.startswith("00-")
    with requests.Session() as session:
        assert session.get(url).text.startswith("00-")
"""
    result = script(
        code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.http_endpoint, OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf"
    )
    assert (result.returncode, result.stderr) == (0, "")
    request = span(receiver, "request")
    calls = [row for row in receiver.spans if row.name == "GET"]
    assert len(calls) == 2  # urllib3 below requests, and the exporter's own calls, give none
    for call in calls:
        assert (call.trace_id, call.record.parent_span_id.hex()) == (request.trace_id, request.span_id)
        assert call.attributes["http.request.method"] == "GET"
        assert call.attributes["http.response.status_code"] == 200
    assert len(receiver.spans) == 3


def test_statements_of_sqlalchemy_are_client_spans_with_stable_names(receiver: "Receiver", script: "Script") -> None:
    code = """
import infersight
infersight.configure(console="off")
from sqlalchemy import create_engine, text
engine = create_engine("sqlite://")
with infersight.stage("request"), engine.connect() as connection:
    for number in range(3):
        connection.execute(text("SELECT :number"), {"number": number})
engine.dispose()
"""
    result = script(code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint)
    assert (result.returncode, result.stderr) == (0, "")
    request = span(receiver, "request")
    queries = [row for row in receiver.spans if row.attributes.get("db.query.text") == "SELECT ?"]
    assert len(queries) == 3
    for query in queries:
        assert query.trace_id == request.trace_id
        assert query.attributes["db.system.name"] == "sqlite"


def test_configure_imports_no_client(script: "Script") -> None:
    code = """
import infersight, sys
infersight.configure(endpoint="http://127.0.0.1:9")
print(sorted({"httpx", "requests", "sqlalchemy", "redis", "aiohttp"} & set(sys.modules)))
infersight.shutdown()
"""
    assert script(code).stdout == "[]\n"


@pytest.mark.parametrize(
    "environment",
    [{"INFERSIGHT_INSTRUMENT_CLIENTS": "false"}, {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "redis, httpx"}],
    ids=["option", "opentelemetry variable"],
)
def test_clients_can_be_left_alone(receiver: "Receiver", script: "Script", environment: dict[str, str]) -> None:
    code = (
        SERVER
        + """
import httpx, infersight
infersight.configure(console="off")
with httpx.Client() as client:
    assert client.get(url).text == ""
"""
    )
    result = script(code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint, **environment)
    assert (result.returncode, result.stderr) == (0, "")
    assert receiver.spans == []


def test_what_was_instrumented_before_stays_and_what_we_did_ends_with_shutdown(script: "Script") -> None:
    code = """
import httpx, infersight, requests
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
HTTPXClientInstrumentor().instrument()
for _ in range(2):
    infersight.configure(endpoint="http://127.0.0.1:9")
    assert RequestsInstrumentor().is_instrumented_by_opentelemetry
    infersight.shutdown()
    print(HTTPXClientInstrumentor().is_instrumented_by_opentelemetry,
          RequestsInstrumentor().is_instrumented_by_opentelemetry)
"""
    result = script(code, OTEL_SDK_DISABLED="false", INFERSIGHT_SHUTDOWN_SECONDS="0.2", INFERSIGHT_CONSOLE="off")
    assert result.stdout == "True False\nTrue False\n", result.stderr


def test_a_library_of_an_unsupported_version_is_one_warning(script: "Script") -> None:
    code = """
import importlib.metadata, infersight
real = importlib.metadata.version
importlib.metadata.version = lambda name: "9.9" if name.lower() == "sqlalchemy" else real(name)
import opentelemetry.instrumentation.dependencies as dependencies
dependencies.version = importlib.metadata.version
infersight.configure(endpoint="http://127.0.0.1:9", console="human")
import sqlalchemy
infersight.shutdown()
"""
    result = script(code, INFERSIGHT_SHUTDOWN_SECONDS="0.2")
    warnings = [line for line in result.stderr.splitlines() if "sqlalchemy" in line]
    assert len(warnings) == 1
    assert "calls of sqlalchemy are not observed" in warnings[0]
    assert "Traceback" not in result.stderr
