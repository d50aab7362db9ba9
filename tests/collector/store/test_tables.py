"""A table's log is followed whatever others did to it meanwhile."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from infersight_collector.store.live import live_files
from infersight_collector.store.tables import CHECKPOINT_EVERY, Table
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

Spans = Callable[..., pa.Table]
Query = Callable[..., list[tuple[Any, ...]]]


def test_a_writer_that_was_idle_while_the_log_moved_on_and_was_cleaned_still_writes(
    tmp_path: Path, spans: Spans, query: Query
) -> None:
    idle, busy = Store.open(tmp_path), Store.open(tmp_path)
    idle.write({"spans": spans(0)}, Origin("idle", 1))
    for number in range(1, 2 * CHECKPOINT_EVERY + 2):
        busy.write({"spans": spans(number * 5)}, Origin("busy", number))
    for entry in (tmp_path / "spans" / "_delta_log").glob("*.json"):
        os.utime(entry, (0, 0))
    Table(tmp_path, "spans").delta.cleanup_metadata()
    assert not (tmp_path / "spans" / "_delta_log" / f"{2:020d}.json").exists()
    idle.write({"spans": spans(5_000)}, Origin("idle", 2))
    rows = 5 * (2 * CHECKPOINT_EVERY + 3)
    assert query(tmp_path, "select count(*), count(distinct span_id) from rows") == [(rows, rows)]


def test_files_that_another_process_took_out_first_are_not_replaced(tmp_path: Path, spans: Spans) -> None:
    Store.open(tmp_path).write({"spans": spans(0)}, Origin("w", 1))
    first, second = Table(tmp_path, "spans"), Table(tmp_path, "spans")
    files = list(live_files(first.delta).values())
    assert first.replace(files, loses_rows=True)
    assert not second.replace(files, loses_rows=True)
    assert live_files(second.delta) == {}
