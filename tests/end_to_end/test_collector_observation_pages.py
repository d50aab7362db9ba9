"""The examples on the pages about self-observation and following files, run as a reader would run them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import file_writer
from tests.support.collectors import StartCollector, wait_until
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import post

from infersight_analysis import connect
from infersight_collector.config import load
from infersight_collector.pipeline import KINDS, build

DOCS = Path(__file__).parents[2] / "collector" / "docs"
OBSERVATION = (DOCS / "self-observation.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", OBSERVATION, re.DOTALL)
FOLLOWING = re.findall(
    r"```yaml\n(.*?)```", (DOCS / "collector.md").read_text().partition("## Following files")[2], re.DOTALL
)


def test_the_queries_find_what_the_collector_tells_about_itself(
    tmp_path: Path, start_collector: StartCollector
) -> None:
    config = tmp_path / "config.yaml"
    document: dict[str, Any] = next(yaml.safe_load(text) for text in examples("yaml") if "telemetry" in text)
    document["service"]["telemetry"]["metrics"]["interval"] = "200ms"
    document["service"]["extensions"] = ["health_check"]
    document["service"]["pipelines"] = {
        signal: {"receivers": ["otlp"], "exporters": ["store"]} for signal in ("traces", "metrics")
    }
    document |= {"receivers": {"otlp": {}}, "exporters": {"store": {}}, "extensions": {"health_check": {}}}
    config.write_text(yaml.safe_dump(document))
    collector = start_collector("--config", str(config))
    assert post(collector.http, "/v1/traces", spans_request("a")).status == 200
    written = "select count(*) from metrics where name = 'infersight.collector.store.rows'"
    wait_until(lambda: collector.query(written)[0][0] > 2)
    assert len(QUERIES) == 3
    with connect(collector.store) as store:
        for query in QUERIES:
            rows = store.execute(query).fetchall()
            assert rows
            assert None not in rows[-1], query


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", OBSERVATION, re.DOTALL)


def test_every_key_of_the_state_is_on_the_page(start_collector: StartCollector) -> None:
    collector = start_collector()
    command = [sys.executable, "-m", "infersight_collector", "status", "--health-endpoint", collector.health]
    state = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for part in (state, state["signals"]["traces"], state["rates"], state["log"], state["process"]):
        for key in part.keys() - {"traces", "logs", "metrics", "path"}:
            assert f"`{key}" in OBSERVATION, key


@pytest.mark.parametrize("example", FOLLOWING, ids=range(len(FOLLOWING)))
def test_the_example_follows_files(tmp_path: Path, start_collector: StartCollector, example: str) -> None:
    text = example.replace("/var/", f"{tmp_path}/var/")
    build(load(text, "example", KINDS, {}))
    document: dict[str, Any] = yaml.safe_load(text)
    document["receivers"]["otlp"] = {}
    document["extensions"] = {"health_check": {}}
    document["service"]["extensions"] = ["health_check"]
    document["service"]["pipelines"]["traces"]["receivers"].append("otlp")
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(document))
    for name in ("log/otlp/a.jsonl", "log/otlp/a.jsonl.1", "log/otlp/debug.jsonl", "spool/otlp/deep/b.json"):
        file = tmp_path / "var" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(file_writer.line(len(name)))
    collector = start_collector("--config", str(config))
    collector.wait_for("select count(*) from spans", 3)
    names = {name for (name,) in collector.query("select name from spans")}
    assert f"span {len('log/otlp/debug.jsonl')}" not in names
