"""The examples of the page about exporters, in real collectors."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.collectors import RunningCollector, StartCollector, query_store, wait_until
from tests.support.load import NAMES
from tests.support.otlp_requests import request_of
from tests.support.otlp_senders import post

from infersight_collector.signals import Signal

INFERSIGHT = str(Path(sys.executable).with_name("infersight"))
PAGE = Path(__file__).parents[2] / "collector" / "docs" / "exporters.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)


def example(kind: str, folder: Path) -> Path:
    """A file with the page's example of an exporter."""
    (text,) = [text for text in EXAMPLES if f"\n  {kind}:" in text.split("\nexporters:")[1]]
    file = folder / f"{kind}.yaml"
    file.write_text(text)
    return file


def send_one_of_each(collector: RunningCollector, name: str) -> None:
    for signal in Signal:
        assert post(collector.http, f"/v1/{signal}", request_of(signal, name)).status == 200


def wait_for_one_of_each(collector: RunningCollector, name: str) -> None:
    for table, column in NAMES.items():
        collector.wait_for(f"select count(*) from {table} where {column} = '{name}'", 1)


@pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
def test_the_examples_send_on(kind: str, start_collector: StartCollector, tmp_path: Path) -> None:
    backend = start_collector()
    environment = {"BACKEND": backend.grpc, "BACKEND_URL": f"http://{backend.http}"}
    front = started(start_collector, kind, tmp_path, environment)
    send_one_of_each(front, "through")
    wait_for_one_of_each(backend, "through")
    if kind == "otlp":
        wait_for_one_of_each(front, "through")


def test_the_example_of_a_file_is_readable_by_import(start_collector: StartCollector, tmp_path: Path) -> None:
    file = tmp_path / "telemetry.jsonl"
    front = started(start_collector, "file", tmp_path, {"TELEMETRY_FILE": str(file)})
    send_one_of_each(front, "written")
    wait_until(lambda: len(file.read_text().splitlines()) == 3)
    store = tmp_path / "imported"
    command = [INFERSIGHT, "import", str(file), "--store", str(store)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    for table, column in NAMES.items():
        assert query_store(store, f"select {column} from {table}") == [("written",)]


def test_the_example_of_the_terminal_shows_each_record(start_collector: StartCollector, tmp_path: Path) -> None:
    front = started(start_collector, "debug", tmp_path, {})
    send_one_of_each(front, "shown")
    wait_until(lambda: sum("shown" in line for line in front.log.read_text().splitlines()) == 3)
    assert "spans  -  shown  UNSPECIFIED" in front.log.read_text()
    wait_for_one_of_each(front, "shown")


def started(
    start_collector: StartCollector, kind: str, folder: Path, environment: Mapping[str, str]
) -> RunningCollector:
    file = example(kind, folder)
    inside = {"INFERSIGHT_LOG": str(folder / "log"), **environment}
    return start_collector("--config", str(file), has_store="\n  store:" in file.read_text(), environment=inside)
