"""Files that are followed: each request once, whatever happens to the file, the log or the receiver."""

import gzip
import json
import logging
import os
import random
import shutil
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.collectors import wait_until
from tests.support.otlp_requests import spans_request

from infersight_collector.component import Surroundings
from infersight_collector.config.values import Duration
from infersight_collector.errors import CollectorError
from infersight_collector.intake import Intake
from infersight_collector.journal import Journal
from infersight_collector.receivers.otlp_json_file import OtlpJsonFileConfig, OtlpJsonFileReceiver
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Wal, read
from infersight_collector.telemetry import Telemetry

PADDING = "p" * 1024
"""Makes a line longer than what a file is recognised by."""


def line(name: str, padding: str = PADDING) -> str:
    """A line with one span of this name."""
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": name, "startTimeUnixNano": "1760000000000000000"}
    attributes = [{"key": "padding", "value": {"stringValue": padding}}]
    return (
        json.dumps(
            {"resourceSpans": [{"scopeSpans": [{"spans": [{**span, "attributes": attributes}]}]}]}, ensure_ascii=False
        )
        + "\n"
    )


class Setting:
    """A folder that a receiver follows, in front of a real intake and log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "files"
        self.folder.mkdir()
        self.file = self.folder / "spans.jsonl"
        self.telemetry = Telemetry()
        self.store = folder / "store"
        self.journal = Journal(Wal.open(self.store, fsync="never"), self.store, max_bytes=2**20)
        self.receiver: OtlpJsonFileReceiver | None = None

    def start(self, *include: str, signals: tuple[Signal, ...] = (Signal.TRACES, Signal.LOGS), **keys: Any) -> None:
        keys = {"start_at": "beginning", **keys}
        patterns = [str(self.folder / pattern) for pattern in (*(include or ("*.jsonl",)), "marker")]
        config = OtlpJsonFileConfig(include=patterns, poll_interval=Duration(0.005), **keys)
        surroundings = Surroundings(self.store / "components" / "files", self.telemetry)
        receiver = OtlpJsonFileReceiver(config, set(signals), "files", surroundings)
        receiver.start(Intake(self.journal, self.telemetry, lambda: None))
        self.receiver = receiver
        wait_until((surroundings.directory / "positions.json").exists)

    def stop(self) -> None:
        if self.receiver is not None:
            self.receiver.stop()
            self.receiver = None

    def append(self, *texts: str | bytes, to: str = "spans.jsonl") -> None:
        with (self.folder / to).open("ab") as file:
            for text in texts:
                file.write(text.encode() if isinstance(text, str) else text)

    def names(self) -> list[str]:
        """Names of the spans that are in the log, in their order."""
        records = [record for segment in self.journal.take() for record in read(segment)[0]]
        traces = [ExportTraceServiceRequest.FromString(bytes(r.request)) for r in records if r.signal == Signal.TRACES]
        return [
            span.name
            for request in traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def wait_for(self, *names: str) -> None:
        """Returns when exactly these have arrived, in this order, and the receiver has looked again."""
        wait_until(lambda: len(self.names()) >= len(names))
        self.look()
        assert self.names() == list(names)

    def look(self) -> None:
        """Returns when the receiver has looked at everything twice."""
        for _ in range(3):
            before = self.counted("accepted_records", "logs")
            with (self.folder / "marker").open("a") as file:
                file.write('{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}\n')
            wait_until(partial(self.has_more_logs_than, before))

    def has_more_logs_than(self, count: float) -> bool:
        return self.counted("accepted_records", "logs") > count

    def counted(self, name: str, *values: str) -> float:
        samples = [sample for _, family in self.telemetry.collect() for sample in family.samples]
        full = f"infersight_collector_{name}_total"
        return sum(s.value for s in samples if s.name == full and set(values) <= set(s.labels.values()))


@pytest.fixture
def setting(tmp_path: Path) -> Generator[Setting]:
    setting = Setting(tmp_path)
    yield setting
    setting.stop()
    setting.journal.close()


def test_lines_arrive_once_and_in_order_while_the_file_grows(setting: Setting) -> None:
    setting.append(line("a"), "\n", line("b"))
    setting.start()
    setting.wait_for("a", "b")
    setting.append(line("c"))
    setting.wait_for("a", "b", "c")
    setting.append(line("d"), to="other.jsonl")
    setting.wait_for("a", "b", "c", "d")


def test_a_line_is_taken_when_it_is_whole(setting: Setting) -> None:
    text = line("naïve").encode()
    middle = text.index("ï".encode()) + 1
    setting.append(line("a"), text[:middle])
    setting.start()
    setting.wait_for("a")
    setting.append(text[middle:-1])
    setting.wait_for("a", "naïve")  # its JSON is complete, though the line has no end yet
    setting.append("\n", line("c"))
    setting.wait_for("a", "naïve", "c")


def test_what_was_not_read_of_a_renamed_file_is_read_before_it_is_forgotten(setting: Setting) -> None:
    setting.append(line("a"))
    setting.start()
    setting.wait_for("a")
    with setting.file.open("a") as writer:
        setting.file.rename(setting.folder / "spans.1")
        setting.append(line("c"))
        writer.write(line("b"))
    wait_until(lambda: len(setting.names()) >= 3)
    setting.look()
    assert sorted(setting.names()) == ["a", "b", "c"]


def test_a_removed_file_is_read_to_its_end(setting: Setting) -> None:
    setting.append(line("a"))
    setting.start()
    setting.wait_for("a")
    setting.append(line("b"))
    setting.file.unlink()
    setting.wait_for("a", "b")


def test_a_file_that_is_copied_and_truncated_is_read_once(setting: Setting) -> None:
    setting.append(line("a"))
    setting.start()
    setting.wait_for("a")
    setting.stop()
    setting.append(line("b"))
    shutil.copy(setting.file, setting.folder / "spans.1.jsonl")
    setting.file.write_text(line("c"))
    setting.start()
    wait_until(lambda: len(setting.names()) >= 3)
    setting.look()
    assert sorted(setting.names()) == ["a", "b", "c"]


def test_a_file_that_is_written_anew_is_read_from_its_beginning_however_long_it_is(setting: Setting) -> None:
    setting.append(line("a"))
    setting.start()
    setting.wait_for("a")
    setting.file.write_text(line("b") + line("c"))
    setting.wait_for("a", "b", "c")
    setting.file.write_text(line("d", padding=""))
    setting.wait_for("a", "b", "c", "d")


def test_a_restart_goes_on_where_it_was_and_finds_what_was_renamed_meanwhile(setting: Setting) -> None:
    setting.append(line("a"))
    setting.start(start_at="end")
    setting.append(line("b"))
    setting.look()
    setting.stop()
    setting.append(line("c"))
    setting.file.rename(setting.folder / "spans.1")
    setting.append(line("d"))
    setting.start(start_at="end")
    wait_until(lambda: len(setting.names()) >= 3)
    setting.look()
    assert sorted(setting.names()) == ["b", "c", "d"]
    setting.stop()
    setting.start(start_at="end")
    setting.look()
    assert sorted(setting.names()) == ["b", "c", "d"]


def test_the_end_is_where_it_begins_only_in_files_that_are_there_at_the_first_start(setting: Setting) -> None:
    setting.append(line("before"))
    setting.start(start_at="end")
    setting.look()
    setting.append(line("a"))
    setting.append(line("b"), to="new.jsonl")
    wait_until(lambda: len(setting.names()) >= 2)
    setting.look()
    assert sorted(setting.names()) == ["a", "b"]


def test_a_line_that_is_no_request_is_skipped_counted_and_reported_without_its_content(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    bad = line("x").replace("abab", "s3cret", 1)
    setting.append(line("a"), "s3cret\n", bad, '{"s3cret": 1}\n', line("b"))
    with caplog.at_level(logging.WARNING):
        setting.start()
        setting.wait_for("a", "b")
    place = len(line("a"))
    assert f"{setting.file}: not JSON at byte {place}: skipped" in caplog.text
    assert f"traceId is not hex at byte {place + 7}: skipped" in caplog.text
    assert "s3cret" not in caplog.text
    assert setting.counted("refused_requests", "malformed") == 3


@pytest.mark.parametrize("form", ["word", "varint"])
def test_length_delimited_requests_arrive_as_they_are_written(setting: Setting, form: str) -> None:
    def framed(name: str) -> bytes:
        request = spans_request(name * 100)
        if form == "word":
            return len(request).to_bytes(4, "big") + request
        return bytes([len(request) & 0x7F | 0x80, len(request) >> 7]) + request

    content = b"".join(map(framed, "abc"))
    setting.start("*.pb")
    for start in range(0, len(content), 37):
        setting.append(content[start : start + 37], to="spans.pb")
        if start % 5 == 0:
            setting.look()
    setting.wait_for("a" * 100, "b" * 100, "c" * 100)


def test_a_corrupt_length_ends_the_reading_of_that_file_only(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    request = spans_request("a")
    framed = len(request).to_bytes(4, "big") + request
    with caplog.at_level(logging.WARNING):
        setting.start("*.pb", "*.jsonl")
        setting.append(framed, b"\xff\xff\xff\xff", framed, to="broken.pb")
        setting.look()
        setting.append(framed, to="broken.pb")
        setting.append(line("b"))
        setting.wait_for("a", "b")
    (reported,) = [record.getMessage() for record in caplog.records if "broken.pb" in record.getMessage()]
    assert f"at byte {len(framed)}: the file is not read further" in reported


def test_a_file_of_something_else_is_reported_and_left_alone(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        setting.append("2026-01-01 INFO started\n" * 10, to="text.jsonl")
        setting.append(line("a"))
        setting.start()
        setting.wait_for("a")
    assert "neither lines of OTLP/JSON nor length-delimited OTLP" in caplog.text


def test_a_gzip_file_is_read_when_it_is_complete(setting: Setting) -> None:
    packed = gzip.compress((line("a") + line("b")).encode())
    setting.append(packed[:-9], to="spans.jsonl.gz")
    setting.start("*.gz")
    setting.look()
    assert setting.names() == []
    setting.append(packed[-9:], to="spans.jsonl.gz")
    setting.wait_for("a", "b")
    setting.stop()
    setting.start("*.gz")
    setting.look()
    assert setting.names() == ["a", "b"]


def test_of_a_file_that_is_rotated_into_a_gzip_file_only_the_rest_is_read_there(setting: Setting) -> None:
    setting.append(line("a"))
    setting.start("*.jsonl", "*.gz")
    setting.wait_for("a")
    setting.stop()
    setting.append(line("b"))
    draft = setting.folder / "draft"
    draft.write_bytes(gzip.compress(setting.file.read_bytes()))
    draft.rename(setting.folder / "spans.jsonl.1.gz")
    setting.file.unlink()
    setting.start("*.jsonl", "*.gz")
    setting.wait_for("a", "b")


def test_without_room_it_waits_and_loses_nothing(setting: Setting) -> None:
    names = [f"span {number}" for number in range(40)]
    setting.append(*(line(name, "p" * 2**16) for name in names))
    setting.start()
    wait_until(lambda: setting.counted("refused_requests", "overloaded") >= 1)
    seen: list[str] = []
    while len(seen) < len(names):
        seen += wait_until(setting.names)
        for segment in setting.journal.take():
            setting.journal.remove(segment)
    assert seen == names


def test_a_stop_without_room_leaves_the_rest_for_the_next_start(setting: Setting) -> None:
    names = [f"span {number}" for number in range(40)]
    setting.append(*(line(name, "p" * 2**16) for name in names))
    setting.start()
    wait_until(lambda: setting.counted("refused_requests", "overloaded") >= 1)
    setting.stop()
    seen = setting.names()
    assert 0 < len(seen) < len(names)
    for segment in setting.journal.take():
        setting.journal.remove(segment)
    setting.start()
    wait_until(lambda: setting.names()[-1:] == names[-1:] or len(setting.names()) + len(seen) >= len(names))
    assert seen + setting.names() == names


def test_requests_of_a_signal_without_a_pipeline_are_skipped_and_counted(setting: Setting) -> None:
    setting.append('{"resourceMetrics":[]}\n', line("a"))
    setting.start()
    setting.wait_for("a")
    assert setting.counted("refused_requests", "metrics", "no_pipeline") == 1


def test_a_line_of_several_signals_is_taken_whole(setting: Setting) -> None:
    both = json.loads(line("a")) | {"resourceLogs": [{"scopeLogs": [{"logRecords": [{}, {}]}]}]}
    setting.append(json.dumps(both) + "\n", line("b"))
    setting.start()
    wait_until(lambda: len(setting.names()) >= 2)
    assert setting.names() == ["a", "b"]
    assert setting.counted("accepted_records", "logs") == 2
    assert setting.counted("accepted_requests", "traces") == 2


def test_directories_are_followed_and_exclusions_hold(setting: Setting) -> None:
    (setting.folder / "in" / "deep").mkdir(parents=True)
    setting.start("in", exclude=[str(setting.folder / "in" / "*.1.jsonl")])
    setting.append(line("a"), to="in/deep/a.jsonl")
    setting.append(line("x"), to="in/b.1.jsonl")
    setting.append(line("x"), to="in/b.txt")
    setting.append(line("b"), to="in/b.json")
    wait_until(lambda: len(setting.names()) >= 2)
    setting.look()
    assert sorted(setting.names()) == ["a", "b"]


def test_files_are_deleted_after_they_were_read_where_that_is_wanted(setting: Setting) -> None:
    setting.append(line("a"))
    setting.append(gzip.compress(line("b").encode())[:-1], to="cut.jsonl.gz")
    setting.start("*.jsonl", "*.gz", delete_after_read=True)
    wait_until(lambda: not setting.file.exists())
    assert setting.names() == ["a"]
    assert (setting.folder / "cut.jsonl.gz").exists()


def test_a_file_that_may_not_be_read_does_not_stop_the_others(setting: Setting) -> None:
    (setting.folder / "link.jsonl").symlink_to(setting.folder / "nowhere")
    os.mkfifo(setting.folder / "pipe.jsonl")
    setting.append(line("a"))
    setting.start()
    setting.wait_for("a")


def test_two_receivers_do_not_share_the_places_they_keep(setting: Setting) -> None:
    setting.start()
    with pytest.raises(CollectorError, match="another collector reads files by this log"):
        setting.start()


def test_damaged_places_are_refused_at_the_start(setting: Setting) -> None:
    setting.start()
    setting.look()
    setting.stop()
    (setting.store / "components" / "files" / "positions.json").write_text("[{}]")
    with pytest.raises(CollectorError, match=r"positions\.json: cannot be read: .*; delete it"):
        setting.start()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"include": []}, "include names no files"),
        ({"include": ["a"], "delete_after_read": True}, "needs start_at: beginning"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OtlpJsonFileConfig(**keys)


@pytest.mark.parametrize("seed", range(5))
def test_every_line_arrives_once_whatever_happens_in_whatever_order(setting: Setting, seed: int) -> None:
    """Writes in pieces, rotations of both kinds, restarts and looks, at random."""
    choose = random.Random(seed)
    written: list[str] = []
    waiting = b""
    setting.start("*.jsonl*")
    for step in range(60):
        match choose.choice(["write", "write", "write", "rename", "copy", "restart", "look"]):
            case "write":
                written.append(f"span {step}")
                waiting += line(written[-1]).encode()
                cut = choose.randrange(len(waiting) + 1)
                setting.append(waiting[:cut])
                waiting = waiting[cut:]
            case "rename":
                setting.append(waiting)
                waiting = b""
                setting.file.rename(setting.folder / f"spans.jsonl.{step}")
            case "copy":
                setting.append(waiting)
                waiting = b""
                setting.look()
                shutil.copy(setting.file, setting.folder / f"spans.jsonl.{step}")
                os.truncate(setting.file, 0)
            case "restart":
                setting.stop()
                setting.start("*.jsonl*")
            case _:
                setting.look()
        setting.file.touch()
    setting.append(waiting)
    wait_until(lambda: len(setting.names()) >= len(written))
    setting.look()
    assert sorted(setting.names()) == sorted(written)
