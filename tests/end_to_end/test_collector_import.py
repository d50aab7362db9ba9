"""`infersight import`: OTLP files, whole and damaged, into a store that a collector may be using."""

import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.collectors import StartCollector, query_store, wait_until
from tests.support.otlp_requests import request_of, spans_request
from tests.support.otlp_senders import post

from infersight_collector.signals import Signal

INFERSIGHT = str(Path(sys.executable).with_name("infersight"))


def delimited(*requests: bytes) -> bytes:
    """Requests that each follow their length in four bytes."""
    return b"".join(len(request).to_bytes(4, "big") + request for request in requests)


def run_import(store: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [INFERSIGHT, "import", *map(str, arguments), "--store", str(store)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)


def names(store: Path) -> list[str]:
    return [name for (name,) in query_store(store, "select name from spans order by name")]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_a_directory_of_files_of_every_form_is_imported_and_counted(tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "input" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.pb").write_bytes(delimited(spans_request("one", "two"), spans_request("three")))
    (folder / "b.pb.gz").write_bytes(gzip.compress(spans_request("four")))
    (folder / "c.jsonl").write_text(
        '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"five"}]}]}]}\n'
        '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"e"}]}]}]}\n'
    )
    (folder / "metrics.pb").write_bytes(request_of(Signal.METRICS, "m"))
    (folder / "notes.txt").write_text("not for import")
    result = run_import(store, tmp_path / "input")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"imported 5 spans, 1 log record, 1 data point of 4 files into {store}\n"
    assert names(store) == ["five", "four", "one", "three", "two"]
    assert query_store(store, "select event_name from logs") == [("e",)]
    assert query_store(store, "select name, value from metrics") == [("m", 1.5)]
    assert not list((store / "wal").rglob("*.wal"))


def test_of_a_damaged_file_what_came_before_is_kept_and_the_other_files_are_imported(
    tmp_path: Path, store: Path
) -> None:
    damaged, whole = tmp_path / "damaged.pb", tmp_path / "whole.pb"
    first = delimited(spans_request("before the damage"))
    damaged.write_bytes(first + delimited(spans_request("cut off"))[:-3])
    whole.write_bytes(delimited(spans_request("in the other file")))
    result = run_import(store, damaged, whole)
    assert result.returncode == 2
    assert result.stdout == f"imported 2 spans of 1 file into {store}\n"
    assert result.stderr.count("\n") == 1
    assert str(damaged) in result.stderr
    assert f"byte {len(first)}" in result.stderr
    assert names(store) == ["before the damage", "in the other file"]


def test_it_works_beside_a_collector_on_the_same_store(tmp_path: Path, start_collector: StartCollector) -> None:
    collector = start_collector()
    assert post(collector.http, "/v1/traces", spans_request("received")).status == 200
    file = tmp_path / "file.pb"
    file.write_bytes(spans_request("imported"))
    assert run_import(collector.store, file).returncode == 0
    assert post(collector.http, "/v1/traces", spans_request("received later")).status == 200
    collector.wait_for("select count(*) from spans", 3)
    assert names(collector.store) == ["imported", "received", "received later"]


def test_ctrl_c_stores_what_was_read_and_reports_exactly_that(tmp_path: Path, store: Path) -> None:
    file = tmp_path / "file.pb"
    file.write_bytes(delimited(*[spans_request(f"span {number}") for number in range(200_000)]))
    command = [INFERSIGHT, "import", str(file), "--store", str(store)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = store / "wal"
    wait_until(lambda: any(path.stat().st_size > 1000 for path in log.rglob("*.wal")), 60)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    ((stored,),) = query_store(store, "select count(*) from spans")
    assert output == f"imported {stored} spans of 0 files into {store}\n"
    assert 0 < stored < 200_000
