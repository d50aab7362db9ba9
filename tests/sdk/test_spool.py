"""The spool's files: bounded, shared by processes, whole after a crash, and read by `infersight import`."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infersight.export.destination import Signal
from infersight.export.raw import Outcome
from infersight.export.spool import SpoolFiles, claimed, requests_in, send_file
from infersight_collector.decode.files import read_requests

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Script

MIB = 1 << 20


class Collector:
    """Takes so many requests, then is away."""

    def __init__(self, takes: int = 1_000_000) -> None:
        self.taken: list[tuple[Signal, bytes]] = []
        self._takes = takes

    def __call__(self, signal: Signal, request: bytes) -> Outcome:
        if len(self.taken) >= self._takes:
            return Outcome.AWAY
        self.taken.append((signal, request))
        return Outcome.DELIVERED


def send_all(files: SpoolFiles, collector: Collector) -> bool:
    files.release()
    return all(send_file(path, collector) for path in files.paths())


def test_requests_are_sent_in_the_order_in_which_they_came_and_their_files_deleted(tmp_path: Path) -> None:
    files, collector = SpoolFiles(tmp_path, MIB), Collector()
    for number in range(5):
        assert files.append("traces", b"%d" % number)
    files.release()
    assert files.append("traces", b"5")
    assert send_all(files, collector)
    assert collector.taken == [("traces", b"%d" % number) for number in range(6)]
    assert files.paths() == []


def test_what_a_collector_did_not_take_is_sent_once_it_is_back(tmp_path: Path) -> None:
    files, first, second = SpoolFiles(tmp_path, MIB), Collector(takes=2), Collector()
    for number in range(5):
        files.append("logs", b"%d" % number)
    assert not send_all(files, first)
    assert send_all(files, second)
    assert [request for _, request in first.taken + second.taken] == [b"%d" % number for number in range(5)]


def test_a_request_that_the_collector_refuses_makes_way_for_the_next(tmp_path: Path) -> None:
    files = SpoolFiles(tmp_path, MIB)
    files.append("traces", b"bad")
    files.release()
    (path,) = files.paths()
    assert send_file(path, lambda _signal, _request: Outcome.REFUSED)
    assert files.paths() == []


def test_a_full_spool_refuses_and_takes_again_when_there_is_room(tmp_path: Path) -> None:
    files = SpoolFiles(tmp_path, 1_000)
    taken = sum(files.append("metrics", bytes(96)) for _ in range(20))
    assert taken == 10
    assert sum(path.stat().st_size for path in files.paths()) == 1_000
    assert send_all(files, Collector())
    files.release()
    assert files.append("metrics", bytes(96))


def test_what_an_earlier_process_left_counts_for_the_size(tmp_path: Path) -> None:
    SpoolFiles(tmp_path, 1_000).append("logs", bytes(896))
    assert not SpoolFiles(tmp_path, 1_000).append("logs", bytes(200))


def test_a_file_is_not_sent_while_its_writer_lives(tmp_path: Path) -> None:
    writer, collector = SpoolFiles(tmp_path, MIB), Collector()
    writer.append("traces", b"1")
    (path,) = writer.paths()
    assert send_file(path, collector)
    assert collector.taken == []
    assert send_all(writer, collector)
    assert collector.taken == [("traces", b"1")]


def test_a_request_that_its_writer_could_not_finish_is_left_out(tmp_path: Path) -> None:
    files = SpoolFiles(tmp_path, MIB)
    files.append("traces", b"whole")
    files.append("traces", b"torn")
    files.release()
    (path,) = files.paths()
    path.write_bytes(path.read_bytes()[:-2])
    with claimed(path) as content:
        assert requests_in(content or b"") == [b"whole"]


def test_a_disk_that_refuses_costs_the_request_and_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = SpoolFiles(tmp_path / "spool", MIB)
    (tmp_path / "spool").rmdir()
    assert not files.append("traces", b"1")
    assert "the spool takes no telemetry" in caplog.text


def test_several_senders_on_one_spool_send_each_request_once(tmp_path: Path) -> None:
    collector = Collector()
    for number in range(200):
        files = SpoolFiles(tmp_path, MIB)
        files.append("traces", b"%d" % number)
        files.release()
    with ThreadPoolExecutor(8) as pool:
        sending = [pool.submit(send_all, SpoolFiles(tmp_path, MIB), collector) for _ in range(8)]
    assert all(sent.result() for sent in sending)
    assert sorted(int(request) for _, request in collector.taken) == list(range(200))


def test_a_file_that_another_process_takes_as_it_is_made_loses_nothing(tmp_path: Path) -> None:
    files, collector, done = SpoolFiles(tmp_path, 100 * MIB), Collector(), threading.Event()

    def send_until_done() -> None:
        other = SpoolFiles(tmp_path, 100 * MIB)
        while not done.is_set():
            send_all(other, collector)

    written = [str(number).encode() for number in range(2_000)]
    with ThreadPoolExecutor(2) as senders:
        sending = [senders.submit(send_until_done) for _ in range(2)]
        for request in written:
            assert files.append("traces", request)
            files.release()  # so that each request begins a file
        done.set()
        for sender in sending:
            sender.result()
    assert send_all(files, collector)
    assert sorted(request for _, request in collector.taken) == sorted(written)


SHARING = """
import infersight, sys
infersight.configure(console="off")
for number in range(200):
    with infersight.stage(f"{sys.argv[1]} {number}"): pass
"""


def test_processes_share_a_spool_and_the_collector_gets_each_span_once(receiver: "Receiver", tmp_path: Path) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint,
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
        "INFERSIGHT_SPOOL": str(tmp_path / "spool"),
        "INFERSIGHT_SHUTDOWN_SECONDS": "60",
    }
    processes = [
        subprocess.Popen([sys.executable, "-c", SHARING, f"process {number}"], env=environment) for number in range(4)
    ]
    assert [process.wait(120) for process in processes] == [0, 0, 0, 0]
    assert sorted(span.name for span in receiver.spans) == sorted(
        f"process {process} {number}" for process in range(4) for number in range(200)
    )


def test_import_reads_what_waits_in_a_spool(script: "Script", tmp_path: Path) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
        "INFERSIGHT_SPOOL": str(tmp_path),
        "INFERSIGHT_SHUTDOWN_SECONDS": "1",
    }
    assert script(SHARING.replace("sys.argv[1]", "'left'"), **environment).returncode == 0
    signals = [str(signal) for path in sorted(tmp_path.glob("*.pb")) for signal, _ in read_requests(path)]
    assert signals.count("traces") == 20
    assert "metrics" in signals


@pytest.mark.parametrize("where", ["file", "missing/nested"])
def test_a_folder_that_cannot_be_had_is_one_line(
    script: "Script", receiver: "Receiver", tmp_path: Path, where: str
) -> None:
    (tmp_path / "file").touch()
    spool = tmp_path / where
    code = "import infersight; infersight.configure(console='human')\nwith infersight.stage('s'): pass"
    result = script(code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint, INFERSIGHT_SPOOL=str(spool))
    assert result.stderr.count("telemetry is not spooled") == (1 if where == "file" else 0)
    assert [span.name for span in receiver.spans] == ["s"]
