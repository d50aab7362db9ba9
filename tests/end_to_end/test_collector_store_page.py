"""The examples on the page about the store, run as a reader would run them."""

# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from tests.support.otlp_requests import request_of, spans_request
from tests.support.pages import examples

from infersight_analysis.profiles.processes import Process
from infersight_analysis.profiles.recorded import Recorded
from infersight_analysis.profiles.records import keep
from infersight_collector.config import load
from infersight_collector.decode import decode
from infersight_collector.pipeline import KINDS, build
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

PAGE = Path(__file__).parents[2] / "collector" / "docs" / "store.md"
AROUND = """
receivers: {otlp: {}}
extensions: {health_check: {}}
service:
  extensions: [health_check]
  pipelines: {traces: {receivers: [otlp], exporters: [store]}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with a store that has a profile, where commands are typed."""
    store = Store.open(tmp_path / "infersight-store")
    for number, signal in enumerate(Signal):
        rows = decode(signal, spans_request("a") if signal is Signal.TRACES else request_of(signal, "a"))
        store.write(rows, Origin("w", number + 1))
    original = tmp_path / "original"
    original.touch()
    now = time.time_ns()
    recorded = Recorded("cpu", now - 10**9, now, "samples", {("main",): 1}, original, ".original", rate=100.0)
    keep(store.path, Process.of_ourselves(), recorded, (None, None))
    return tmp_path


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )


def test_the_configurations_can_be_used() -> None:
    configurations = [load(text + AROUND, "example", KINDS, {}) for text in examples(PAGE, "yaml")]
    assert len(configurations) == 2
    for configuration in configurations:
        build(configuration)
    retention = configurations[0].components["exporters"]["store"].retention
    assert (retention.max_age, retention.max_size.of(0)) == (14 * 86_400, 50 * 10**9)


def test_the_commands_work(folder: Path) -> None:
    texts = textwrap.dedent(PAGE.read_text()).split("```sh\n")[1:]
    commands = [line.strip() for text in texts for line in text.partition("```")[0].splitlines() if line.strip()]
    assert len(commands) == 11
    for command in commands:
        done = run(folder, "sh", "-c", command)
        said = "pinned" if " pin add " in command else ""
        assert (done.returncode, done.stderr[:6]) == (0, said), command


def test_the_pins_are_made(folder: Path) -> None:
    (code,) = examples(PAGE, "python")
    done = run(folder, sys.executable, "-c", code)
    assert (done.stdout, done.stderr) == ("['incident-7', 'incident-7-metrics']\n", "")
    assert [path.name for path in (folder / "infersight-store" / "pins").glob("*.json")] == ["incident-7.json"]


def test_the_layout_on_the_page_is_that_of_a_store(folder: Path) -> None:
    run(folder, "infersight", "store", "compact")
    layout = PAGE.read_text().partition("```\n")[2].partition("```")[0]
    for entry in (folder / "infersight-store").iterdir():
        assert entry.name in layout or entry.suffix == ".lock"
