"""What kind of input or output a value is, as the type checker understands it."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether it has members by name, as JSON's objects do."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Whether it is a list or a tuple."""
    return isinstance(value, list | tuple)


def is_array(value: object) -> bool:
    """Whether it is an array of NumPy."""
    return hasattr(value, "dtype") and hasattr(value, "shape") and hasattr(value, "astype")


def is_real(value: object) -> TypeGuard[int | float]:
    """Whether it is a number, which True is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_json(value: Any) -> Any:
    """A value as JSON says it: arrays as lists, times in ISO 8601, null for NaN and the infinities, else its text."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if is_object(value):
        return {str(key): as_json(member) for key, member in value.items()}
    if is_list(value):
        return [as_json(element) for element in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
