"""`observe`: a span and the inference metrics for each call of a function that runs a model."""

import inspect
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar, cast

from infersight import _attributes as names
from infersight._calls import (
    Observer,
    wrap_async_generator_function,
    wrap_coroutine_function,
    wrap_function,
    wrap_generator_function,
)
from infersight._configure import state
from infersight._context import last_inference
from infersight._faults import report
from infersight._inputs import describe_input, shape_of
from infersight._spans import OpenSpan
from infersight._telemetry import ModelKey, Telemetry, model_attributes
from infersight._values import AttributeValue, qualified_name

P = ParamSpec("P")
R = TypeVar("R")

_NANOSECOND: Final = 1e-9


class _Observed:
    """What all calls of one decorated function share, made once."""

    def __init__(self, span_name: str, model: ModelKey, first: int, *, is_sync: bool) -> None:
        self.span_name = span_name
        self.is_sync = is_sync
        self.model = model
        self.metric_attributes = model_attributes(model)
        self.span_attributes: dict[str, AttributeValue] = {
            names.OPERATION: names.OPERATION_INFERENCE,
            **self.metric_attributes,
        }
        self._first = first  # position of the first argument that can be an input

    def begin(self, arguments: tuple[object, ...], named: dict[str, Any]) -> "_Call | None":
        """Start observing a call; None where nothing is emitted."""
        telemetry = state.telemetry
        if telemetry is None:
            return None
        try:
            inputs = describe_input(arguments[self._first :] if self._first else arguments)
            if not inputs and named:
                inputs = describe_input(named.values())
            return _Call(self, telemetry, inputs)
        except Exception:  # noqa: BLE001 - the call runs in any case
            report("observe an inference")
            return None


class _Call:
    """One running call."""

    __slots__ = ("_batch_size", "_observed", "_open", "_telemetry")

    def __init__(self, observed: _Observed, telemetry: Telemetry, inputs: dict[str, AttributeValue]) -> None:
        self._observed = observed
        self._telemetry = telemetry
        self._batch_size = inputs.get(names.BATCH_SIZE)
        attributes = {**observed.span_attributes, **inputs}
        self._open = OpenSpan(telemetry, observed.span_name, attributes, is_sync=observed.is_sync)
        last_inference.set((observed.model, self._open.span))
        telemetry.active.change(observed.model, +1)

    def returned(self, result: object) -> None:
        """The call ended with a result."""
        try:
            elapsed_ns = self._open.elapsed_ns()
            try:
                if self._open.span.is_recording():
                    shape = shape_of(result)
                    if shape is not None:
                        self._open.span.set_attribute(names.OUTPUT_SHAPE, shape)
                self._record(elapsed_ns, None)
            finally:
                self._open.close(elapsed_ns)
        except Exception:  # noqa: BLE001 - the result is returned in any case
            report("record an inference")

    def raised(self, error: BaseException) -> None:
        """The call ended with an exception."""
        try:
            elapsed_ns = self._open.elapsed_ns()
            try:
                attributes = {**self._observed.metric_attributes, names.ERROR_TYPE: qualified_name(type(error))}
                self._record(elapsed_ns, attributes)
                if isinstance(error, Exception):
                    self._telemetry.errors.add(1, attributes)
            finally:
                self._open.close(elapsed_ns, error)
        except Exception:  # noqa: BLE001 - the exception is raised in any case
            report("record a failed inference")

    def _record(self, elapsed_ns: int, error_attributes: dict[str, str] | None) -> None:
        # Before the span is closed: it is current, so the exemplars carry its ids.
        telemetry = self._telemetry
        telemetry.active.change(self._observed.model, -1)
        series = telemetry.inference(self._observed.model)
        sampled = self._open.span.get_span_context().trace_flags.sampled
        if error_attributes is None:
            series.duration.record(elapsed_ns * _NANOSECOND, sampled)
        else:
            telemetry.duration.record(elapsed_ns * _NANOSECOND, error_attributes)
        if isinstance(self._batch_size, int):
            series.batch_size.record(self._batch_size, sampled)


def observe(
    *, model: str, version: str | None = None, name: str | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Observe every call of a function that runs a model: sync or async, a generator of either kind, or a method.

    Each call gives a span (`infersight.operation` = inference) with the model, the batch size, and the shape, dtype
    and device of its first array, list or mapping argument, and the metrics `infersight.inference.duration`,
    `.active`, `.batch.size` and `.errors`. What the function returns or raises is not touched.

    The span of a generator covers the iteration, from its first step until it is exhausted, fails or is closed; closed
    early (the client went away), the span has `error.type` GeneratorExit or CancelledError, and is no error. The steps
    share a copy of the context in which the first was made: the span is current in them, and not for the consumer.

    Args:
        model: name of the model, `infersight.model.name`.
        version: its version, `infersight.model.version`.
        name: name of the span; "inference MODEL" by default.

    Returns:
        The decorator.

    Raises:
        TypeError: a wrong argument.
    """
    for argument in (model, version or "", name or ""):
        if not isinstance(argument, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
            raise TypeError(f"observe(...) takes text, not {type(argument).__name__}")

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        wrap = _wrap_for(function)
        is_sync = wrap is wrap_function
        observed = _Observed(name or f"inference {model}", (model, version), _first_input(function), is_sync=is_sync)
        return cast("Callable[P, R]", wrap(function, observed))

    return decorate


def _wrap_for(function: Callable[..., object]) -> Callable[[Callable[..., Any], Observer], Callable[..., Any]]:
    if inspect.iscoroutinefunction(function):
        return wrap_coroutine_function
    if inspect.isasyncgenfunction(function):
        return wrap_async_generator_function
    if inspect.isgeneratorfunction(function):
        return wrap_generator_function
    return wrap_function


def _first_input(function: Callable[..., object]) -> int:
    """1 for a method, whose first argument is the object; 0 for a function."""
    try:
        parameters = list(inspect.signature(function).parameters)
    except ValueError:  # a builtin without a signature
        return 0
    return int(parameters[:1] in (["self"], ["cls"]))
