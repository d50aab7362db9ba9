"""The event-loop monitor on real loops with real blocking calls."""

import asyncio
import sysconfig
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.trace import SpanContext, TraceFlags

import infersight
from infersight import testing
from infersight._eventloop import EventLoopMonitor, OpenRequest, monitor_of_running_loop, responsible_frame

SPAN = SpanContext(trace_id=5, span_id=6, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
DEADLINE_SECONDS = 10


def stall(seconds: float) -> None:
    time.sleep(seconds)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_a_block_is_an_event_of_the_request_whose_task_blocked() -> None:
    async def serve() -> OpenRequest:
        monitor = monitor_of_running_loop()
        request = monitor.open(SPAN)
        stall(0.3)
        monitor.close(request)
        await until(lambda: bool(captured.logs))
        monitor.stop()
        return request

    with testing.capture() as captured:
        request = asyncio.run(serve())
        lag_points = captured.points("infersight.event_loop.lag")
    (event,) = captured.logs
    attributes: dict[str, Any] = dict(event.log_record.attributes or {})
    assert event.log_record.event_name == "infersight.event_loop.blocked"
    assert (event.log_record.trace_id, event.log_record.span_id) == (5, 6)
    assert event.log_record.severity_text == "WARN"
    assert attributes["code.function.name"] == "stall"
    assert attributes["code.line.number"] == stall.__code__.co_firstlineno + 1
    assert "in serve" in attributes["code.stacktrace"]
    assert attributes["infersight.event_loop.lag"] >= 0.2
    assert request.lag >= 0.2
    assert lag_points[0].max >= 0.2
    assert all(not exemplar.trace_id for exemplar in lag_points[0].exemplars)


def test_a_block_in_a_task_of_the_request_is_an_event_of_the_span_that_is_current_there() -> None:
    async def step() -> None:
        with infersight.stage("step"):
            stall(0.3)

    async def serve() -> None:
        monitor = monitor_of_running_loop()
        with infersight.stage("request"):
            await asyncio.gather(asyncio.sleep(0), step())
        await until(lambda: bool(captured.logs))
        monitor.stop()

    with testing.capture() as captured:
        asyncio.run(serve())
    (event,) = captured.logs
    step_context = captured.span("step").context
    assert step_context is not None
    assert event.log_record.trace_id == step_context.trace_id
    assert event.log_record.span_id == step_context.span_id


def test_a_loop_that_is_only_busy_with_short_steps_is_not_blocked() -> None:
    async def serve() -> OpenRequest:
        monitor = EventLoopMonitor(asyncio.get_running_loop(), blocked_seconds=5.0)
        request = monitor.open(SPAN)
        for _ in range(20):
            stall(0.005)
            await asyncio.sleep(0)
        monitor.close(request)
        monitor.stop()
        return request

    with testing.capture() as captured:
        asyncio.run(serve())
    assert captured.logs == ()


def test_a_request_is_charged_no_more_lag_than_it_was_there_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    request = OpenRequest()
    request.saw(lag=5.0, now=100.25)
    assert request.lag == 0.25
    request.saw(lag=0.1, now=101.0)
    assert request.lag == 0.25


def test_the_monitor_counts_open_requests_and_is_one_for_each_loop() -> None:
    async def serve() -> None:
        monitor = monitor_of_running_loop()
        assert monitor_of_running_loop() is monitor
        first, second = monitor.open(SPAN), monitor.open(SPAN)
        assert monitor.in_flight == 2
        monitor.close(first)
        monitor.close(second)
        assert monitor.in_flight == 0
        monitor.stop()

    with testing.capture():
        asyncio.run(serve())


def frame(path: str, name: str) -> traceback.FrameSummary:
    return traceback.FrameSummary(path, 1, name, lookup_line=False)


def test_the_responsible_frame_is_the_innermost_of_the_application() -> None:
    stdlib, installed = sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")
    server = frame(f"{installed}/uvicorn/server.py", "serve")
    own, library = frame("/srv/app.py", "load"), frame(f"{installed}/requests/api.py", "get")
    socket = frame(f"{stdlib}/socket.py", "readinto")
    ours = frame(infersight.observe.__code__.co_filename, "observing")
    assert responsible_frame(traceback.StackSummary.from_list([server, own, library, socket])) is own
    assert responsible_frame(traceback.StackSummary.from_list([server, own, ours, library])) is own
    assert responsible_frame(traceback.StackSummary.from_list([server, library, socket])) is library
    assert responsible_frame(traceback.StackSummary.from_list([socket])) is socket


def test_what_started_the_loop_is_not_what_blocked_it() -> None:
    command, loop = frame("<string>", "<module>"), frame(asyncio.base_events.__file__, "_run_once")
    run, wait = frame(asyncio.events.__file__, "_run"), frame(f"{sysconfig.get_path('stdlib')}/selectors.py", "select")
    own, call = frame("/srv/app.py", "load"), frame(asyncio.base_events.__file__, "call_soon")
    assert responsible_frame(traceback.StackSummary.from_list([command, loop, wait])) is wait
    assert responsible_frame(traceback.StackSummary.from_list([command, loop, run, own, call])) is own
