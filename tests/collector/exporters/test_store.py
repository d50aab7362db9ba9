"""The exporter `store` counts what it writes."""

# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

from pathlib import Path

from tests.support.otlp_requests import request_of, spans_request

from infersight_collector.component import Batch, Surroundings
from infersight_collector.decode import decode
from infersight_collector.exporters.store import StoreConfig, StoreExporter
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin
from infersight_collector.telemetry import Telemetry


def test_commits_rows_and_bytes_are_counted_by_table_and_not_again_for_a_segment_that_is_there(tmp_path: Path) -> None:
    telemetry = Telemetry()
    exporter = StoreExporter(StoreConfig(str(tmp_path)), Surroundings(tmp_path / "store", telemetry))
    exporter.start()
    try:
        for number in (1, 2, 2):
            exporter.begin()
            exporter.consume(Batch(Signal.TRACES, decode(Signal.TRACES, spans_request("a", "b"))))
            exporter.consume(Batch(Signal.LOGS, decode(Signal.LOGS, request_of(Signal.LOGS, "c"))))
            exporter.commit(Origin("writer", number))
    finally:
        exporter.stop()
    counts = {
        (sample.name.removeprefix("infersight_collector_store_"), sample.labels.get("table")): sample.value
        for instrument, family in telemetry.collect()
        if instrument.name.startswith("infersight.collector.store.")
        for sample in family.samples
    }
    assert counts["commits_total", "spans"] == counts["commits_total", "logs"] == 2
    assert (counts["rows_total", "spans"], counts["rows_total", "logs"]) == (4, 2)
    files = sum(file.stat().st_size for file in (tmp_path / "spans").rglob("*.parquet"))
    assert counts["written_bytes_total", "spans"] == files
