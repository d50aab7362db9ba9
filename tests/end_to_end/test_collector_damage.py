"""A log with damaged bytes: all that is intact arrives once, the damage is reported with its place, and it starts."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.collectors import RunningCollector, StartCollector
from tests.support.load import Load, stored

# Nothing leaves the log by itself, so that a killed collector leaves all that it acknowledged in there.
CONFIGURATION = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
exporters: {store: {path: unused, flush_interval: 3600s}}
extensions: {health_check: {endpoint: "127.0.0.1:0"}}
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], exporters: [store]}
    metrics: {receivers: [otlp], exporters: [store]}
    logs: {receivers: [otlp], exporters: [store]}
"""
MARKER, HEADER_BYTES = b"\xf1WAL", 13
NAME = re.compile(rb"(.)load-", re.DOTALL)  # protobuf writes a text's length before it


class Frame(NamedTuple):
    """Where a record is in its file, and what it is called."""

    offset: int
    end: int
    name: str


class Log:
    """The log that a killed collector left, one file with many records."""

    def __init__(self, start: StartCollector, folder: Path) -> None:
        configuration = folder / "no-flush.yaml"
        configuration.write_text(CONFIGURATION)
        collector = start("--config", str(configuration))
        load = Load(collector, "load", threads=4)
        load.start()
        load.wait_until_acknowledged(400)
        collector.kill()
        load.stop()
        self.store = collector.store
        (self.path,) = (self.store / "wal").rglob("*.wal")
        self.content = bytearray(self.path.read_bytes())
        self.frames = list(frames_of(bytes(self.content)))
        assert {name for _, name in load.acknowledged} <= {frame.name for frame in self.frames}

    def write(self) -> None:
        self.path.write_bytes(self.content)


def frames_of(content: bytes) -> list[Frame]:
    """The frames of an intact log: marker, signal, length (little-endian), checksum, request."""
    frames: list[Frame] = []
    offset = 0
    while content[offset : offset + 4] == MARKER:
        end = offset + HEADER_BYTES + int.from_bytes(content[offset + 5 : offset + 9], "little")
        name = NAME.search(content[offset:end])
        if end > len(content) or name is None:
            break  # cut off by the kill
        start = offset + name.start() + 1
        frames.append(Frame(offset, end, content[start : start + name[1][0]].decode()))
        offset = end
    return frames


@pytest.fixture
def log(start_collector: StartCollector, tmp_path: Path) -> Log:
    return Log(start_collector, tmp_path)


def flip_bits(log: Log, rng: random.Random) -> None:
    for offset in rng.sample(range(log.frames[-1].end), 30):
        log.content[offset] ^= 1 << rng.randrange(8)


def zero_a_page(log: Log, rng: random.Random) -> None:
    start = rng.randrange(log.frames[-1].end - 4096)
    log.content[start : start + 4096] = bytes(4096)


def zero_the_tail(log: Log, rng: random.Random) -> None:
    start = rng.randrange(log.frames[-50].offset, log.frames[-1].offset)
    log.content[start:] = bytes(len(log.content) - start)


def cut_the_tail(log: Log, rng: random.Random) -> None:
    del log.content[rng.randrange(log.frames[-50].offset, log.frames[-1].offset) :]


def lose_the_beginning(log: Log, rng: random.Random) -> None:
    del log.content[: rng.randrange(1, log.frames[50].end)]


def append_noise(log: Log, rng: random.Random) -> None:
    log.content += rng.randbytes(1000) + MARKER + bytes(4096)


def damages(collector: RunningCollector) -> list[str]:
    """What the collector says about damage."""
    lines = [json.loads(line) for line in collector.log.read_text().splitlines() if line.startswith("{")]
    return [line["message"] for line in lines if " at byte " in line["message"]]


@pytest.mark.parametrize(
    "damage",
    [
        flip_bits,
        zero_the_tail,
        cut_the_tail,
        pytest.param(zero_a_page, marks=pytest.mark.slow),
        pytest.param(lose_the_beginning, marks=pytest.mark.slow),
        pytest.param(append_noise, marks=pytest.mark.slow),
    ],
)
def test_what_is_intact_arrives_once_and_the_damage_is_reported(
    start_collector: StartCollector, log: Log, damage: Callable[[Log, random.Random], None]
) -> None:
    before = bytes(log.content)
    damage(log, random.Random(damage.__name__))
    log.write()
    intact = {frame.name for frame in log.frames if before[frame.offset : frame.end] in log.content}
    collector = start_collector(store=log.store)
    counts = stored(collector, "load")
    assert {name for _, name in counts} == intact
    assert set(counts.values()) == {1}
    said = damages(collector)
    assert said
    assert all(message.startswith(f"{log.path}: ") for message in said)
    first = next((at for at, (old, new) in enumerate(zip(before, log.content, strict=False)) if old != new), None)
    if damage in (flip_bits, zero_a_page, zero_the_tail):
        assert first is not None
        frame = next(frame for frame in log.frames if first < frame.end)
        assert f"at byte {frame.offset}," in said[0]
    # A cut is what a crash leaves; anything else is kept for a person to look at.
    kept = [path.read_bytes() for path in (log.store / "quarantine").rglob("*.wal")]
    assert kept == ([] if damage is cut_the_tail else [bytes(log.content)])
    assert not list((log.store / "wal").rglob("*.wal"))
    after = Load(collector, "after", threads=2)
    after.start()
    after.wait_until_acknowledged(20)
    assert collector.stop() == 0
    after.stop()


def test_files_that_are_no_log_do_not_keep_it_from_starting(start_collector: StartCollector, log: Log) -> None:
    folder = log.path.parent
    (folder / "000000000007.wal").write_bytes(b"")
    (folder / "000000000008.wal").write_bytes(random.Random(1).randbytes(5000))
    (folder / "000000000009.wal").mkdir()
    (folder / "notes.wal").write_text("not by us")
    (log.store / "wal" / "a file").write_text("not by us")
    collector = start_collector(store=log.store)
    assert {name for _, name in stored(collector, "load")} == {frame.name for frame in log.frames}
    assert sorted(path.name for path in (log.store / "quarantine").rglob("*.wal")) == [
        "000000000008.wal",
        "000000000009.wal",
    ]
    assert collector.stop() == 0
