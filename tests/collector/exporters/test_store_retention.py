"""The exporter `store` keeps what its configuration says, and tells how much that is."""

# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import shutil
from pathlib import Path

import pytest
from tests.support.collectors import query_store, wait_until
from tests.support.otlp_requests import spans_request

from infersight_collector.component import Batch, Surroundings
from infersight_collector.config.values import Duration
from infersight_collector.decode import decode
from infersight_collector.exporters import store as store_exporter
from infersight_collector.exporters.store import RetentionConfig, StoreConfig, StoreExporter
from infersight_collector.signals import Signal
from infersight_collector.store.size import Size
from infersight_collector.store.wal import Origin
from infersight_collector.telemetry import Telemetry


def values(telemetry: Telemetry) -> dict[tuple[str, ...], float]:
    """The series by name and attribute values."""
    return {
        (sample.name.removeprefix("infersight_collector_store_"), *sample.labels.values()): sample.value
        for _, family in telemetry.collect()
        for sample in family.samples
    }


def test_what_is_too_old_is_dropped_and_deleted_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_exporter, "_MAINTENANCE_INTERVAL_S", 0.05)
    telemetry = Telemetry()
    config = StoreConfig(str(tmp_path), retention=RetentionConfig(max_age=Duration(0.001)), vacuum_grace=Duration(1e-6))
    exporter = StoreExporter(config, Surroundings(tmp_path / "store", telemetry))
    # There before the first look, and of an hour that is over.
    monkeypatch.setattr(exporter, "_maintain", lambda: None)
    exporter.start()
    exporter.consume(Batch(Signal.TRACES, decode(Signal.TRACES, spans_request("a", "b"))))
    exporter.commit(Origin("writer", 1))
    exporter.stop()
    assert query_store(tmp_path, "select count(*) from spans") == [(2,)]
    exporter = StoreExporter(config, Surroundings(tmp_path / "store", telemetry_again := Telemetry()))
    exporter.start()
    try:
        wait_until(lambda: values(telemetry_again).get(("dropped_rows_total", "spans")) == 2)
    finally:
        exporter.stop()
    assert query_store(tmp_path, "select count(*) from spans") == [(0,)]
    found = values(telemetry_again)
    assert found["dropped_bytes_total", "spans"] > 0
    assert found["limit_bytes", "store"] == shutil.disk_usage(tmp_path).total // 2


def test_the_size_of_the_tables_and_the_age_of_the_oldest_hour_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_exporter, "_MAINTENANCE_INTERVAL_S", 0.05)
    telemetry = Telemetry()
    config = StoreConfig(str(tmp_path), retention=RetentionConfig(max_size=Size.parse("1GB")))
    exporter = StoreExporter(config, Surroundings(tmp_path / "store", telemetry))
    assert values(telemetry)["oldest_age_seconds", "store"] == 0
    exporter.consume(Batch(Signal.TRACES, decode(Signal.TRACES, spans_request("a"))))
    exporter.start()
    exporter.commit(Origin("writer", 1))
    try:
        wait_until(lambda: values(telemetry)["files", "store", "spans"] == 1)
    finally:
        exporter.stop()
    found = values(telemetry)
    files = sum(file.stat().st_size for file in (tmp_path / "spans").rglob("*.parquet"))
    assert found["size_bytes", "store", "spans"] == files
    assert found["oldest_age_seconds", "store"] > 0
    assert found["limit_bytes", "store"] == 10**9
