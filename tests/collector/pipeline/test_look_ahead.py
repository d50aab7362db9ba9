"""Processors that look ahead: what they see, and when."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.otlp_requests import request_of

from infersight_collector.component import Batch, Route
from infersight_collector.flush import Flusher
from infersight_collector.journal import Journal
from infersight_collector.signals import TABLES, Signal
from infersight_collector.store.wal import Origin, Record, Wal
from infersight_collector.telemetry import Telemetry

NAMES = {Signal.TRACES: "name", Signal.LOGS: "event_name", Signal.METRICS: "name"}


def names_in(batch: Batch) -> str:
    rows = batch.tables[TABLES[batch.signal][0]]
    return ",".join(rows.column(NAMES[batch.signal]).to_pylist())


@dataclass
class Diary:
    """Processor that looks ahead, and writes down what happens."""

    lookahead_s: float = 3600.0
    observes: frozenset[Signal] = frozenset({Signal.TRACES, Signal.METRICS})
    entries: list[str] = field(default_factory=list[str])

    def observe(self, batch: Batch) -> None:
        self.entries.append(f"sees {names_in(batch)}")

    def process(self, batch: Batch) -> Batch:
        self.entries.append(f"decides {names_in(batch)}")
        return batch

    def settle(self) -> None:
        self.entries.append("settles")


@dataclass
class Exporter:
    """Writes down in the same diary what is delivered."""

    diary: Diary

    def start(self) -> None:
        """There is nothing to open."""

    def begin(self) -> None:
        """Nothing is undone."""

    def consume(self, batch: Batch) -> None:
        self.diary.entries.append(f"delivers {names_in(batch)}")

    def commit(self, origin: Origin) -> None:
        self.diary.entries.append(f"commits {origin.number}")

    def stop(self) -> None:
        """There is nothing to close."""


class Setting:
    """A log whose every signal passes one diary."""

    def __init__(self, directory: Path, *more: str) -> None:
        self.diary = Diary()
        self.journal = Journal(Wal.open(directory, fsync="never"), directory, 2**20)
        names = [*Signal, *more]
        routes = [Route(name, Signal(name.split("/")[0]), [self.diary], ["memory"]) for name in names]
        exporters = {"memory": Exporter(self.diary)}
        self.flusher = Flusher(self.journal, routes, exporters, Telemetry(), interval_s=0.01)

    def log(self, signal: Signal, name: str) -> None:
        self.journal.append(Record(signal, request_of(signal, name)))

    def entries(self) -> list[str]:
        """What has been written since the last look."""
        found, self.diary.entries = self.diary.entries, []
        return found


@pytest.fixture
def setting(tmp_path: Path) -> Generator[Setting]:
    setting = Setting(tmp_path)
    yield setting
    setting.journal.close()


def test_a_batch_is_shown_at_once_and_decided_after_the_time_has_passed(setting: Setting) -> None:
    setting.log(Signal.TRACES, "a")
    setting.flusher.flush()
    setting.flusher.flush()
    assert setting.entries() == ["sees a"]
    setting.flusher._lookahead_s = 0.0  # pyright: ignore[reportPrivateUsage] - the time has passed
    setting.flusher.flush()
    assert setting.entries() == ["decides a", "settles", "delivers a", "commits 1"]


def test_at_the_end_everything_is_shown_before_something_is_decided(setting: Setting) -> None:
    setting.log(Signal.TRACES, "a")
    setting.flusher.flush()
    setting.log(Signal.TRACES, "b")
    setting.flusher.flush(final=True)
    entries = setting.entries()
    assert entries[:3] == ["sees a", "sees b", "decides a"]
    assert entries[-1] == "commits 2"


def test_only_the_signals_that_it_decides_by_are_shown(setting: Setting) -> None:
    for signal in Signal:
        setting.log(signal, signal)
    setting.flusher.flush()
    assert setting.entries() == ["sees traces", "sees metrics"]
    setting.flusher.flush(final=True)
    assert [entry for entry in setting.entries() if "delivers" in entry] == [
        "delivers traces",
        "delivers logs",
        "delivers metrics",
    ]


def test_several_pipelines_show_the_same_records_once(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "traces/second")
    setting.log(Signal.TRACES, "a")
    setting.flusher.flush()
    assert setting.entries() == ["sees a"]
    setting.flusher.flush(final=True)
    assert setting.entries().count("delivers a") == 2
    setting.journal.close()
