"""What a device tells later about a forward call, with a device that works when the test lets it.

The one real accelerator, CUDA, is tested at the end where there is one.
"""

import gc
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from opentelemetry.sdk.trace import ReadableSpan
from torch import nn

import infersight
from infersight import testing
from infersight._configure import state
from infersight._deferred import DeferredEnds
from infersight.integrations.torch_modules import observe_module

DEADLINE_SECONDS = 10


class FakeMark:
    """A point in the fake device's work, at a time on its clock, in seconds."""

    def __init__(self, device: "FakeDevice", at: float) -> None:
        self._device = device
        self.at = at

    def query(self) -> bool:
        return self._device.done.is_set()


class FakeDevice:
    """A device whose clock goes on by a quarter of a second with each mark, and that is done when it is told so."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.capturing = False
        self._now = 0.0

    def mark(self) -> FakeMark | None:
        if self.capturing:
            return None
        self._now += 0.25
        return FakeMark(self, self._now)

    def seconds_between(self, begin: Any, end: Any) -> float:
        return float(end.at - begin.at)

    def finite_later(self, tensors: Sequence[torch.Tensor]) -> Callable[[], bool]:
        finite = all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
        return lambda: finite

    def memory(self) -> tuple[int, int]:
        return 3_000, 4_000

    def memory_summary(self) -> str:
        return "| allocated | 3000 B |"


def observed(module: nn.Module, device: FakeDevice, depth: int = 0) -> nn.Module:
    observe_module(module, ("m", "1"), depth, lambda _device: device)
    return module


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_the_span_waits_for_the_device_and_the_call_does_not() -> None:
    device = FakeDevice()
    model = observed(nn.Linear(4, 2), device)
    with testing.capture() as captured:
        with infersight.stage("request"):
            model(torch.ones(8, 4))
            with infersight.stage("after"):
                pass
        assert [span.name for span in captured.spans] == ["after", "request"]
        device.done.set()
        # force_flush would collect the metrics as well, and with them their exemplars.
        assert state.telemetry is not None
        assert state.telemetry.deferred.drain(DEADLINE_SECONDS)
        (duration,) = captured.points("infersight.device.duration")
    span, request = captured.span("forward m"), captured.span("request")
    assert span.parent == captured.span("after").parent == request.context
    attributes = attributes_of(span)
    assert attributes["infersight.device.duration"] == 0.25
    assert span.start_time is not None
    assert span.end_time is not None
    wall = (span.end_time - span.start_time) / 1e9
    assert attributes["infersight.device.gap"] == pytest.approx(0.25 - wall)
    assert attributes["infersight.device.memory.peak"] == 3_000
    assert attributes["infersight.device.memory.reserved"] == 4_000
    assert attributes["infersight.output.finite"] is True
    assert (duration.sum, duration.count) == (0.25, 1)
    assert span.context is not None
    assert [exemplar.span_id for exemplar in duration.exemplars] == [span.context.span_id]


def test_an_output_that_is_not_finite_is_found_behind_the_call() -> None:
    device = FakeDevice()
    model = observed(nn.Linear(4, 2), device)
    device.done.set()
    with testing.capture() as captured:
        model(torch.full((8, 4), float("nan")))
        assert infersight.force_flush(DEADLINE_SECONDS)
    assert attributes_of(captured.span("forward m"))["infersight.output.finite"] is False


def test_each_submodule_has_its_own_device_time() -> None:
    device = FakeDevice()
    model = observed(nn.Sequential(nn.Linear(4, 2), nn.ReLU()), device, depth=1)
    device.done.set()
    with testing.capture() as captured:
        model(torch.ones(8, 4))
        assert infersight.force_flush(DEADLINE_SECONDS)
        assert captured.points("infersight.device.duration")[0].count == 1
    times = {span.name: attributes_of(span)["infersight.device.duration"] for span in captured.spans}
    assert times == {"forward m": 1.25, "forward m 0": 0.25, "forward m 1": 0.25}


def test_inside_the_capture_of_a_graph_the_device_is_left_alone() -> None:
    device = FakeDevice()
    device.capturing = True
    model = observed(nn.Linear(4, 2), device)
    with testing.capture() as captured:
        model(torch.ones(8, 4))
    assert "infersight.device.duration" not in attributes_of(captured.span("forward m"))


def test_waiting_for_the_device_keeps_no_tensor_alive() -> None:
    device = FakeDevice()
    model = observed(nn.Linear(4, 2), device)
    with testing.capture() as captured:
        batch = torch.ones(8, 4)
        result = model(batch)
        alive = [weakref.ref(batch), weakref.ref(result)]
        del batch, result
        gc.collect()
        assert not captured.spans
        assert [reference() for reference in alive] == [None, None]
        device.done.set()
        assert infersight.force_flush(DEADLINE_SECONDS)


def test_out_of_memory_is_an_event_with_the_allocators_summary() -> None:
    class Greedy(nn.Module):
        def forward(self, _x: torch.Tensor) -> torch.Tensor:
            raise torch.cuda.OutOfMemoryError("tried to allocate 20.00 GiB")

    model = observed(Greedy(), FakeDevice())
    with testing.capture() as captured, pytest.raises(torch.cuda.OutOfMemoryError):
        model(torch.ones(8, 4))
    (event,) = [record.log_record for record in captured.logs]
    assert event.event_name == "infersight.device.out_of_memory"
    assert event.body == "tried to allocate 20.00 GiB"
    attributes = dict(event.attributes or {})
    assert attributes["infersight.device.memory.summary"] == "| allocated | 3000 B |"
    assert attributes["infersight.model.name"] == "m"
    span = captured.span("forward m")
    assert span.context is not None
    assert event.span_id == span.context.span_id
    assert attributes_of(span)["error.type"] == "torch.OutOfMemoryError"


def test_a_device_that_never_answers_costs_the_device_time_and_not_the_span() -> None:
    model = observed(nn.Linear(4, 2), FakeDevice())
    with testing.capture() as captured:
        model(torch.ones(8, 4))
        assert not infersight.force_flush(0.01)
        infersight.shutdown()
    assert "infersight.device.duration" not in attributes_of(captured.span("forward m"))


class Recorded:
    """A deferred end that says when it was completed."""

    def __init__(self, ready: bool) -> None:
        self._ready = ready
        self.completed: list[bool] = []

    def is_ready(self) -> bool:
        return self._ready

    def complete(self, ready: bool) -> None:
        self.completed.append(ready)


def test_so_many_ends_wait_and_no_more() -> None:
    deferred = DeferredEnds()
    ends = [Recorded(False) for _ in range(1_100)]
    for end in ends:
        deferred.add(end)
    at_once = [end for end in ends if end.completed]
    assert 98 <= len(at_once) <= 100  # one or none of those that wait is being asked
    deferred.stop(0.01)
    assert [end.completed for end in ends] == [[False]] * len(ends)


def test_ends_complete_in_order_and_an_error_in_one_does_not_stop_the_next() -> None:
    class Failing(Recorded):
        def complete(self, ready: bool) -> None:
            super().complete(ready)
            raise RuntimeError("device")

    deferred = DeferredEnds()
    ends = [Failing(True), Recorded(True)]
    for end in ends:
        deferred.add(end)
    assert deferred.drain(DEADLINE_SECONDS)
    assert [end.completed for end in ends] == [[True], [True]]


def test_nothing_deferred_is_nothing_to_wait_for() -> None:
    deferred = DeferredEnds()
    assert deferred.drain(0)
    deferred.stop(0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda_the_device_time_exceeds_that_of_the_call_that_only_enqueues() -> None:
    class Slow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4096, 4096, device="cuda") / 4096)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for _ in range(200):
                x = x @ self.weight
            return x

    model = Slow()
    infersight.instrument_torch(model, name="m")
    batch = torch.ones(4096, 4096, device="cuda")
    with torch.inference_mode():
        model(batch)
        torch.cuda.synchronize()
        with testing.capture() as captured:
            model(batch)
            model(torch.full_like(batch, float("nan")))
            assert infersight.force_flush(DEADLINE_SECONDS)
    finite, not_finite = map(attributes_of, captured.spans)
    assert finite["infersight.device"] == "cuda:0"
    assert finite["infersight.device.duration"] > 0
    assert finite["infersight.device.gap"] > 0
    assert finite["infersight.device.memory.peak"] >= batch.nbytes
    # The first elements of a larger output were looked at: they are finite, which says nothing of the rest.
    assert finite.get("infersight.output.finite") is None
    assert not_finite["infersight.output.finite"] is False
