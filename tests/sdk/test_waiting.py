"""What a request waits for outside of its own code: the server, a thread, a process."""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import infersight
from infersight import testing
from infersight.integrations.arrival import seconds_in_socket

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Row, Script, Serve

SERVED = {"module": "pooled_application", "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "health"}


def named(receiver: "Receiver", name: str) -> "list[Row]":
    """The spans of this name, by their start."""
    found = [span for span in receiver.spans if span.name == name]
    return sorted(found, key=lambda span: int(span.record.start_time_unix_nano))


def seconds(span: "Row") -> float:
    return float(span.record.end_time_unix_nano - span.record.start_time_unix_nano) / 1e9


WORK_AND_WAIT = """
import time
import infersight
infersight.configure(service_name="s")
with infersight.stage("works"):
    until = time.thread_time() + 0.1
    while time.thread_time() < until:
        pass
with infersight.stage("waits"):
    time.sleep(0.1)
"""


def test_a_stage_says_how_long_its_thread_ran_and_so_how_long_it_waited(receiver: "Receiver", script: "Script") -> None:
    result = script(WORK_AND_WAIT, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint)
    assert result.returncode == 0, result.stderr
    ran = {span.name: float(span.attributes["infersight.cpu.duration"]) for span in receiver.spans}
    assert 0.1 <= ran["works"] < 0.2
    assert ran["waits"] < 0.05
    assert seconds(*named(receiver, "waits")) >= 0.1


def test_where_other_tasks_may_have_their_turn_a_thread_s_time_is_nobody_s() -> None:
    @infersight.observe(model="m")
    def predict() -> None: ...

    async def handle() -> None:
        with infersight.stage("awaits"):
            await asyncio.sleep(0)
        predict()  # but a function without awaits has the thread to itself

    with testing.capture() as captured:
        asyncio.run(handle())
    has_time = {span.name: "infersight.cpu.duration" in (span.attributes or {}) for span in captured.spans}
    assert has_time == {"awaits": False, "inference m": True}


def test_a_request_says_how_long_the_garbage_collector_stopped_it(receiver: "Receiver", serve: "Serve") -> None:
    with serve(**SERVED, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint) as server:
        server.get("/collect")
        server.stop()
    (request,) = named(receiver, "GET /collect")
    assert 0.001 <= request.attributes["infersight.gc.duration"] <= seconds(request)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells it on Linux")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_request_knows_how_long_it_lay_in_the_socket_while_the_loop_was_blocked(
    receiver: "Receiver", serve: "Serve", loop: str
) -> None:
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint, "UVICORN_LOOP": loop}
    with serve(**SERVED, **exporting) as server:
        with ThreadPoolExecutor(1) as pool:
            blocking = pool.submit(server.get, "/block")
            while not blocking.done():  # one of these arrives while the loop is blocked
                server.get("/quick")
        server.stop()
    (blocked,) = named(receiver, "GET /block")
    waited = [span.attributes["infersight.request.queue.duration"] for span in named(receiver, "GET /quick")]
    assert 0.3 < max(waited) < seconds(blocked) + 0.1
    assert blocked.attributes["infersight.request.queue.duration"] < 0.3


def test_a_server_that_does_not_tell_leaves_the_wait_unknown() -> None:
    class Transport:
        def get_extra_info(self, _name: str) -> None:
            return None

    class Connection:
        transport = Transport()

        def receive(self) -> None: ...

    assert seconds_in_socket(Connection().receive) is None
    assert seconds_in_socket(lambda: None) is None


def test_work_that_waits_for_a_thread_says_so_on_the_request_and_where_it_waited(
    receiver: "Receiver", serve: "Serve"
) -> None:
    with serve(**SERVED, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint) as server:
        server.get("/executor")
        server.stop()
    (request,) = named(receiver, "GET /executor")
    waiting = max(receiver.thread_waits, key=seconds)
    (second,) = named(receiver, "second")
    assert waiting.record.parent_span_id.hex() == request.span_id
    assert (waiting.name, waiting.attributes) == ("thread pool", {"infersight.operation": "thread_pool"})
    assert waiting.record.end_time_unix_nano <= second.record.start_time_unix_nano
    assert 0.15 < seconds(waiting) <= request.attributes["infersight.thread_pool.queue.duration"]


def test_a_sync_handler_that_waits_for_its_thread_says_so(receiver: "Receiver", serve: "Serve") -> None:
    with serve(**SERVED, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint) as server:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(server.get, ["/sync", "/sync"]))
        server.stop()
    longest = max(named(receiver, "GET /sync"), key=seconds)
    (waiting,) = [span for span in receiver.thread_waits if span.trace_id == longest.trace_id]
    (work,) = [span for span in named(receiver, "sync") if span.trace_id == longest.trace_id]
    assert waiting.record.parent_span_id.hex() == work.record.parent_span_id.hex() == longest.span_id
    assert seconds(waiting) + seconds(work) == pytest.approx(seconds(longest), abs=0.1)


def test_work_in_another_process_is_in_the_trace_of_its_request(receiver: "Receiver", serve: "Serve") -> None:
    with serve(**SERVED, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint) as server:
        assert server.get("/process") == (200, b"42")
        server.stop()
    (request,) = named(receiver, "GET /process")
    (inference,) = named(receiver, "inference doubler")
    assert inference.record.parent_span_id.hex() == request.span_id
    assert inference.resource["process.pid"] != request.resource["process.pid"]


def test_outside_of_a_request_nothing_is_timed_and_results_and_errors_are_as_ever() -> None:
    def fail(number: int) -> Any:
        raise LookupError(number)

    with testing.capture() as captured, ThreadPoolExecutor(1) as pool, infersight.stage("no request"):
        held = pool.submit(time.sleep, 0.05)
        assert pool.submit(pow, 2, exp=3).result() == 8
        assert held.result() is None
        with pytest.raises(LookupError):
            pool.submit(fail, 1).result()
    assert [span.name for span in captured.spans] == ["no request"]
