"""The exporter file: lines of OTLP/JSON, each segment once, in files that do not grow for ever."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.otlp_requests import request_of, spans_request

from infersight_collector.component import Batch
from infersight_collector.decode import decode, read_requests
from infersight_collector.errors import CollectorError
from infersight_collector.exporters.file import FileConfig, FileExporter, Rotation
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.store.wal import Origin


def started(path: Path, rotation: Rotation | None = None) -> FileExporter:
    exporter = FileExporter(FileConfig(str(path), rotation))
    exporter.start()
    return exporter


def consume(exporter: FileExporter, *names: str, signal: Signal = Signal.TRACES) -> None:
    exporter.begin()
    for name in names:
        request = request_of(signal, name)
        exporter.consume(Batch(signal, decode(signal, request), [request]))


def names_in(path: Path) -> list[str]:
    return [
        name
        for signal, request in read_requests(path)
        for name in decode(signal, request)["spans"].column("name").to_pylist()
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / "telemetry.jsonl"


def test_a_line_is_a_request_that_reads_back_as_it_was(
    path: Path, random_request: Callable[..., bytes], rows_of: Callable[..., object]
) -> None:
    rng = random.Random(3)
    requests = [(signal, random_request(signal, rng)) for signal in Signal for _ in range(20)]
    exporter = started(path)
    for number, (signal, request) in enumerate(requests, 1):
        exporter.begin()
        exporter.consume(Batch(signal, {}, [request]))
        exporter.commit(Origin("w", number))
    written = list(read_requests(path))
    lines = path.read_bytes().split(b"\n")
    assert len([line for line in lines if line not in (b"", b"{}")]) == len(written)
    for signal in Signal:
        before = b"".join(request for kind, request in requests if kind is signal)
        after = b"".join(request for kind, request in written if kind is signal)
        assert rows_of(decode(signal, after)) == rows_of(decode(signal, before))


def test_ids_are_hex_and_enumerations_are_numbers(path: Path) -> None:
    exporter = started(path)
    consume(exporter, "a")
    exporter.commit(Origin("w", 1))
    (span,) = json.loads(path.read_text())["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert span["traceId"] == (b"t" * 16).hex()
    assert span["spanId"] == "0000000000000001"


def test_a_segment_is_in_the_file_once(path: Path) -> None:
    exporter = started(path)
    for names, number in ((["a", "b"], 1), (["c"], 2)):
        consume(exporter, *names)
        exporter.commit(Origin("w", number))
    for again in (exporter, started(path)):
        consume(again, "c")
        again.commit(Origin("w", 2))
    assert names_in(path) == ["a", "b", "c"]


def test_what_a_crash_left_of_a_segment_is_cut_off(path: Path) -> None:
    exporter = started(path)
    consume(exporter, "a")
    exporter.commit(Origin("w", 1))
    with path.open("ab") as file:
        file.write(b'{"resourceSpans":[{"scopeSp')
    again = started(path)
    consume(again, "b")
    again.commit(Origin("w", 2))
    assert names_in(path) == ["a", "b"]


def test_a_segment_whose_place_was_not_noted_is_not_there_twice(path: Path) -> None:
    exporter = started(path)
    ledger = path.with_name("telemetry.jsonl.ledger")
    before = ledger.read_bytes()
    consume(exporter, "a")
    exporter.commit(Origin("w", 1))
    ledger.write_bytes(before)  # the crash came between the two
    again = started(path)
    consume(again, "a")
    again.commit(Origin("w", 1))
    assert names_in(path) == ["a"]


def test_what_was_in_the_file_before_stays(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("somebody else's\n")
    exporter = started(path)
    consume(exporter, "a")
    exporter.commit(Origin("w", 1))
    assert path.read_text().startswith("somebody else's\n{")


def test_a_file_that_cannot_be_written_is_tried_again(path: Path) -> None:
    exporter = started(path)
    path.unlink()
    path.mkdir()
    consume(exporter, "a")
    with pytest.raises(StoreUnavailable, match=r"cannot write to .*telemetry\.jsonl"):
        exporter.commit(Origin("w", 1))
    path.rmdir()
    consume(exporter, "a")
    exporter.commit(Origin("w", 1))
    assert names_in(path) == ["a"]


def test_a_place_where_no_file_can_be_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CollectorError, match="cannot be written"):
        started(tmp_path / "file" / "below")


def test_full_files_are_renamed_and_the_oldest_ones_deleted(path: Path) -> None:
    exporter = started(path, Rotation(max_megabytes=1, max_backups=2))
    for number in range(1, 8):
        consume(exporter, str(number) * 600_000)
        exporter.commit(Origin("w", number))
    backups = sorted(path.parent.glob("telemetry-*.jsonl"))
    assert [names_in(file)[0][0] for file in (*backups, path)] == ["5", "6", "7"]
    assert all(file.stat().st_size < 10**6 for file in (*backups, path))


def test_a_crash_in_a_rotation_loses_nothing(path: Path) -> None:
    rotation = Rotation(max_megabytes=1)
    exporter = started(path, rotation)
    consume(exporter, "a" * 600_000)
    exporter.commit(Origin("w", 1))
    path.rename(path.with_name("telemetry-2026-01-01T00-00-00.000000.jsonl"))
    again = started(path, rotation)
    consume(again, "b")
    again.commit(Origin("w", 2))
    assert names_in(path) == ["b"]
    consume(again, "c")
    again.commit(Origin("w", 3))
    assert names_in(path) == ["b", "c"]


def test_requests_that_a_processor_changed_are_written_as_they_are_now(path: Path) -> None:
    rows = decode(Signal.TRACES, spans_request("a", "b"))["spans"]
    exporter = started(path)
    exporter.begin()
    exporter.consume(Batch(Signal.TRACES, {"spans": rows.slice(1)}))
    exporter.commit(Origin("w", 1))
    assert names_in(path) == ["b"]
