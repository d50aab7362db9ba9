"""Clocks that lie, and a process that runs out of file descriptors."""

import os
import resource
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from tests.support.collectors import RunningCollector, StartCollector, wait_until
from tests.support.load import Load, stored, wait_until_stored
from tests.support.otlp_requests import TIME_NS
from tests.support.otlp_senders import post

HOUR_NS = 3_600 * 10**9
MAX_PARTITIONS = 65
"""Of one write: 64 hours, and one for what is not placed."""

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def spans_at(times: list[int]) -> bytes:
    spans = [
        Span(trace_id=b"t" * 16, span_id=b"s" * 8, name="at", start_time_unix_nano=time, end_time_unix_nano=time + 1)
        for time in times
    ]
    resource_spans = [ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])]
    return bytes(ExportTraceServiceRequest(resource_spans=resource_spans).SerializeToString())


def partitions(collector: RunningCollector) -> set[str]:
    return {str(path.parent) for path in (collector.store / "spans").glob("date=*/hour=*/*.parquet")}


@pytest.mark.parametrize(
    "times",
    [
        pytest.param([TIME_NS - hours * HOUR_NS for hours in range(5000)], id="each in an hour of its own"),
        pytest.param([2**64 - 2, 2**63, 2**63 - 1, 2**62, 1, 10**9, HOUR_NS] * 100, id="beyond all calendars"),
        pytest.param([TIME_NS + hours * HOUR_NS * 24 for hours in range(100_000, 101_000)], id="in centuries"),
    ],
)
def test_times_that_cannot_be_true_make_a_bounded_number_of_partitions(
    start_collector: StartCollector, times: list[int]
) -> None:
    collector = start_collector()
    assert post(collector.http, "/v1/traces", spans_at(times)).status == 200
    collector.wait_for("select count(*) from spans", len(times))
    assert len(partitions(collector)) <= MAX_PARTITIONS
    assert post(collector.http, "/v1/traces", spans_at([TIME_NS])).status == 200
    collector.wait_for("select count(*) from spans", len(times) + 1)
    assert collector.stop() == 0


@pytest.fixture
def set_clock(tmp_path: Path) -> Callable[[str], None]:
    """Sets the clock of processes that were started with `FAKED` by an offset, as in `+3h`."""
    file = tmp_path / "clock"

    def set_to(offset: str) -> None:
        draft = file.with_suffix(".new")
        draft.write_text(f"{offset}\n")
        draft.replace(file)

    set_to("+0")
    return set_to


def more_stored(collector: RunningCollector, count: int) -> bool:
    return len(stored(collector, "load")) >= count


@pytest.mark.slow
@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed: apt-get install faketime")
def test_a_clock_that_jumps_under_load_loses_and_doubles_nothing(
    start_collector: StartCollector, set_clock: Callable[[str], None], tmp_path: Path
) -> None:
    faked = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # as when somebody sets the clock of a machine
    }
    collector = start_collector(environment=faked)
    load = Load(collector, "load", threads=4, patient=True)
    load.start()
    for offset in ("+3h", "-3h", "+400d", "-20000d", "+0", "-2h", "+0"):
        set_clock(offset)
        before = len(load.acknowledged)
        load.wait_until_acknowledged(before + 100)
        in_tables = len(stored(collector, "load"))
        wait_until(partial(more_stored, collector, in_tables + 100), 60)
    load.stop()
    wait_until_stored(collector, load, "load")
    assert load.refused == 0
    # To a clock in 1972 the records of this century are from the future.
    assert collector.query("select count(*) > 0 from spans where date = 'unplaced'") == [(True,)]
    assert collector.stop() == 0
    assert not (collector.store / "quarantine").exists()


@contextmanager
def without_descriptors(collector: RunningCollector, spare: int) -> Generator[None]:
    """Lets the process open only so many more files and connections than it has at the moment."""
    pid = collector.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1 + spare, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("spare", "used"),
    [
        (2, False),
        (0, True),
        pytest.param(0, False, marks=pytest.mark.slow),
        pytest.param(2, True, marks=pytest.mark.slow),
        pytest.param(5, True, marks=pytest.mark.slow),
    ],
)
def test_a_process_without_descriptors_tries_again_and_recovers(
    start_collector: StartCollector, spare: int, used: bool
) -> None:
    collector = start_collector()
    load = Load(collector, "load", patient=True)
    load.start()
    load.wait_until_acknowledged(200)
    if used:  # the libraries under the tables open descriptors of their own at their first use
        wait_until(lambda: stored(collector, "load"))
    with without_descriptors(collector, spare):
        wait_until(lambda: "is tried again in" in collector.log.read_text(), 60)
    before = len(load.acknowledged)
    load.wait_until_acknowledged(before + 200)
    load.stop()
    wait_until_stored(collector, load, "load")
    assert collector.stop() == 0
    assert not (collector.store / "quarantine").exists()
