"""`validate_input`: what is wrong with a model's input, all of it, as values and as one event."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from opentelemetry._logs import SeverityNumber

from infersight import _attributes as names
from infersight._characterise import characterise, fields_of, is_missing, is_on_host, leaves
from infersight._configure import state
from infersight._faults import report
from infersight._inputs import describe_input, shape_of
from infersight._values import qualified_name

Check = Literal["type", "dtype", "shape", "non_empty", "max_length", "range", "finite", "fields"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which an input is not as it should be.

    Attributes:
        check: the argument of `validate_input` that it breaks.
        expected: what was asked for.
        actual: what was found, never the input itself.
    """

    check: Check
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"{self.check}: expected {self.expected}, found {self.actual}"


@dataclass(frozen=True, slots=True)
class Rules:
    """The arguments of `validate_input`."""

    types: tuple[type, ...]
    dtype: str | None
    shape: Sequence[int | None] | None
    range: tuple[float | None, float | None] | None
    max_length: int | None
    non_empty: bool
    finite: bool
    fields: Collection[str]


def validate_input(
    value: object,
    *,
    name: str = "input",
    type: type | tuple[type, ...] | None = None,  # noqa: A002 - says at the call what it is
    dtype: str | None = None,
    shape: Sequence[int | None] | None = None,
    range: tuple[float | None, float | None] | None = None,  # noqa: A002 - says at the call what it is
    max_length: int | None = None,
    non_empty: bool = False,
    finite: bool = False,
    fields: Collection[str] = (),
) -> list[Violation]:
    """Check what a model is given. Bad input raises nothing: it is returned and reported.

    All violations go out as one log event `infersight.input.invalid` (WARN) in the current trace, with a
    characterisation of the input. Arrays may be of any library. The elements of an array on an accelerator are not
    looked at (`range`, `finite`): that would wait for it.

    Args:
        value: text, number, array, list, mapping, dataclass or pydantic model.
        name: what the application calls this input; for the event.
        type: the class or classes that it has to be an instance of.
        dtype: element type of an array without its library's name, such as `float32`.
        shape: expected shape of an array, batch dimension first; None stands for any size.
        range: least and greatest element, both allowed; None for no bound. For numbers, arrays, lists of numbers.
        max_length: most characters of a text, items of a list or array's first dimension, fields of a mapping.
        non_empty: whether a text (of more than whitespace), list, array or mapping has to hold something.
        finite: whether NaN and infinite elements are violations.
        fields: fields that a mapping has to have, with a value (not None, NaN or empty text).

    Returns:
        Every violation, in the order of the arguments; empty for a good input.
    """
    types = () if type is None else type if isinstance(type, tuple) else (type,)
    rules = Rules(types, dtype, shape, range, max_length, non_empty, finite, fields)
    try:
        violations = list(violations_of(value, rules))
        if violations:
            _emit(value, name, violations)
    except Exception:  # noqa: BLE001 - a check that cannot be made must not fail the request
        report("check an input")
        return []
    return violations


def violations_of(value: object, rules: Rules) -> Iterator[Violation]:
    """How an input breaks rules, in the order of the rules; nothing is reported."""
    if rules.types and not isinstance(value, rules.types):
        yield Violation("type", " or ".join(map(qualified_name, rules.types)), qualified_name(type(value)))
    if rules.dtype is not None:
        dtype = describe_input((value,)).get(names.INPUT_DTYPE)
        if dtype != rules.dtype:
            yield Violation("dtype", rules.dtype, str(dtype or "no dtype"))
    if rules.shape is not None:
        shape = shape_of(value)
        if shape is None or not _fits(shape, rules.shape):
            yield Violation("shape", _shape_text(rules.shape), "no shape" if shape is None else _shape_text(shape))
    yield from _size_violations(value, rules)
    yield from _element_violations(value, rules)
    if rules.fields:
        present = fields_of(value) or {}
        absent = sorted(field for field in rules.fields if is_missing(present.get(field)))
        if absent:
            yield Violation("fields", "a value in each", f"none in {', '.join(absent)}")


def _size_violations(value: object, rules: Rules) -> Iterator[Violation]:
    length = _length(value)
    if rules.non_empty and (value is None or length == 0 or (isinstance(value, str) and not value.strip())):
        yield Violation("non_empty", "something", "only whitespace" if length else "nothing")
    if rules.max_length is not None and length is not None and length > rules.max_length:
        yield Violation("max_length", f"at most {rules.max_length}", str(length))


def _element_violations(value: object, rules: Rules) -> Iterator[Violation]:
    if (rules.range is None and not rules.finite) or _length(value) == 0 or not is_on_host(value):
        return
    try:
        least, greatest, has_nan = _extremes(value)
    except (TypeError, ValueError):
        yield Violation("finite" if rules.range is None else "range", "numbers", qualified_name(type(value)))
        return
    low, high = rules.range or (None, None)
    if (low is not None and least < low) or (high is not None and greatest > high):
        expected = f"{'-inf' if low is None else low} to {'inf' if high is None else high}"
        yield Violation("range", expected, f"{least:g} to {greatest:g}")
    if rules.finite and (has_nan or math.isinf(least) or math.isinf(greatest)):
        yield Violation("finite", "finite elements", "NaN" if has_nan else "an infinite element")


def _fits(shape: Sequence[int], expected: Sequence[int | None]) -> bool:
    return len(shape) == len(expected) and all(
        size in (None, actual) for actual, size in zip(shape, expected, strict=True)
    )


def _shape_text(shape: Sequence[int | None]) -> str:
    return f"({', '.join('any' if size is None else str(size) for size in shape)})"


def _length(value: object) -> int | None:
    shape = shape_of(value)
    if shape is not None:
        return 0 if 0 in shape else shape[0] if shape else 1
    fields = fields_of(value)
    sized = value if fields is None else fields
    return len(cast("Collection[object]", sized)) if hasattr(sized, "__len__") else None


def _extremes(value: object) -> tuple[float, float, bool]:
    """Least and greatest element that is a number (NaN where none is), and whether one is NaN.

    Raises:
        TypeError, ValueError: there are no numbers in it.
    """
    if shape_of(value) is None:
        items = cast("Sequence[object]", value) if isinstance(value, list | tuple) else (value,)
        numbers = [_number(item) for item in leaves(items)]
        kept = [number for number in numbers if not math.isnan(number)]
        return min(kept, default=math.nan), max(kept, default=math.nan), len(kept) < len(numbers)
    array = cast("Any", value)
    if math.isnan(array.min()):  # it spreads, in every library
        kept = array[array == array]  # noqa: PLR0124 - only NaN differs from itself
        return *((float(kept.min()), float(kept.max())) if 0 not in kept.shape else (math.nan, math.nan)), True
    return float(array.min()), float(array.max()), False


def _number(item: object) -> float:
    if isinstance(item, int | float):
        return float(item)
    raise TypeError(f"{type(item).__name__} is no number")  # digits in a text are none either


def _emit(value: object, name: str, violations: list[Violation]) -> None:
    telemetry = state.telemetry
    if telemetry is None:
        return
    telemetry.emit_event(
        names.INPUT_INVALID,
        SeverityNumber.WARN,
        f"{name} is invalid: {'; '.join(map(str, violations))}",
        {
            **characterise(value),
            names.INPUT_NAME: name,
            names.INPUT_VIOLATIONS: [str(violation) for violation in violations],
        },
    )
