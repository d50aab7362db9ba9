"""PyTorch: a span for each forward call of a model, in eager, compiled and scripted modules."""

from typing import TYPE_CHECKING

from infersight._configure import is_off
from infersight._errors import MissingExtraError
from infersight._faults import report

if TYPE_CHECKING:
    from torch.nn import Module


def instrument_torch(model: "Module", *, name: str, version: str | None = None, depth: int = 0) -> None:
    """Observe every forward call of a model: call it on the module that you call, after compiling or scripting it.

    Each call gives a span, "forward NAME" (`infersight.operation` = forward), with the model, its parameter count and
    dtype, device, autocast dtype, batch size, shapes, whether the output is finite, and, as events, the compilations,
    recompilations and graph breaks of `torch.compile`. On CUDA, device time, its gap to the call's own, and the
    memory; nothing is synchronised, so the span is sent when the device has done the work. An out-of-memory error is
    also a log event, `infersight.device.out_of_memory`, with the allocator's summary.

    The module gets a subclass of its class, of the same name, as PyTorch's own parametrisations do; `isinstance`,
    hooks, `state_dict` and scripted saving work as before, and copies and pickles are of the original class.

    Args:
        model: the module; one that is observed already keeps that.
        name: name of the model, `infersight.model.name`.
        version: its version, `infersight.model.version`.
        depth: levels of submodules that get spans as well, inside an eager module; a compiled or scripted one runs as
            a whole.

    Raises:
        MissingExtraError: the `torch` extra is not installed.
        TypeError: not a module.
    """
    if is_off():
        return
    try:
        import torch  # noqa: PLC0415 - heavy, and here only who has a model comes by
    except ImportError:
        raise MissingExtraError("instrument_torch", "torch") from None
    if not isinstance(model, torch.nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
        raise TypeError(f"instrument_torch(...) takes a torch.nn.Module, not {type(model).__name__}")
    from infersight.integrations.torch_modules import observe_module  # noqa: PLC0415 - imports torch

    try:
        observe_module(model, (name, version), depth)
    except Exception:  # noqa: BLE001 - the model runs in any case
        report("instrument a model")
