"""Log templates from the page that describes them, in a real collector."""

import re
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from tests.support.collectors import StartCollector
from tests.support.otlp_requests import TIME_NS
from tests.support.otlp_senders import post

PAGE = Path(__file__).parents[2] / "collector" / "docs" / "log-templates.md"


def logs_request(*bodies: str) -> bytes:
    records = [LogRecord(time_unix_nano=TIME_NS, body=AnyValue(string_value=body)) for body in bodies]
    resource = ResourceLogs(scope_logs=[ScopeLogs(log_records=records)])
    return bytes(ExportLogsServiceRequest(resource_logs=[resource]).SerializeToString())


def test_the_example_of_the_page_finds_templates_and_knows_them_after_a_restart(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    (configuration,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    file = tmp_path / "collector.yaml"
    file.write_text(configuration)

    collector = start_collector("--config", str(file), store=tmp_path / "store")
    request = logs_request(*(f"user {name} waited {i} ms" for i, name in enumerate(["ann", "bob", "cid", "dan"])))
    assert post(collector.http, "/v1/logs", request).status == 200
    collector.wait_for("select count(*) from logs", 4)
    assert collector.query(query) == [("user <*> waited <*>", 4)]
    collector.kill()

    again = start_collector("--config", str(file), store=tmp_path / "store")
    assert post(again.http, "/v1/logs", logs_request("user eva waited 2 s", "ready")).status == 200
    again.wait_for("select count(*) from logs", 6)
    assert again.query(query) == [("user <*> waited <*>", 5), ("ready", 1)]
