"""The decorator: one span and the inference metrics a call, and nothing else for the caller to notice."""

import asyncio
import inspect
import traceback
from typing import Any, cast

import pytest
from opentelemetry.trace import StatusCode, format_trace_id

import infersight
from infersight import testing

INFERENCE = {
    "infersight.operation": "inference",
    "infersight.model.name": "sentiment",
    "infersight.model.version": "1.4.0",
}
SERIES = {"infersight.model.name": "sentiment", "infersight.model.version": "1.4.0"}


class Tensor:
    """An array as its duck type: what NumPy and PyTorch have in common."""

    def __init__(self, *shape: int, dtype: str = "torch.float32", device: str = "cuda:0") -> None:
        self.shape = shape
        self.dtype = dtype
        self.device = device


@infersight.observe(model="sentiment", version="1.4.0")
def classify(batch: Any) -> Any:
    """Classify."""
    return batch


@infersight.observe(model="sentiment", version="1.4.0")
async def classify_async(batch: Any) -> Any:
    await asyncio.sleep(0)
    return batch


@infersight.observe(model="sentiment", version="1.4.0")
def refuse(batch: Any) -> Any:
    raise ValueError(f"cannot classify {batch}")


def test_a_call_is_one_span_with_its_model_and_its_input_and_output() -> None:
    with testing.capture() as captured:
        classify(Tensor(8, 128))
    (span,) = captured.spans
    assert span.name == "inference sentiment"
    assert dict(span.attributes or {}) == INFERENCE | {
        "infersight.batch.size": 8,
        "infersight.input.shape": (8, 128),
        "infersight.input.dtype": "float32",
        "infersight.device": "cuda:0",
        "infersight.output.shape": (8, 128),
        "infersight.cpu.duration": 0.001,
    }
    assert (span.start_time, span.end_time) == (testing.START_NS, testing.START_NS + testing.TICK_NS)
    assert span.status.status_code is StatusCode.UNSET


def test_the_metrics_of_a_call_carry_its_trace_in_their_exemplars() -> None:
    with testing.capture() as captured:
        classify(Tensor(8, 128))
        metrics = captured.metrics()
    assert "infersight.inference.errors" not in metrics
    (duration,), (size,), (active,) = (
        cast("list[Any]", metrics[f"infersight.inference.{name}"].data.data_points)
        for name in ("duration", "batch.size", "active")
    )
    assert (duration.attributes, duration.count, duration.sum) == (SERIES, 1, 0.001)
    assert (size.attributes, size.count, size.sum) == (SERIES, 1, 8)
    assert (active.attributes, active.value) == (SERIES, 0)
    context = captured.spans[0].context
    assert context is not None
    for point in (duration, size):
        assert [(e.trace_id, e.span_id) for e in point.exemplars] == [(context.trace_id, context.span_id)]


def test_the_active_count_is_one_inside_a_call() -> None:
    @infersight.observe(model="m")
    def look() -> int:
        (point,) = captured.points("infersight.inference.active")
        return int(point.value)

    with testing.capture() as captured:
        assert look() == 1


def test_an_async_call_stays_current_over_its_awaits() -> None:
    async def both() -> tuple[Any, Any]:
        return await asyncio.gather(classify_async([1]), classify_async([1, 2]))

    with testing.capture() as captured:
        assert list(asyncio.run(both())) == [[1], [1, 2]]
    assert [(span.attributes or {})["infersight.batch.size"] for span in captured.spans] == [1, 2]
    assert all(span.parent is None for span in captured.spans)


def test_an_exception_is_recorded_counted_and_raised_unchanged() -> None:
    with testing.capture() as captured:
        with pytest.raises(ValueError, match="cannot classify 3") as caught:
            refuse(3)
        (duration,) = captured.points("infersight.inference.duration")
        (errors,) = captured.points("infersight.inference.errors")
    assert caught.value.__context__ is None
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "refuse"
    (span,) = captured.spans
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "cannot classify 3")
    assert (span.attributes or {})["error.type"] == "ValueError"
    (event,) = span.events
    attributes = cast("dict[str, str]", event.attributes)
    assert event.name == "exception"
    assert (attributes["exception.type"], attributes["exception.message"]) == ("ValueError", "cannot classify 3")
    assert "in refuse" in attributes["exception.stacktrace"]
    assert (errors.value, errors.attributes) == (1, SERIES | {"error.type": "ValueError"})
    assert duration.attributes == SERIES | {"error.type": "ValueError"}


def test_a_cancelled_call_ends_its_span_and_is_no_error_of_the_model() -> None:
    @infersight.observe(model="m")
    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    async def cancel() -> None:
        task = asyncio.ensure_future(forever())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with testing.capture() as captured:
        asyncio.run(cancel())
        assert captured.points("infersight.inference.errors") == ()
    (span,) = captured.spans
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})["error.type"] == "asyncio.exceptions.CancelledError"
    assert not span.events


def test_a_method_is_observed_by_its_first_real_argument() -> None:
    class Model:
        shape = (99,)

        @infersight.observe(model="m")
        def predict(self, batch: list[int]) -> list[int]:
            return batch

    with testing.capture() as captured:
        assert Model().predict([1, 2]) == [1, 2]
    assert (captured.spans[0].attributes or {})["infersight.batch.size"] == 2


def test_spans_inside_a_call_are_its_children() -> None:
    @infersight.observe(model="outer", name="predict everything")
    def outer() -> None:
        classify([1])

    with testing.capture() as captured:
        outer()
    inner, whole = captured.span("inference sentiment"), captured.span("predict everything")
    assert inner.parent == whole.context
    assert whole.context is not None
    assert format_trace_id(whole.context.trace_id) == f"{1:032x}"


def test_the_function_keeps_its_name_signature_and_kind() -> None:
    assert (classify.__name__, classify.__doc__) == ("classify", "Classify.")
    assert list(inspect.signature(classify).parameters) == ["batch"]
    assert inspect.iscoroutinefunction(classify_async)


def test_without_configure_a_call_is_only_the_call() -> None:
    assert classify([1]) == [1]
    assert asyncio.run(classify_async([1])) == [1]


def test_wrong_use_is_told_when_decorating() -> None:
    with pytest.raises(TypeError, match="takes text, not int"):
        infersight.observe(model=cast("str", 5))
