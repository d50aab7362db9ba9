"""What a forward call returned: its tensors, and whether they are finite."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

import torch

from infersight.integrations.torch_device import Accelerator

_TENSORS: Final = 8
_DEPTH: Final = 3

CHECKED_ON_CPU: Final = 32_768
"""Elements of a tensor that are looked at on the CPU, before the call returns: PyTorch sums so many in one thread."""

CHECKED_ON_DEVICE: Final = 4_194_304
"""Elements that are looked at on an accelerator, behind the call: some ten microseconds of its time."""

_CHECKED_DTYPES: Final = frozenset({torch.float16, torch.bfloat16, torch.float32, torch.float64})


def tensors_of(result: object) -> list[torch.Tensor]:
    """The first tensors of a tensor, or of lists, tuples and mappings of them (a model output of transformers)."""
    return [tensor for tensor, _ in zip(_walk(result, _DEPTH), range(_TENSORS), strict=False)]


def _walk(value: object, depth: int) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif depth > 0 and isinstance(value, Mapping):
        for item in cast("Mapping[object, object]", value).values():
            yield from _walk(item, depth - 1)
    elif depth > 0 and isinstance(value, list | tuple):
        for item in cast("list[object]", value):
            yield from _walk(item, depth - 1)


def finite_on_cpu(tensors: list[torch.Tensor]) -> bool | None:
    """Whether no element is NaN or Inf; None where there is none, or too many to look at all and those are finite."""
    looked_at, are_all = _looked_at(tensors, CHECKED_ON_CPU)
    if not looked_at:
        return None
    return _verdict(all(_is_finite(tensor) for tensor in looked_at), are_all)


def finite_on_device(tensors: list[torch.Tensor], accelerator: Accelerator) -> Callable[[], bool | None] | None:
    """As `finite_on_cpu`, as the accelerator's `finite_later` has it; None where there is nothing to look at."""
    looked_at, are_all = _looked_at(tensors, CHECKED_ON_DEVICE)
    if not looked_at:
        return None
    is_finite = accelerator.finite_later(looked_at)
    return lambda: _verdict(is_finite(), are_all)


def _verdict(finite: bool, of_all: bool) -> bool | None:
    return finite if of_all or not finite else None


def _looked_at(tensors: list[torch.Tensor], limit: int) -> tuple[list[torch.Tensor], bool]:
    """The first elements of each tensor that can have NaN or Inf, and whether those are all of its elements."""
    able = [tensor.detach() for tensor in tensors if tensor.dtype in _CHECKED_DTYPES and tensor.numel()]
    small = [tensor for tensor in able if tensor.numel() <= limit and tensor.layout is torch.strided]
    parts = [tensor.view(-1)[:limit] for tensor in able if tensor.numel() > limit and tensor.is_contiguous()]
    return small + parts, len(small) == len(able)


def _is_finite(tensor: torch.Tensor) -> bool:
    # A finite sum has no other addends, and is the cheaper one; a sum that is not may only have overflowed.
    if math.isfinite(tensor.sum().item()):
        return True
    return all(math.isfinite(extreme.item()) for extreme in torch.aminmax(tensor))
