"""Scenes of slow requests: for each cause one where it is right, and one that looks alike where it is not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint
from tests.analysis.recording import MS, SECOND, T0, Recording, Source, key_values

OTHERS: Final = 60


@dataclass
class Stage:
    """A service with ordinary requests, a second apart, and one that is not; durations in milliseconds."""

    recording: Recording
    first: int

    @property
    def source(self) -> Source:
        """A service of its own, so that scenes do not meet."""
        return f"api-{self.first}", f"api-{self.first}-1", "1.0"

    @property
    def target(self) -> int:
        """The trace to ask about, after all others."""
        return self.first + OTHERS

    def others(self, **how: Any) -> None:
        """The ordinary requests."""
        for number in range(OTHERS):
            self.request(self.first + number, **how)

    def request(
        self,
        trace: int | None = None,
        *,
        queue: float = 2,
        batched: float = 10,
        prepare: float = 5,
        waits: float = 0,
        call: float = 4,
        calls: int = 2,
        thread: float = 0,
        failed: int = 0,
        error: str = "ConnectError",
        backoff: float = 0,
        rest: float = 3,
        size: float = 10,
        largest: float = 12,
        facts: dict[str, Any] | None = None,
        source: Source | None = None,
    ) -> None:
        """Prepare in a thread, call, ride in a batch: the pieces one after another."""
        trace = trace or self.target
        made = source or self.source
        at = trace * SECOND
        jitter = trace % 7 * MS // 10
        number = 2

        def piece(name: str, milliseconds: float, what: str, attributes: dict[str, Any], **more: Any) -> None:
            nonlocal at, number
            duration = round(milliseconds * MS)
            told = {"infersight.operation": what, **attributes}
            self.recording.span(trace, number, name, at, duration, parent=1, source=made, attributes=told, **more)
            number, at = number + 1, at + duration

        if thread:
            piece("thread pool", thread, "thread_pool", {})
        cpu = {"infersight.cpu.duration": prepare / 1e3, "text.length": size}
        piece("prepare", prepare + waits + jitter / MS, "stage", cpu)
        for attempt in range(calls):
            more = {"error": error} if attempt < failed else {}
            attributes = {"error.type": error} if attempt < failed else {}
            piece("SELECT items", call, "query", attributes, kind="CLIENT", **more)
            at += round(backoff * MS) if attempt < failed else 0
        rode = {"infersight.batch.largest.size": largest}
        piece("queue", queue, "queue", rode)
        piece("batched ranker", batched + jitter / MS, "batched", {**rode, "infersight.batch.item.size": size})
        at += round(rest * MS)
        told = {"http.route": "/predict", "infersight.requests.in_flight": 1, **(facts or {})}
        start = trace * SECOND
        self.recording.span(trace, 1, "POST /predict", start, at - start, kind="SERVER", source=made, attributes=told)


Scene = Callable[[Stage], None]
SCENES: Final[dict[str, Scene]] = {}
ANSWERS: Final[dict[str, tuple[str, bool]]] = {}
"""Each scene's cause, and whether it is the right one: first, and sure of it; or not to be named with confidence."""


def scene(cause: str, *, is_right: bool) -> Callable[[Scene], Scene]:
    def kept(stage: Scene) -> Scene:
        SCENES[stage.__name__] = stage
        ANSWERS[stage.__name__] = cause, is_right
        return stage

    return kept


@scene("queueing", is_right=True)
def only_waited_in_the_queue(stage: Stage) -> None:
    stage.others()
    for number in range(OTHERS + 1):
        stage.recording.log((stage.first + number) * SECOND, f"taken, {number % 4 or 3} waiting" if number < OTHERS else
                            "taken, 3 waiting", trace=stage.first + number, source=stage.source)  # fmt: skip
    stage.recording.log(stage.target * SECOND, "the queue is full", trace=stage.target, source=stage.source)
    stage.request(queue=400, facts={"infersight.requests.in_flight": 40})


@scene("queueing", is_right=True)
def waited_to_be_accepted(stage: Stage) -> None:
    stage.others(facts={"infersight.request.queue.duration": 0.001})
    stage.request(facts={"infersight.request.queue.duration": 0.5})


@scene("queueing", is_right=False)
def queue_as_short_as_ever_and_a_slow_call(stage: Stage) -> None:
    stage.others()
    stage.request(queue=3, call=200)


@scene("thread_pool", is_right=True)
def no_thread_was_free(stage: Stage) -> None:
    stage.others()
    stage.request(thread=300, facts={"infersight.thread_pool.queue.duration": 0.3})


@scene("thread_pool", is_right=False)
def the_thread_itself_was_slow(stage: Stage) -> None:
    stage.others()
    stage.request(prepare=300, facts={"infersight.thread_pool.queue.duration": 0.002})


@scene("lock_contention", is_right=True)
def several_waited_until_one_let_go(stage: Stage) -> None:
    stage.others()
    stage.request(waits=400)
    for number in range(1, 4):
        start = stage.target * SECOND + number * 50 * MS
        facts = {"infersight.operation": "stage", "infersight.cpu.duration": 0.005}
        stage.recording.span(stage.target + number, 9, "prepare", start, 405 * MS - number * 45 * MS,
                             source=stage.source, attributes=facts)  # fmt: skip


@scene("lock_contention", is_right=False)
def waited_alone(stage: Stage) -> None:
    stage.others()
    stage.request(waits=400)


@scene("blocked_event_loop", is_right=True)
def another_request_held_the_loop(stage: Stage) -> None:
    stage.others(facts={"infersight.event_loop.lag": 0.001})
    stage.request(rest=403, facts={"infersight.event_loop.lag": 0.4})
    blocked(stage, 0.4, function="load")


def blocked(stage: Stage, lag: float, *, function: str, file: str = "a.py", waited: float = 0) -> None:
    """Something held the loop at the end of the request, for so many seconds."""
    facts = {
        "infersight.event_loop.lag": lag,
        "infersight.cpu.queue.duration": waited,
        "code.function.name": function,
        "code.file.path": file,
        "code.line.number": 1,
    }
    end = stage.target * SECOND + 430 * MS
    stage.recording.log(end, "blocked", trace=stage.target + 1, source=stage.source, severity=13,
                        event_name="infersight.event_loop.blocked", attributes=facts)  # fmt: skip


@scene("blocked_event_loop", is_right=False)
def the_lag_is_as_long_as_ever(stage: Stage) -> None:
    stage.others(facts={"infersight.event_loop.lag": 0.03})
    stage.request(call=200, facts={"infersight.event_loop.lag": 0.03})


@scene("gc_or_memory", is_right=True)
def a_collection_stopped_the_process(stage: Stage) -> None:
    stage.others()
    stage.request(waits=500, facts={"infersight.gc.duration": 0.5, "infersight.event_loop.lag": 0.5})


@scene("gc_or_memory", is_right=False)
def a_collection_too_short_to_matter(stage: Stage) -> None:
    stage.others()
    stage.request(call=300, facts={"infersight.gc.duration": 0.01})


@scene("cold_start", is_right=True)
def the_first_request_of_a_process(stage: Stage) -> None:
    stage.others()
    name, instance, version = stage.source
    stage.request(prepare=400, source=(name, f"{instance}-new", version))
    for number in range(1, 10):
        stage.request(stage.target + number, source=(name, f"{instance}-new", version))


@scene("cold_start", is_right=True)
def a_compilation(stage: Stage) -> None:
    stage.others()
    stage.request(prepare=900)
    facts = {"infersight.compile.duration": 0.85, "infersight.compile.recompile_reason": "size mismatch"}
    start = stage.target * SECOND
    stage.recording.span(stage.target, 90, "step", start + MS, 10 * MS, parent=2, source=stage.source,
                         events=[(start + 2 * MS, "infersight.compilation", facts)])  # fmt: skip


@scene("cold_start", is_right=False)
def a_process_that_stays_slow(stage: Stage) -> None:
    stage.others()
    name, instance, version = stage.source
    for number in range(10):
        stage.request(stage.target + number, prepare=400, source=(name, f"{instance}-new", version))


@scene("large_input", is_right=True)
def a_large_input(stage: Stage) -> None:
    stage.others()
    stage.request(prepare=400, size=9_000)


@scene("large_input", is_right=True)
def padded_to_the_large_input_of_another(stage: Stage) -> None:
    stage.others()
    stage.request(batched=400, largest=5_000)


@scene("large_input", is_right=False)
def a_large_input_that_was_fast(stage: Stage) -> None:
    stage.others()
    stage.request(call=300, size=9_000)


@scene("slow_dependency", is_right=True)
def one_slow_call(stage: Stage) -> None:
    stage.others()
    stage.request(call=300)


@scene("slow_dependency", is_right=False)
def many_calls_as_fast_as_ever(stage: Stage) -> None:
    stage.others()
    stage.request(calls=80)


@scene("n_plus_one", is_right=True)
def many_calls_of_one_kind(stage: Stage) -> None:
    stage.others()
    stage.request(calls=80)


@scene("n_plus_one", is_right=False)
def many_calls_as_always(stage: Stage) -> None:
    stage.others(calls=40)
    stage.request(calls=40, prepare=600)


@scene("retries", is_right=True)
def failed_twice_and_made_again(stage: Stage) -> None:
    stage.others()
    stage.request(calls=4, failed=2, backoff=250)


@scene("retries", is_right=True)
def timed_out(stage: Stage) -> None:
    stage.others()
    stage.request(call=1_000, calls=1, failed=1, error="ReadTimeout")


@scene("retries", is_right=False)
def failed_once_and_was_let_be(stage: Stage) -> None:
    stage.others()
    stage.request(calls=1, failed=1, prepare=400)


@scene("device", is_right=True)
def the_clocks_were_held_down(stage: Stage) -> None:
    stage.others()
    stage.request(batched=200)
    start = T0 + stage.first * SECOND
    points = [
        NumberDataPoint(
            time_unix_nano=start + second * SECOND,
            as_double=1.0 if second > OTHERS else 0.0,
            attributes=key_values({"infersight.gpu.throttle.reason": "thermal_hardware"}),
        )
        for second in range(OTHERS + 5)
    ]
    stage.recording.metric(Metric(name="infersight.gpu.throttled", gauge=Gauge(data_points=points)), stage.source)


@scene("device", is_right=True)
def the_model_had_no_processor(stage: Stage) -> None:
    stage.others()
    stage.request(batched=400, call=100)
    batch = stage.target + 500
    start = stage.target * SECOND + 210 * MS
    facts = {"infersight.operation": "batch", "infersight.batch.release_reason": "full", "infersight.batch.fill": 1.0}
    stage.recording.span(batch, 1, "batch ranker", start, 400 * MS, source=stage.source, attributes=facts,
                         links=[(stage.target, 1), (stage.target - 1, 1)])  # fmt: skip
    ran = {"infersight.operation": "forward", "infersight.cpu.duration": 0.01}
    stage.recording.span(batch, 2, "forward ranker", start, 390 * MS, parent=1, source=stage.source, attributes=ran)
    told = {"infersight.operation": "batched", "infersight.batch.share": 0.75, "infersight.batch.item.size": 30}
    stage.recording.span(stage.target, 99, "batched ranker", start, 1, parent=1, source=stage.source, attributes=told,
                         links=[(batch, 1)])  # fmt: skip


@scene("device", is_right=False)
def the_queue_was_long_and_the_model_fast(stage: Stage) -> None:
    stage.others()
    stage.request(queue=300)


@scene("deployment", is_right=True)
def a_version_that_is_slower(stage: Stage) -> None:
    stage.others()
    name, instance, _ = stage.source
    for number in range(40):
        stage.request(stage.target + number, prepare=250, source=(name, f"{instance}-new", "2.0"))


@scene("deployment", is_right=False)
def a_version_as_fast_with_one_slow_request(stage: Stage) -> None:
    stage.others()
    name, instance, _ = stage.source
    for number in range(40):
        stage.request(stage.target + number, prepare=250 if number == 0 else 5, source=(name, f"{instance}-2", "2.0"))


@scene("thread_pool", is_right=False)
def both_a_queue_and_a_call(stage: Stage) -> None:
    stage.others()
    stage.request(queue=302, call=104)


@scene("unknown", is_right=True)
def slow_without_a_trace_of_why(stage: Stage) -> None:
    stage.others()
    stage.request(prepare=300)


@scene("device", is_right=True)
def the_event_loop_had_no_processor(stage: Stage) -> None:
    stage.others(facts={"infersight.event_loop.lag": 0.001, "infersight.cpu.queue.duration": 0.002})
    stage.request(rest=303, queue=80, call=60,
                  facts={"infersight.event_loop.lag": 0.3, "infersight.cpu.queue.duration": 0.45})  # fmt: skip
    blocked(stage, 0.3, function="load", waited=0.28)


@scene("blocked_event_loop", is_right=False)
def the_loop_was_late_in_its_own_wait_for_events(stage: Stage) -> None:
    stage.others(facts={"infersight.event_loop.lag": 0.001})
    stage.request(call=150, facts={"infersight.event_loop.lag": 0.001})
    blocked(stage, 0.3, function="select", file="/usr/lib/python3.13/selectors.py")


@scene("device", is_right=False)
def it_waited_a_little_for_a_processor_and_long_for_a_call(stage: Stage) -> None:
    stage.others(facts={"infersight.cpu.queue.duration": 0.002})
    stage.request(call=600, calls=1, rest=303, facts={"infersight.cpu.queue.duration": 0.32})
