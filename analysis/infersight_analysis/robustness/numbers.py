"""Numbers that are measured a little otherwise, missing, or held in another type; in lists, records and arrays."""

import math
from collections.abc import Callable
from random import Random
from typing import Any, Final

from infersight_analysis.models.kinds import is_array, is_list, is_object, is_real

GAIN: Final = 0.05
"""How far off a scale is that is badly calibrated."""


def with_noise(noise: float) -> Callable[[Any, Random], Any]:
    """Normal noise on each number with a fraction.

    Args:
        noise: its standard deviation, as a share of the number itself.
    """

    def vary(value: Any, random: Random) -> Any:
        if is_array(value):
            import numpy as np  # noqa: PLC0415 - there is an array, so it is loaded

            generator: Any = np.random.default_rng(random.getrandbits(64))
            noisy: Any = value * (1 + noise * generator.standard_normal(value.shape))
            return noisy.astype(value.dtype) if value.dtype.kind == "f" else value
        return mapped(value, lambda number: number * random.gauss(1, noise))

    return vary


def scaled(factor: float) -> Callable[[Any, Random], Any]:
    """Each number with a fraction times the same factor."""

    def vary(value: Any, _random: Random) -> Any:
        if is_array(value):
            return (value * factor).astype(value.dtype) if value.dtype.kind == "f" else value
        return mapped(value, lambda number: number * factor)

    return vary


def one_nan(value: Any, random: Random) -> Any:
    """One number with a fraction is NaN, which JSON says as null."""
    if is_array(value):
        if value.dtype.kind != "f" or not value.size:
            return value
        found = value.copy()
        found.flat[random.randrange(value.size)] = math.nan
        return found
    count = 0

    def counted(number: float) -> float:
        nonlocal count
        count += 1
        return number

    mapped(value, counted)
    chosen = random.randrange(count) if count else -1
    place = iter(range(count))
    return mapped(value, lambda number: math.nan if next(place) == chosen else number)


def null_field(value: Any, random: Random) -> Any:
    """One field of a record is null."""
    return {**value, name: None} if (name := _field(value, random)) is not None else value


def absent_field(value: Any, random: Random) -> Any:
    """One field of a record is not there."""
    chosen = _field(value, random)
    return {name: member for name, member in value.items() if name != chosen}


def as_type(dtype: str) -> Callable[[Any, Random], Any]:
    """The array in another type of numbers with a fraction, such as `float16`."""

    def vary(value: Any, _random: Random) -> Any:
        if not is_array(value) or value.dtype.kind != "f":
            return value
        import numpy as np  # noqa: PLC0415 - there is an array, so it is loaded

        with np.errstate(over="ignore"):  # what is too large for it becomes infinite, as in the model's own cast
            return value.astype(dtype)

    return vary


def as_list(value: Any, _random: Random) -> Any:
    """The array as nested lists."""
    return value.tolist()


def as_floats(value: Any, _random: Random) -> Any:
    """Integers as numbers with a fraction: 1.0 for 1."""
    return mapped(value, float, of=int)


def as_texts(value: Any, _random: Random) -> Any:
    """Numbers as texts: "1.5" for 1.5."""
    return mapped(mapped(value, str), str, of=int)


def mapped(value: Any, change: Callable[[Any], Any], of: type = float) -> Any:
    """A value with each of its numbers of a type changed, in lists and records as well, in their order."""
    if is_object(value):
        return {name: mapped(member, change, of) for name, member in value.items()}
    if is_list(value):
        return [mapped(element, change, of) for element in value]
    return change(value) if is_real(value) and isinstance(value, of) else value


def _field(value: Any, random: Random) -> str | None:
    """A field that has something to lose."""
    names = sorted(name for name, member in value.items() if member is not None)
    return random.choice(names) if names else None
