"""A collector that follows files which another process writes and rotates, while the collector is stopped or killed."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.support import file_writer
from tests.support.collectors import RunningCollector, StartCollector, query_store, wait_until

CONFIGURATION = """
receivers:
  otlp:
  otlp_json_file:
    include: ["{files}/spans.jsonl*"]
    start_at: beginning
exporters: {{store: }}
extensions: {{health_check: }}
service:
  extensions: [health_check]
  pipelines:
    traces: {{receivers: [otlp, otlp_json_file], exporters: [store]}}
"""

LINES = 4_000
CHUNK_LINES = 2**20 // 1000
"""More lines than one chunk of a file has, which is what a crash may repeat."""


@pytest.mark.parametrize(
    ("end", "repeated"),
    [(RunningCollector.stop, 0), (RunningCollector.kill, CHUNK_LINES)],
    ids=["stopped", "killed"],
)
def test_every_line_of_rotated_files_arrives_although_the_collector_is_ended(
    tmp_path: Path, start_collector: StartCollector, end: Callable[[RunningCollector], None], repeated: int
) -> None:
    config, store, file = tmp_path / "config.yaml", tmp_path / "store", tmp_path / "spans.jsonl"
    config.write_text(CONFIGURATION.format(files=tmp_path))
    collector = start_collector("--config", str(config), store=store)
    writer = subprocess.Popen([sys.executable, file_writer.__file__, str(file), str(LINES)])
    for share in (0.03, 0.3):
        wait_until(partial(has_spans, store, share * LINES), 60)
        end(collector)
        collector = start_collector("--config", str(config), store=store)
    assert writer.wait(120) == 0
    wait_until(partial(has_spans, store, LINES), 60)
    collector.stop()
    ((distinct, rows),) = query_store(store, "select count(distinct name), count(*) from spans")
    assert distinct == LINES
    assert rows - distinct <= 2 * repeated


def has_spans(store: Path, count: float) -> bool:
    """Whether so many different spans are in the store."""
    return bool(query_store(store, "select count(distinct name) from spans")[0][0] >= count)
