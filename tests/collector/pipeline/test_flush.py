"""The way from the log to the exporters: in order, once, and nothing lost when something fails."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

from collections.abc import Generator
from pathlib import Path

import pytest
from tests.support.collectors import wait_until
from tests.support.otlp_requests import request_of, spans_request

from infersight_collector.component import Batch, Route
from infersight_collector.errors import MalformedRequest, Overloaded
from infersight_collector.flush import Flusher
from infersight_collector.intake import Intake
from infersight_collector.journal import QUARANTINE, Journal
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreFull, StoreUnavailable
from infersight_collector.store.wal import Origin, Record, Segment, Wal, read
from infersight_collector.telemetry import Telemetry

MALFORMED = b"\x00\x00"


class MemoryExporter:
    """Keeps what is committed: the names of the spans of each segment. Fails as often as it is told to."""

    def __init__(self) -> None:
        self.committed: dict[int, list[str]] = {}
        self.failures: list[BaseException] = []
        self._names: list[str] = []

    def start(self) -> None:
        """There is nothing to open."""

    def begin(self) -> None:
        self._names = []

    def consume(self, batch: Batch) -> None:
        self._names += batch.tables["spans"].column("name").to_pylist()

    def commit(self, origin: Origin) -> None:
        if self.failures:
            raise self.failures.pop()
        self.committed[origin.number] = self._names

    def stop(self) -> None:
        """There is nothing to close."""


class Setting:
    """A log in a directory, flushed by hand to a `MemoryExporter`; only traces have a pipeline."""

    def __init__(self, store: Path, max_bytes: int = 2**20) -> None:
        self.store = store
        self.exporter = MemoryExporter()
        self.journal = Journal(Wal.open(store, fsync="never"), store, max_bytes)
        routes = [Route("traces", Signal.TRACES, [], ["memory"])]
        self.flusher = Flusher(self.journal, routes, {"memory": self.exporter}, Telemetry(), interval_s=0.01)
        self.intake = Intake(self.journal, Telemetry(), lambda: self.flusher.failure)

    def log(self, *requests: bytes) -> None:
        """Into the log without a check, as a changed disk or a bug could bring it there."""
        for request in requests:
            self.journal.append(Record(Signal.TRACES, request))

    def quarantined(self) -> list[Record]:
        """The records that were set aside."""
        paths = sorted((self.store / QUARANTINE).rglob("*.wal"))
        return [record for path in paths for record in read_path(path)]


def read_path(path: Path) -> list[Record]:
    """The records of a segment file."""
    return read(Segment(Origin(path.parent.name, int(path.stem)), path))[0]


@pytest.fixture
def setting(tmp_path: Path) -> Generator[Setting]:
    setting = Setting(tmp_path)
    yield setting
    setting.journal.close()


def test_requests_become_one_batch_a_segment_and_leave_the_log(setting: Setting) -> None:
    setting.intake.submit(Signal.TRACES, spans_request("a", "b"))
    setting.intake.submit(Signal.TRACES, spans_request("c"))
    setting.flusher.flush()
    setting.intake.submit(Signal.TRACES, spans_request("d"))
    setting.flusher.flush()
    assert setting.exporter.committed == {1: ["a", "b", "c"], 2: ["d"]}
    assert setting.journal.waiting_bytes == 0
    assert setting.quarantined() == []


def test_a_malformed_request_does_not_reach_the_log(setting: Setting) -> None:
    with pytest.raises(MalformedRequest):
        setting.intake.submit(Signal.TRACES, MALFORMED)
    assert setting.journal.waiting_bytes == 0


@pytest.mark.parametrize("failure", [StoreUnavailable("later"), OSError(24, "Too many open files")])
def test_an_exporter_that_cannot_deliver_gets_the_segments_again_in_order(setting: Setting, failure: Exception) -> None:
    setting.exporter.failures = [failure, failure]
    for name in ("a", "b"):
        setting.log(spans_request(name))
        with pytest.raises(StoreUnavailable):
            setting.flusher.flush()
    assert setting.exporter.committed == {}
    setting.flusher.flush()
    assert setting.exporter.committed == {1: ["a"], 2: ["b"]}
    assert setting.journal.waiting_segments == 0


def test_a_full_store_closes_the_intake_until_a_flush_succeeds(setting: Setting) -> None:
    setting.exporter.failures = [StoreFull("full")]
    setting.intake.submit(Signal.TRACES, spans_request("a"))
    with pytest.raises(StoreFull):
        setting.flusher.flush()
    with pytest.raises(StoreFull):
        setting.intake.submit(Signal.TRACES, spans_request("refused"))
    setting.flusher.flush()
    setting.intake.submit(Signal.TRACES, spans_request("b"))
    setting.flusher.flush()
    assert setting.exporter.committed == {1: ["a"], 2: ["b"]}


def test_a_log_at_its_limit_refuses_and_takes_again_when_it_was_flushed(tmp_path: Path) -> None:
    setting = Setting(tmp_path, max_bytes=200)
    for _ in range(10):
        try:
            setting.intake.submit(Signal.TRACES, spans_request("some span"))
        except Overloaded:
            break
    else:
        pytest.fail("the log grew beyond its limit")
    setting.flusher.flush()
    setting.intake.submit(Signal.TRACES, spans_request("again"))
    setting.journal.close()


def test_a_request_that_cannot_be_decoded_is_set_aside_and_the_others_are_stored(setting: Setting) -> None:
    setting.log(spans_request("a"), MALFORMED, spans_request("b"))
    setting.flusher.flush()
    assert setting.exporter.committed == {1: ["a", "b"]}
    assert MALFORMED in [record.request for record in setting.quarantined()]
    assert setting.journal.waiting_segments == 0


def test_a_segment_that_no_exporter_can_take_is_set_aside_and_the_next_one_is_stored(setting: Setting) -> None:
    setting.exporter.failures = [ZeroDivisionError("a bug")]
    setting.log(spans_request("a"))
    setting.flusher.flush()
    setting.log(spans_request("b"))
    setting.flusher.flush()
    assert setting.exporter.committed == {2: ["b"]}
    assert [record.request for record in setting.quarantined()] == [spans_request("a")]


def test_records_of_a_signal_without_pipeline_are_set_aside(setting: Setting) -> None:
    setting.journal.append(Record(Signal.LOGS, request_of(Signal.LOGS, "from an earlier configuration")))
    setting.log(spans_request("a"))
    setting.flusher.flush()
    assert setting.exporter.committed == {1: ["a"]}
    assert [record.signal for record in setting.quarantined()] == [Signal.LOGS, Signal.TRACES]


def test_a_segment_is_finished_at_its_size_before_anybody_flushes(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infersight_collector.journal.SEGMENT_BYTES", 300)
    for number in range(12):
        setting.log(spans_request(str(number)))
    assert setting.journal.waiting_segments > 1
    setting.flusher.flush()
    stored = [name for _, names in sorted(setting.exporter.committed.items()) for name in names]
    assert stored == [str(number) for number in range(12)]


def test_what_a_dead_process_left_is_delivered_by_the_next_one_under_its_origin(tmp_path: Path) -> None:
    first = Setting(tmp_path)
    first.intake.submit(Signal.TRACES, spans_request("left"))
    first.journal.close()
    second = Setting(tmp_path)
    second.flusher.flush()
    assert second.exporter.committed == {1: ["left"]}
    second.journal.close()


def test_the_thread_survives_failures_and_delivers_at_last(setting: Setting) -> None:
    setting.exporter.failures = [StoreUnavailable("second"), StoreUnavailable("first")]
    setting.log(spans_request("a"))
    setting.flusher.start()
    wait_until(lambda: setting.exporter.committed == {1: ["a"]})
    setting.flusher.stop()


class Panic(BaseException):
    """What compiled code raises when it gives up."""


def test_a_panic_is_a_failure_until_a_flush_succeeds(setting: Setting) -> None:
    setting.exporter.failures = [Panic("no thread")]
    setting.log(spans_request("a"))
    setting.flusher.start()
    failure = wait_until(lambda: setting.flusher.failure)
    assert str(failure) == "cannot flush the log: no thread"
    setting.flusher.stop()
    setting.flusher.flush()
    assert setting.exporter.committed == {1: ["a"]}
    assert setting.flusher.failure is None


def test_a_segment_that_somebody_deleted_or_broke_does_not_stop_the_others(setting: Setting) -> None:
    for name in ("deleted", "broken", "good"):
        setting.log(spans_request(name))
        setting.journal.take()
    deleted, broken, _ = sorted((setting.store / "wal").rglob("*.wal"))
    deleted.unlink()
    broken.unlink()
    broken.mkdir()  # cannot be read, like a bad sector
    setting.flusher.flush()
    assert setting.exporter.committed == {1: [], 2: [], 3: ["good"]}
    assert [path.name for path in (setting.store / QUARANTINE).rglob("*.wal")] == [broken.name]
    assert setting.journal.waiting_segments == 0


def test_a_delivered_segment_that_cannot_leave_the_log_is_delivered_once(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting.log(spans_request("a"))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", _forbidden)
        setting.flusher.flush()
        setting.exporter.committed.clear()
        setting.flusher.flush()
    assert setting.journal.waiting_segments == 1
    setting.flusher.flush()
    assert setting.journal.waiting_segments == 0
    assert setting.exporter.committed == {}


def _forbidden(path: Path, missing_ok: bool = False) -> None:
    raise PermissionError(f"{path}, {missing_ok}")
