"""Processors in real collectors: all of them in one, the SDK's secrets, and those of other distributions."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

import os
import re
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from tests.support.attribute_rows import logs_batch, metrics_batch, spans_batch
from tests.support.collectors import RunningCollector, StartCollector, wait_until
from tests.support.leaking import LEAKING, SECRETS
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import post

from infersight_collector.component import Batch
from infersight_collector.config import load
from infersight_collector.pipeline import KINDS, build
from infersight_collector.signals import Signal

PAGE = (Path(__file__).parents[2] / "collector" / "docs" / "processors.md").read_text()
SIGNALS = [str(signal) for signal in Signal]


def configuration(processors: str, used: list[str]) -> str:
    """A configuration whose pipelines all use the same processors."""
    pipelines = {signal: {"receivers": ["otlp"], "processors": used, "exporters": ["store"]} for signal in SIGNALS}
    document = {
        "receivers": {"otlp": {"protocols": {"grpc": None, "http": None}}},
        **yaml.safe_load(processors),
        "exporters": {"store": {"flush_interval": "200ms"}},
        "extensions": {"health_check": {}},
    }
    return yaml.safe_dump({**document, "service": {"extensions": ["health_check"], "pipelines": pipelines}})


def started(start_collector: StartCollector, folder: Path, text: str, **environment: str) -> RunningCollector:
    file = folder / "collector.yaml"
    file.write_text(text)
    return start_collector("--config", str(file), environment=environment)


def send(collector: RunningCollector, signal: str, *batches: Batch) -> None:
    for batch in batches:
        assert post(collector.http, f"/v1/{signal}", bytes(batch.requests[0])).status == 200


ALL = """
processors:
  memory_limiter: {limit_mib: 16384}
  redaction: {keys: [patient.id]}
  resource: {attributes: [{key: service.name, value: fraud, action: insert}]}
  attributes:
    actions:
      - {key: url.path, pattern: "^/users/(?P<user>[0-9]+)", action: extract}
      - {key: n, value: 7, action: insert}
  transform:
    spans: {name: "upper(name)"}
    logs: {body: "replace(body, 'quick', 'slow')"}
    metrics: {"attributes['k']": "lower(attributes['k'])"}
  filter:
    spans: "attributes['http.route'] = '/health'"
    logs: "severity_number = 2"
    metrics: "name = 'noise'"
  batch: {timeout: 100ms, send_batch_size: 10, send_batch_max_size: 1}
"""


def test_all_processors_in_a_row_do_what_each_does(start_collector: StartCollector, tmp_path: Path) -> None:
    collector = started(start_collector, tmp_path, configuration(ALL, list(yaml.safe_load(ALL)["processors"])))
    send(
        collector,
        "traces",
        spans_batch({"url.path": "/users/12", "to": "a@b.io"}, {"http.route": "/health"}, {"patient.id": 5}),
    )
    send(collector, "logs", logs_batch("a quick fox", "dropped", "mail a@b.io"))
    send(collector, "metrics", metrics_batch(("requests", 1, {"k": "X"}), ("noise", 2, {})))
    assert collector.stop() == 0
    assert collector.rows("select name, service_name, attributes from spans order by name") == [
        {
            "name": "SPAN 1",
            "service_name": "fraud",
            "attributes": {"url.path": "/users/12", "to": "[redacted:email]", "user": "12", "n": 7},
        },
        {"name": "SPAN 3", "service_name": "fraud", "attributes": {"patient.id": "[redacted:secret]", "n": 7}},
    ]
    assert collector.query("select body from logs order by time_ns") == [("a slow fox",), ("mail [redacted:email]",)]
    found = collector.rows("select name, attributes from metrics where service_name = 'fraud' order by name")
    assert found == [{"name": "requests", "attributes": {"k": "x", "n": 7}}]
    assert collector.query("select metric_name, point_attributes.k from exemplars") == [("requests", "x")]


def leaked(store: Path) -> list[str]:
    """The secrets that are in any file of a store, as they are or inside of Parquet."""
    found = b""
    for file in (path for path in store.rglob("*") if path.is_file()):
        found += file.read_bytes()
        if file.suffix == ".parquet":
            found += repr(pq.ParquetFile(file).read().to_pylist()).encode()
    return [name for name, secret in SECRETS.items() if secret.encode() in found]


@pytest.mark.parametrize("redacted", [True, False])
def test_no_secret_of_a_sender_without_redaction_is_in_any_file_of_the_store(
    start_collector: StartCollector, tmp_path: Path, redacted: bool
) -> None:
    rules = "processors: {redaction: {keys: [patient.id], patterns: {mrn: 'MRN-[0-9]+'}}}"
    text = configuration(rules, ["redaction"] if redacted else [])
    collector = started(start_collector, tmp_path, text)
    resource = f"deploy.password={SECRETS['password']},process.command_line=serve --token {SECRETS['bearer']}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "INFERSIGHT_"))}
    sender = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.grpc}",
        "OTEL_RESOURCE_ATTRIBUTES": resource,
        "INFERSIGHT_REDACT": "off",
    }
    script = tmp_path / "leaking.py"
    script.write_text(LEAKING.format(secrets=SECRETS))
    subprocess.run([sys.executable, str(script)], env={**inherited, **sender}, check=True, timeout=120)
    assert collector.stop() == 0
    counted = "select (select count(*) from spans), (select count(*) from logs), (select count(*) from metrics)"
    spans, logs, points = collector.query(counted)[0]
    assert spans >= 3
    assert logs >= 10
    assert points >= 1
    assert leaked(collector.store) == ([] if redacted else list(SECRETS))


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def install(site: Path, module: str, code: str, points: dict[str, str]) -> None:
    """Writes a distribution as pip would unpack it."""
    information = site / f"{module}-1.0.dist-info"
    information.mkdir(parents=True)
    (site / f"{module}.py").write_text(code)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (information / "entry_points.txt").write_text("\n".join(["[infersight.processors]", *lines, ""]))


def with_site(site: Path) -> str:
    """The path on which a process finds what is installed there, too."""
    return os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))


def traces_only(processors: str, used: list[str]) -> str:
    document = yaml.safe_load(configuration(processors, used))
    document["service"]["pipelines"] = {"traces": document["service"]["pipelines"]["traces"]}
    return yaml.safe_dump(document)


def test_the_example_of_a_processor_of_another_distribution_runs(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    (code,) = blocks("python")
    assert len([line for line in code.splitlines() if line]) <= 10
    (project,) = map(tomllib.loads, blocks("toml"))
    site = tmp_path / "site"
    install(site, "shout", code, project["project"]["entry-points"]["infersight.processors"])
    example = next(block for block in blocks("yaml") if "shout" in block)
    collector = started(start_collector, tmp_path, traces_only(example, ["shout"]), PYTHONPATH=with_site(site))
    assert post(collector.http, "/v1/traces", spans_request("quiet")).status == 200
    collector.wait_for("select count(*) from spans where name = 'QUIET?!'", 1)
    assert collector.stop() == 0


FAILING = """
from dataclasses import dataclass
@dataclass
class Failing:
    def process(self, batch):
        if "bad" in batch.tables["spans"].column("name").to_pylist():
            raise LookupError("a bug of a third party")
        return batch
"""


def test_an_exception_of_another_distribution_sets_one_segment_aside_and_stops_nothing(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    install(tmp_path / "site", "failing", FAILING, {"failing": "failing:Failing"})
    text = traces_only("processors: {failing: {}}", ["failing"])
    collector = started(start_collector, tmp_path, text, PYTHONPATH=with_site(tmp_path / "site"))
    assert post(collector.http, "/v1/traces", spans_request("bad")).status == 200
    wait_until(lambda: list((collector.store / "quarantine").rglob("*.wal")))
    assert post(collector.http, "/v1/traces", spans_request("good")).status == 200
    collector.wait_for("select count(*) from spans", 1)
    assert collector.stop() == 0
    assert "a bug of a third party" in collector.log.read_text()


@pytest.mark.parametrize("example", blocks("yaml"), ids=range(len(blocks("yaml"))))
def test_the_examples_of_configurations_are_valid(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = blocks("python")
    install(tmp_path, "shout", code, {"shout": "shout:Shout"})
    monkeypatch.syspath_prepend(tmp_path)
    document: dict[str, Any] = yaml.safe_load(example)
    text = configuration(example, list(document["processors"]))
    if "service" in document:
        given = document["service"]["pipelines"]
        text = yaml.safe_dump({**yaml.safe_load(text), "service": {"pipelines": given}})
    graph = build(load(text, "processors.md", KINDS, {}))
    assert list(graph.processors) == list(document["processors"])


LIMITED = """
processors:
  memory_limiter: {{check_interval: 10ms, limit_mib: {limit}, spike_limit_mib: 10}}
"""
GROWTH_MIB = 200


def resident_mib(collector: RunningCollector) -> int:
    status = Path(f"/proc/{collector.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) // 1024


@pytest.mark.slow
def test_senders_are_refused_while_memory_is_short_and_nothing_that_was_taken_is_lost(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    idle = start_collector()
    limit = resident_mib(idle) + GROWTH_MIB
    idle.kill()
    text = configuration(LIMITED.format(limit=limit), ["memory_limiter"])
    collector = started(start_collector, tmp_path, text)
    attributes = {f"key.{number}": f"a value of some length, number {number}" for number in range(15)}
    request = bytes(spans_batch(*[attributes] * 10_000).requests[0])
    taken = 0
    while (answer := post(collector.http, "/v1/traces", request)).status == 200:
        taken += 1
        assert taken < 200
    assert (answer.status, b"memory limit" in answer.body) == (503, True)
    assert b'reason="memory_limit"' in metrics_page(collector)
    wait_until(lambda: post(collector.http, "/v1/traces", request).status == 200, 60)
    taken += 1
    assert collector.stop() == 0
    assert collector.query("select count(*) from spans") == [(10_000 * taken,)]


def metrics_page(collector: RunningCollector) -> bytes:
    with urllib.request.urlopen(f"http://{collector.health}/metrics", timeout=30) as answer:
        page: bytes = answer.read()
    return page
