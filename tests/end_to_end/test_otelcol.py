"""The shipped files for the upstream OpenTelemetry Collector, run by a real one in front of ours.

The program that the package index has knows the components `filelog`, `memory_limiter`, `batch` and `otlphttp`, but no
`otlp` receiver. So the agent runs as shipped, by the command of the page, and the gateway with log files in the place
of its receiver.
"""

import datetime as dt
import itertools
import json
import re
import shlex
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.collectors import RunningCollector, StartCollector, wait_until
from tests.support.foreign import ROOT, SHIPPED, otelcol, running

AGENT, GATEWAY = SHIPPED / "otelcol-agent.yaml", SHIPPED / "otelcol-gateway.yaml"
PAGE = (ROOT / "collector" / "docs" / "upstream-collector.md").read_text()
LINES = 5000
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
EXCEPTION = {"exception.type": "ValueError", "exception.message": "no such label", "exception.stacktrace": "Trace…"}


def line(number: int, **fields: Any) -> str:
    """A line as infersight's JSON console writes it."""
    time = START + dt.timedelta(microseconds=number)
    always = {"time": time.isoformat(timespec="microseconds"), "level": "INFO", "logger": "sentiment.model"}
    return json.dumps({**always, "service": "sentiment", "message": f"number {number}", **fields})


@contextmanager
def forwarding(configuration: Path, collector: RunningCollector, folder: Path, **more: str) -> Generator[None]:
    """An upstream collector with one of the files, which tails the folder's log files and sends to ours."""
    environment = {"LOG_FILES": f"{folder}/*.jsonl", "INFERSIGHT_URL": f"http://{collector.http}", **more}
    _, arguments = documented(configuration.name)
    command: list[str | Path] = [otelcol(), *arguments[:-1], configuration]
    with running(command, folder / "otelcol.txt", environment):
        yield


def documented(name: str) -> tuple[set[str], list[str]]:
    """The page's command for one of the files: the variables that it sets, and its arguments."""
    (line,) = [line for line in PAGE.splitlines() if line.endswith(f" --config otel-config/{name}")]
    words = shlex.split(line)
    variables = [word.partition("=")[0] for word in words if "=" in word]
    return set(variables), words[len(variables) + 1 :]


def validate(*configurations: Path) -> "subprocess.CompletedProcess[str]":
    named = [argument for path in configurations for argument in ("--config", str(path))]
    return subprocess.run([otelcol(), "validate", *named], check=False, capture_output=True, text=True)


@pytest.mark.slow  # an installed program
def test_the_agent_is_valid_and_the_gateway_misses_only_the_receiver_that_this_build_has_not() -> None:
    agent, gateway = validate(AGENT), validate(GATEWAY)
    assert (agent.returncode, agent.stderr) == (0, "")
    assert 'unknown type: "otlp" for id: "otlp"' in gateway.stderr


@pytest.mark.slow
def test_the_agent_tails_json_log_files_into_the_store(collector: RunningCollector, tmp_path: Path) -> None:
    special = [
        line(LINES, level="CRITICAL", trace_id=TRACE, span_id=SPAN, request_id="r-1"),
        line(LINES + 1, attributes={"model.name": "tiny", "batch": 8, "cached": True, "shape": [1, 2]}),
        line(LINES + 2, level="ERROR", exception=EXCEPTION, attributes={"label": "ä"}),
        "no JSON at all",
    ]
    file = tmp_path / "server.jsonl"
    file.write_text("".join(f"{line(number)}\n" for number in range(LINES)))
    with forwarding(AGENT, collector, tmp_path):
        collector.wait_for("select count(*) from logs where service_name = 'sentiment'", LINES)
        with file.open("a") as writing:
            writing.writelines(f"{each}\n" for each in special)
        # A new file, as after a rotation.
        (tmp_path / "other.jsonl").write_text(f"{line(1, service='other')}\n")
        collector.wait_for("select count(*) from logs", LINES + len(special) + 1)
    numbered = "body = 'number ' || ((time_ns - 1772366400000000000) // 1000)"
    assert collector.query(
        f"select count(distinct body), bool_and({numbered}), min(severity_number), min(scope_name) "
        "from logs where service_name = 'sentiment' and severity_text = 'INFO' and body not like '%5001'"
    ) == [(LINES, True, 9, "sentiment.model")]
    file_name = {"log.file.name": "server.jsonl"}
    found = {row["body"]: row for row in collector.rows("from logs where severity_number is distinct from 9")}
    critical, error, text = (found[body] for body in ("number 5000", "number 5002", "no JSON at all"))
    assert (critical["trace_id"], critical["span_id"], critical["severity_number"]) == (TRACE, SPAN, 21)
    assert critical["attributes"] == {"request_id": "r-1", **file_name}
    assert error["attributes"] == {**EXCEPTION, "label": "ä", **file_name}
    assert (text["attributes"], text["service_name"]) == (file_name, None)
    ((attributes,),) = collector.query("select attributes from logs where body = 'number 5001'")
    assert {key: value for key, value in attributes.items() if value is not None} == {
        "model.name": "tiny",
        "batch": 8.0,  # it reads every number of JSON as a double
        "cached": True,
        "shape": "[1.0,2.0]",
        **file_name,
    }
    assert collector.query("select service_name from logs where attributes['log.file.name'] = 'other.jsonl'") == [
        ("other",)
    ]


def of_files(gateway: Path, folder: Path) -> Path:
    """The gateway with the agent's log files in the place of OTLP, and its own metrics every 0.2 s."""
    configuration = yaml.safe_load(gateway.read_text())
    configuration["receivers"] = yaml.safe_load(AGENT.read_text())["receivers"]
    pipeline = configuration["service"]["pipelines"]["logs"] | {"receivers": ["filelog"]}
    configuration["service"]["pipelines"] = {"logs": pipeline}
    telemetry = configuration["service"]["telemetry"]
    reader = telemetry["metrics"]["readers"][0]["periodic"]
    reader["interval"] = 200
    # Its spans go the way of its metrics: the exporters of OpenTelemetry's Go SDK.
    telemetry["traces"] = {"processors": [{"batch": {"exporter": reader["exporter"]}}]}
    changed = folder / gateway.name
    changed.write_text(yaml.safe_dump(configuration))
    return changed


@pytest.mark.slow
def test_the_gateway_forwards_with_the_token_and_reports_on_itself(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    collector = start_collector(environment={"INFERSIGHT_TOKEN": "s3cret"})
    (tmp_path / "server.jsonl").write_text("".join(f"{line(number)}\n" for number in range(LINES)))
    with forwarding(of_files(GATEWAY, tmp_path), collector, tmp_path, INFERSIGHT_TOKEN="s3cret"):
        collector.wait_for("select count(distinct body) from logs where service_name = 'sentiment'", LINES)
        sent = "select max(value) from metrics where name = 'otelcol_exporter_sent_log_records'"
        wait_until(lambda: collector.query(sent) == [(float(LINES),)])
    of_exporter = "select count(*) > 0 from spans where name = 'exporter/otlphttp/logs' and status_code = 'UNSET'"
    wait_until(lambda: collector.query(of_exporter) == [(True,)])


@pytest.mark.slow
def test_the_agent_waits_for_a_collector_that_is_away_and_loses_nothing(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    first = start_collector()
    address = first.http
    assert first.stop() == 0
    (tmp_path / "server.jsonl").write_text("".join(f"{line(number)}\n" for number in range(LINES)))
    with forwarding(AGENT, first, tmp_path):
        wait_until(lambda: "connection refused" in (tmp_path / "otelcol.txt").read_text())
        second = start_collector("--http-endpoint", address, store=first.store)
        second.wait_for("select count(distinct body) from logs where service_name = 'sentiment'", LINES)
        second.wait_for("select count(*) from logs where service_name = 'sentiment'", LINES)


@pytest.mark.parametrize("path", [AGENT, GATEWAY])
def test_the_page_lists_every_variable_with_its_default_and_runs_the_file_by_its_name(path: Path) -> None:
    rows = re.findall(r"^\| (`[^|]*`) \|[^|]*\|([^|]*)\|$", PAGE, re.MULTILINE)
    defaults = {
        name: default
        for names, texts in rows
        for name, default in itertools.zip_longest(re.findall("`(.*?)`", names), re.findall("`(.*?)`", texts))
    }
    used = dict(re.findall(r"\$\{env:(\w+):-(.*?)\}", path.read_text()))
    assert used == {name: defaults[name] or "" for name in used}
    assert documented(path.name)[0] <= set(used)
    assert (SHIPPED.parent / documented(path.name)[1][-1]).samefile(path)


@pytest.mark.parametrize("path", [AGENT, GATEWAY])
def test_every_component_is_used_and_none_is_missing(path: Path) -> None:
    configuration = yaml.safe_load(path.read_text())
    pipelines: list[dict[str, list[str]]] = list(configuration["service"]["pipelines"].values())
    for role in ("receivers", "processors", "exporters"):
        assert {name for pipeline in pipelines for name in pipeline[role]} == set(configuration[role])
    assert all(pipeline["processors"] == ["memory_limiter", "batch"] for pipeline in pipelines)
