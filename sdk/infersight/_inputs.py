"""What a model is called with: batch size, shape, dtype and device, read from any array without its library.

An array is whatever has a `shape` of integers (NumPy, PyTorch, JAX, CuPy, pandas, ...); a list or tuple counts its
items; a mapping (what tokenizers return) stands for its first array.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final, cast

from infersight import _attributes as names
from infersight._values import AttributeValue

_names_of: Final[dict[object, str]] = {}
"""Text of each dtype and device object met: a handful, and making it costs more than the rest."""

_NAMES_KEPT: Final = 256

_FIELDS: Final = 16
"""How many values of a mapping are looked at for an array, in each of a few levels: it may hold itself."""


def describe_input(arguments: Iterable[object], depth: int = 3) -> dict[str, AttributeValue]:
    """Span attributes of the first argument that is an array, a list or a mapping of them; empty without one.

    Args:
        arguments: what the model is called with.
        depth: how many mappings inside each other are looked into.
    """
    for argument in arguments:
        found = _describe(argument, depth)
        if found:
            return found
    return {}


def _describe(argument: object, depth: int) -> dict[str, AttributeValue]:
    shape = shape_of(argument)
    if shape is not None:
        found: dict[str, AttributeValue] = {names.INPUT_SHAPE: cast("list[AttributeValue]", shape)}
        if shape:
            found[names.BATCH_SIZE] = shape[0]
        dtype = getattr(argument, "dtype", None)
        if dtype is not None:
            found[names.INPUT_DTYPE] = name_of(dtype)
        device = getattr(argument, "device", None)
        if device is not None:
            found[names.DEVICE] = name_of(device)
        return found
    if isinstance(argument, list | tuple):
        return {names.BATCH_SIZE: len(cast("list[object]", argument))}
    if isinstance(argument, Mapping) and depth:
        values = cast("Mapping[object, object]", argument).values()
        return describe_input(islice(values, _FIELDS), depth - 1)
    return {}


def shape_of(value: object) -> list[int] | None:
    """The shape of an array, batch dimension first; None for anything else."""
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple):
        return None
    dimensions = cast("tuple[object, ...]", shape)
    if all(isinstance(dimension, int) for dimension in dimensions):
        return cast("list[int]", list(dimensions))
    return None


def name_of(kind: object) -> str:
    """Text of a dtype or device, without the library's own name: `float32`, `cuda:0`."""
    try:
        known = _names_of.get(kind)
    except TypeError:  # not hashable
        return str(kind).rpartition(".")[2]
    if known is None:
        known = str(kind).rpartition(".")[2]
        if len(_names_of) < _NAMES_KEPT:
            _names_of[kind] = known
    return known
