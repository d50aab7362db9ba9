"""What the process takes of its host: metrics with the conventions' names, read when they are collected."""

import gc
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infersight import testing
from infersight._host import HostMetrics
from infersight._pauses import GcPauses

LINUX = Path("/proc/self/statm").exists()


@contextmanager
def measured() -> Generator[testing.Captured]:
    with testing.capture() as captured:
        pauses = GcPauses()
        HostMetrics(captured.meter_provider, pauses)
        yield captured
        pauses.stop()


def values(captured: testing.Captured, name: str, key: str | None = None) -> dict[Any, float]:
    return {point.attributes[key] if key else None: point.value for point in captured.points(name)}


def test_every_metric_is_there_with_its_convention_s_unit() -> None:
    with measured() as captured:
        units = {name: metric.unit for name, metric in captured.metrics().items()}
    assert units.pop("infersight.gc.pause", "s") == "s"  # where a collection happened to be long
    everywhere = {
        "process.cpu.time": "s",
        "process.context_switches": "{context_switch}",
        "process.paging.faults": "{fault}",
        "cpython.gc.collections": "{collection}",
        "cpython.gc.collected_objects": "{object}",
        "cpython.gc.uncollectable_objects": "{object}",
        "infersight.gc.time": "s",
    }
    of_linux = {
        "process.memory.usage": "By",
        "process.memory.virtual": "By",
        "process.thread.count": "{thread}",
        "process.unix.file_descriptor.count": "{file_descriptor}",
    }
    assert units == everywhere | (of_linux if LINUX else {})


@pytest.mark.skipif(not LINUX, reason="read from /proc")
def test_threads_files_and_memory_follow_what_the_process_does() -> None:
    names = ("process.thread.count", "process.unix.file_descriptor.count", "process.memory.usage")
    done = threading.Event()
    with measured() as captured, Path(os.devnull).open() as _first:
        before = [values(captured, name)[None] for name in names]
        thread = threading.Thread(target=done.wait)
        thread.start()
        held = bytearray(os.urandom(1)) * 64_000_000
        with Path(os.devnull).open() as _second:
            after = [values(captured, name)[None] for name in names]
        done.set()
        thread.join()
    del held
    assert [after[0] - before[0], after[1] - before[1]] == [1, 1]
    assert after[2] - before[2] > 50_000_000


def test_cpu_time_grows_with_work() -> None:
    with measured() as captured:
        before = values(captured, "process.cpu.time", "cpu.mode")
        deadline = time.process_time() + 0.1
        while time.process_time() < deadline:
            pass
        after = values(captured, "process.cpu.time", "cpu.mode")
    assert set(after) == {"user", "system"}
    assert sum(after.values()) - sum(before.values()) >= 0.09


def test_a_long_collection_is_a_pause_and_every_one_counts_in_the_time() -> None:
    with measured() as captured:
        garbage = [[number] for number in range(300_000)]
        gc.collect()
        time_spent = values(captured, "infersight.gc.time", "cpython.gc.generation")
        (pause,) = [p for p in captured.points("infersight.gc.pause") if p.attributes["cpython.gc.generation"] == 2]
    del garbage
    assert pause.count >= 1
    assert 0.001 <= pause.sum <= time_spent[2] + 1e-9


def test_collections_are_counted_as_the_interpreter_counts_them() -> None:
    with measured() as captured:
        before = values(captured, "cpython.gc.collections", "cpython.gc.generation")[2]
        gc.collect()
        gc.collect()
        assert values(captured, "cpython.gc.collections", "cpython.gc.generation")[2] - before == 2


def test_a_collection_while_the_metrics_sdk_holds_its_locks_is_harmless() -> None:
    with measured() as captured:
        threshold = gc.get_threshold()
        gc.set_threshold(1)  # a collection at nearly every allocation, also inside of the SDK
        try:
            thread = threading.Thread(target=captured.metrics)
            thread.start()
            for _ in range(20):
                captured.metrics()
            thread.join(30)
        finally:
            gc.set_threshold(*threshold)
        assert not thread.is_alive()


def test_pauses_are_found_again_by_when_they_were() -> None:
    pauses = GcPauses()
    try:
        before = time.perf_counter_ns()
        assert pauses.since(before) == 0
        garbage: list[object] = [[] for _ in range(400_000)]  # enough to look at for some milliseconds
        gc.collect()
        after = time.perf_counter_ns()
        del garbage
    finally:
        pauses.stop()
    assert 1_000_000 <= pauses.since(before) <= after - before
    assert pauses.since(after) == 0


def test_stopped_it_leaves_the_collector_alone() -> None:
    before = list(gc.callbacks)
    pauses = GcPauses()
    assert len(gc.callbacks) == len(before) + 1
    pauses.stop()
    pauses.stop()
    assert gc.callbacks == before
