"""What `instrument_torch` does to a module.

The module's class becomes a subclass whose `__call__` is observed. That is the one place that eager, compiled (both
`torch.compile(module)` and `module.compile()`), scripted, traced and exported modules come by on each call, and it
leaves alone what hooks would change: a module with hooks loses PyTorch's fast paths (`TransformerEncoderLayer`), is
traced with them by `torch.compile`, and runs none when a call ends by an exception that is no `Exception`.
"""

from collections.abc import Iterator
from typing import Any, Final, SupportsIndex, cast

import torch

from infersight._calls import wrap_function
from infersight._telemetry import ModelKey
from infersight.integrations.torch_device import AcceleratorOf, accelerator_of
from infersight.integrations.torch_forward import ObservedModule

_OBSERVER: Final = "_infersight_observer"


def observe_module(
    module: torch.nn.Module, model: ModelKey, depth: int, accelerators: AcceleratorOf = accelerator_of
) -> None:
    """Observe the calls of a module, and of its submodules `depth` levels down.

    Args:
        module: the top module.
        model: name and version of the model.
        depth: levels of submodules; 0 for none.
        accelerators: finds what measures on a device.
    """
    parameters = _parameter_count(module)
    for path, part in list(_parts(module, depth)):
        if not hasattr(type(part), _OBSERVER):
            _subclass(part, ObservedModule(_type_name(part), model, path, parameters, accelerators))


def _parts(module: torch.nn.Module, depth: int) -> Iterator[tuple[str, torch.nn.Module]]:
    """The module with an empty path, and its submodules that run on their own."""
    yield "", module
    if depth > 0 and not _runs_whole(module):
        for path, part in cast("Iterator[tuple[str, torch.nn.Module]]", module.named_modules()):
            if path and path.count(".") < depth:
                yield path, part


def _runs_whole(module: torch.nn.Module) -> bool:
    return (
        isinstance(module, torch.jit.ScriptModule)
        or hasattr(module, "_orig_mod")  # the result of torch.compile
        or getattr(module, "_compiled_call_impl", None) is not None  # module.compile()
    )


def _parameter_count(module: torch.nn.Module) -> int | None:
    try:
        return sum(parameter.numel() for parameter in module.parameters())
    except ValueError:  # a lazy module that has seen no input
        return None


def _type_name(module: torch.nn.Module) -> str:
    original = getattr(module, "_orig_mod", module)
    scripted = getattr(original, "original_name", None) if isinstance(original, torch.jit.ScriptModule) else None
    return str(scripted or type(original).__name__)


def _subclass(module: torch.nn.Module, observer: ObservedModule) -> None:
    original = type(module)
    call = wrap_function(original.__call__, observer)

    def reduce(self: torch.nn.Module, protocol: SupportsIndex) -> Any:
        # Copies and pickles are of the original class: ours can be imported from nowhere.
        reduced = original.__reduce_ex__(self, protocol)
        if isinstance(reduced, str) or getattr(reduced[0], "__name__", "") != "__newobj__":  # a way of its own
            return reduced
        return (object.__new__, (original,), *reduced[2:])

    members = {
        "__call__": call,
        "__reduce_ex__": reduce,
        "__module__": original.__module__,
        "__qualname__": original.__qualname__,
        _OBSERVER: observer,
    }
    # Past the metaclass of scripted modules, which would prepare the class for scripting, and past `__setattr__` of
    # traced ones, which would give the class to the module that they wrap.
    subclass = type.__new__(type(original), original.__name__, (original,), members)
    object.__setattr__(module, "__class__", subclass)
