"""How long a thread waits for a CPU, told from how long it waits for anything else."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import INVALID_SPAN_CONTEXT
from tests.sdk.test_eventloop import until

from infersight import testing
from infersight._eventloop import EventLoopMonitor, OpenRequest
from infersight._runqueue import RunQueue

pytestmark = pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="no statistics of the scheduler")

RIVALS = 4
BURN = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); print(flush=True)\nwhile True: pass"


@contextmanager
def shared_core() -> Generator[None]:
    """This thread has to share one core with processes that never rest."""
    cores = os.sched_getaffinity(0)
    with ExitStack() as rivals:
        for _ in range(RIVALS):
            command = [sys.executable, "-c", BURN, str(min(cores))]
            rival = rivals.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            rivals.callback(rival.kill)
            assert rival.stdout is not None
            rival.stdout.readline()  # it burns
        os.sched_setaffinity(0, {min(cores)})
        rivals.callback(os.sched_setaffinity, 0, cores)
        yield


def compute(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_thread_that_shares_its_core_waits_for_it() -> None:
    with shared_core():
        began = time.monotonic()
        queue = RunQueue()
        compute(0.05)
        waited = queue.waited()
        took = time.monotonic() - began
    assert 0.5 * (took - 0.05) < waited <= took
    assert queue.waited() < waited


def test_a_thread_that_sleeps_does_not_wait_for_a_core() -> None:
    queue = RunQueue()
    time.sleep(0.3)
    assert queue.waited() < 0.15


def test_the_waits_of_a_thread_are_told_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = RunQueue()
    monkeypatch.setattr("threading.get_native_id", lambda: 2**31 - 1)
    assert RunQueue().waited() == 0  # no such thread: nobody says
    with shared_core():
        compute(0.02)
    assert asyncio.run(asyncio.to_thread(queue.waited)) > 0


def blocked(work: Any) -> tuple[OpenRequest, dict[str, Any]]:
    """A request during which some work holds the loop, and the event about that."""

    async def serve() -> OpenRequest:
        monitor = EventLoopMonitor(asyncio.get_running_loop(), blocked_seconds=0.1)
        request = monitor.open(INVALID_SPAN_CONTEXT)
        work()
        monitor.close(request)
        await until(lambda: bool(captured.logs))
        monitor.stop()
        return request

    with testing.capture() as captured:
        request = asyncio.run(serve())
    return request, dict(captured.logs[0].log_record.attributes or {})


def test_a_loop_that_is_late_for_want_of_a_core_says_so() -> None:
    with shared_core():
        request, event = blocked(lambda: compute(0.1))
    assert request.lag > 0.2
    assert request.cpu_wait > 0.5 * request.lag
    assert event["infersight.cpu.queue.duration"] > 0.5 * event["infersight.event_loop.lag"]


def test_a_loop_that_is_blocked_by_a_call_does_not() -> None:
    request, event = blocked(lambda: time.sleep(0.4))
    assert request.lag > 0.3
    assert request.cpu_wait < 0.5 * request.lag
    assert event["infersight.cpu.queue.duration"] < 0.5 * event["infersight.event_loop.lag"]
