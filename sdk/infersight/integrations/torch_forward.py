"""What each forward call of an observed PyTorch module emits: at its end on the CPU, or behind its device."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.trace import Span, set_span_in_context

from infersight import _attributes as names
from infersight._configure import dump_last_requests, state
from infersight._faults import report
from infersight._inputs import describe_input, name_of, shape_of
from infersight._spans import OpenSpan
from infersight._telemetry import ModelKey, Telemetry, model_attributes
from infersight._values import AttributeValue, qualified_name, safe_str
from infersight.integrations.torch_compilation import compilations
from infersight.integrations.torch_device import Accelerator, AcceleratorOf, Mark
from infersight.integrations.torch_outputs import finite_on_cpu, finite_on_device, tensors_of

_NANOSECOND: Final = 1e-9
_AUTOCAST_DEVICES: Final = ("cpu", "cuda")
_CPU: Final = torch.device("cpu")


class ObservedModule:
    """Observes all calls of one module.

    Args:
        type_name: name of its class.
        model: name and version of the model that it is or is a part of.
        path: where it is in the model; empty for the model itself.
        parameters: elements of the model's parameters, where they are known.
        accelerators: finds what measures on a device.
    """

    def __init__(
        self,
        type_name: str,
        model: ModelKey,
        path: str,
        parameters: int | None,
        accelerators: AcceleratorOf,
    ) -> None:
        self.span_name = f"forward {model[0]} {path}".rstrip()
        self.is_top = not path
        self.model = model
        self.metric_attributes = model_attributes(model)
        self.accelerator_of = accelerators
        self.attributes: dict[str, AttributeValue] = {
            names.OPERATION: names.OPERATION_FORWARD,
            **self.metric_attributes,
            names.MODULE_TYPE: type_name,
        }
        if path:
            self.attributes[names.MODULE_PATH] = path
        elif parameters is not None:
            self.attributes[names.PARAMETER_COUNT] = parameters

    def begin(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> "_Forward | None":
        """A call begins, with the module as its first argument; None where nothing is emitted."""
        # Compiled into the graph of a module around this one, this is all that is left of it.
        if torch.compiler.is_dynamo_compiling():
            return None
        telemetry = state.telemetry
        if telemetry is None:
            return None
        try:
            return _Forward(self, telemetry, arguments, named)
        except Exception:  # noqa: BLE001 - the model runs in any case
            report("observe a forward call")
            return None


class _Forward:
    """One running call."""

    __slots__ = ("_accelerator", "_began", "_compilations", "_device", "_observed", "_open", "_telemetry")

    def __init__(
        self, observed: ObservedModule, telemetry: Telemetry, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        self._observed = observed
        self._telemetry = telemetry
        inputs = describe_input(arguments[1:]) or describe_input(named.values())
        self._device = _device_of(arguments, inputs)
        self._accelerator = observed.accelerator_of(self._device)
        self._compilations = compilations.begin()
        self._began: Mark | None = None if self._accelerator is None else self._accelerator.mark()
        self._open = OpenSpan(telemetry, observed.span_name, {**observed.attributes, **inputs}, is_sync=True)

    def returned(self, result: object) -> None:
        """The call ended with a result, which the device may not have computed yet."""
        try:
            elapsed_ns = self._open.elapsed_ns()
            left = False
            try:
                compilations.end(self._compilations, self._open.span)
                tensors: list[torch.Tensor] = []
                if self._open.span.is_recording():
                    tensors = tensors_of(result)
                    shape = shape_of(tensors[0] if tensors else result)
                    if shape is not None:
                        self._open.span.set_attribute(names.OUTPUT_SHAPE, shape)
                self._record(elapsed_ns, None)
                left = self._leave(tensors, elapsed_ns)
            finally:
                if not left:
                    self._open.close(elapsed_ns)
        except Exception:  # noqa: BLE001 - the result is returned in any case
            report("record a forward call")

    def raised(self, error: BaseException) -> None:
        """The call ended with an exception."""
        try:
            elapsed_ns = self._open.elapsed_ns()
            try:
                compilations.end(self._compilations, self._open.span)
                attributes = {**self._observed.metric_attributes, names.ERROR_TYPE: qualified_name(type(error))}
                self._record(elapsed_ns, attributes)
                if isinstance(error, torch.cuda.OutOfMemoryError) and self._observed.is_top:
                    self._out_of_memory(error)
            finally:
                self._open.close(elapsed_ns, error)
        except Exception:  # noqa: BLE001 - the exception is raised in any case
            report("record a failed forward call")

    def _record(self, elapsed_ns: int, error_attributes: dict[str, str] | None) -> None:
        # Before the span is left: it is current, so the exemplars carry its ids.
        if not self._observed.is_top:
            return
        seconds = elapsed_ns * _NANOSECOND
        if error_attributes is None:
            sampled = self._open.span.get_span_context().trace_flags.sampled
            self._telemetry.inference(self._observed.model).forward_duration.record(seconds, sampled)
        else:
            self._telemetry.forward_duration.record(seconds, error_attributes)

    def _leave(self, tensors: list[torch.Tensor], elapsed_ns: int) -> bool:
        """Leave the span to be ended behind the device; False where no device has anything to tell."""
        span, accelerator = self._open.span, self._accelerator
        checked = [tensor for tensor in tensors if tensor.device == self._device] if self._observed.is_top else []
        if accelerator is None:
            if self._device.type == "cpu":
                _set_finite(span, finite_on_cpu(checked))
            return False
        if self._began is None:  # the stream is being captured into a graph
            return False
        is_finite = finite_on_device(checked, accelerator)
        ended = accelerator.mark()
        if ended is None:
            return False
        self._open.leave()
        self._telemetry.deferred.add(
            _DeviceEnd(
                self._observed, self._telemetry, self._open, elapsed_ns, accelerator, self._began, ended, is_finite
            )
        )
        return True

    def _out_of_memory(self, error: BaseException) -> None:
        attributes: dict[str, AttributeValue] = {
            **self._observed.metric_attributes,
            names.DEVICE: name_of(self._device),
        }
        if self._accelerator is not None:
            attributes[names.MEMORY_SUMMARY] = self._accelerator.memory_summary()
        self._telemetry.emit_event(names.OUT_OF_MEMORY, SeverityNumber.ERROR, safe_str(error), attributes)
        dump_last_requests("out_of_memory", wait=False)


@dataclass(frozen=True, slots=True)
class _DeviceEnd:
    """The end of a forward call on its device. It holds marks and a flag, and no tensor of the device."""

    observed: ObservedModule
    telemetry: Telemetry
    open: OpenSpan
    elapsed_ns: int
    accelerator: Accelerator
    began: Mark
    ended: Mark
    is_finite: Callable[[], bool | None] | None

    def is_ready(self) -> bool:
        """Whether the device has done the call."""
        return self.ended.query()

    def complete(self, ready: bool) -> None:
        """Put what the device did on the span, where it did it, and end the span with the time of the call."""
        try:
            if ready:
                self._describe()
        finally:
            self.open.end(self.elapsed_ns)

    def _describe(self) -> None:
        span = self.open.span
        seconds = self.accelerator.seconds_between(self.began, self.ended)
        if self.observed.is_top:
            self.telemetry.device_duration.record(
                seconds, self.observed.metric_attributes, set_span_in_context(span, Context())
            )
        if span.is_recording():
            peak, reserved = self.accelerator.memory()
            span.set_attributes(
                {
                    names.DEVICE_DURATION: seconds,
                    names.DEVICE_GAP: seconds - self.elapsed_ns * _NANOSECOND,
                    names.DEVICE_MEMORY_PEAK: peak,
                    names.DEVICE_MEMORY_RESERVED: reserved,
                }
            )
            _set_finite(span, None if self.is_finite is None else self.is_finite())


def _set_finite(span: Span, finite: bool | None) -> None:
    if finite is not None:
        span.set_attribute(names.OUTPUT_FINITE, finite)


def _device_of(arguments: tuple[Any, ...], described: dict[str, AttributeValue]) -> torch.device:
    """Where the module, the first argument, computes: on the device of its parameters or else of its input.

    Describes that in `described`.
    """
    parameter: torch.Tensor | None = next(arguments[0].parameters(), None)
    if parameter is None:
        return next((tensor.device for tensor in tensors_of(arguments[1:])), _CPU)
    device = parameter.device
    described[names.DEVICE] = name_of(device)
    described[names.MODEL_DTYPE] = name_of(parameter.dtype)
    if device.type in _AUTOCAST_DEVICES and torch.is_autocast_enabled(device.type):
        described[names.AUTOCAST] = name_of(torch.get_autocast_dtype(device.type))
    return device
